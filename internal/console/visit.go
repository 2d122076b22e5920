package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/console/assets"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// visit is one request on its way.
type visit struct {
	request *http.Request
	began   time.Time
	route   *route // nil where there is none
	values  map[string]string
	allow   []string
	secure  bool // over TLS, ours or a trusted proxy's

	from   access.Caller // where it came from; nobody
	signed signin.Signed // who it is; zero until they are known
	known  bool
	form   url.Values // of a POST
}

// caller is who asks.
func (v *visit) caller() access.Caller { return v.signed.Caller }

// account is whose pages these are.
func (v *visit) account() ident.AccountID { return v.signed.Account.ID }

// may tells whether something can be offered; the services decide whether it is done.
func (v *visit) may(p access.Permission) bool { return v.signed.Caller.Permissions.Has(p) }

func (v *visit) user() ident.UserID     { return ident.UserID(v.values["user"]) }
func (v *visit) client() ident.ClientID { return ident.ClientID(v.values["client"]) }

// query reads a parameter of the address.
func (v *visit) query(name string) string { return v.request.URL.Query().Get(name) }

// field reads a field of the form, without the white space around it.
func (v *visit) field(name string) string { return strings.TrimSpace(v.form.Get(name)) }

// site is where the browser believes the console to be.
func (c *Console) site(v *visit) signin.Site {
	base := c.baseURL(v)
	u, err := url.Parse(base)
	if err != nil {
		return signin.Site{}
	}
	return signin.Site{Origin: u.Scheme + "://" + u.Host, Host: u.Hostname()}
}

// baseURL is the server's, without a slash at the end.
func (c *Console) baseURL(v *visit) string {
	if c.PublicURL != "" {
		return strings.TrimSuffix(c.PublicURL, "/")
	}
	scheme := "http://"
	if v.secure {
		scheme = "https://"
	}
	return scheme + v.request.Host
}

// ServeHTTP takes a request through to its answer.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{request: r, began: c.Now(), secure: server.IsSecure(r, c.TrustedProxies)}
	v.from = access.Caller{Address: server.ClientAddr(r, c.TrustedProxies), UserAgent: r.UserAgent()}
	rep, err := c.serve(v)
	if err != nil {
		rep = c.problem(v, err)
	}
	status := c.write(w, v, &rep)
	if rep.failed != nil {
		err = rep.failed
	}
	c.finish(v, status, err)
	if errors.Is(err, errBroken) {
		panic(http.ErrAbortHandler) // the browser must see that a download is not whole
	}
}

var (
	errNoRoute  = fault.NotFound("What you look for is not here, or not any more.")
	errNoMethod = &fault.Fault{Kind: fault.KindInvalid, Reason: reasonMethod, Message: "This page can't be used like that."}
	errOrigin   = &fault.Fault{Kind: fault.KindForbidden, Reason: reasonOrigin, Message: "The form was sent from another site than this console, so nothing was done. Open the page here and send it again."}
	errTooBig   = &fault.Fault{Kind: fault.KindInvalid, Reason: reasonBody, Message: "What was sent is too large."}
)

// serve is the way proper; the order of its lines matters.
func (c *Console) serve(v *visit) (rep reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx := v.request.Context()
	if v.from.RequestID, err = c.requestID(v.request); err != nil {
		v.from.RequestID = "unavailable" // randomness failed: answer all the same, by a defect
		return rep, err
	}
	if strings.HasPrefix(v.request.URL.Path, assets.Root) {
		return reply{asset: true}, nil
	}
	v.route, v.values, v.allow = c.find(v.request.Method, v.request.URL.EscapedPath())
	if v.route == nil && len(v.allow) > 0 {
		return rep, errNoMethod
	}
	if err := c.origins.Check(v.request); err != nil {
		f := *errOrigin
		f.Cause = err
		return rep, &f
	}
	if err := c.identify(ctx, v); err != nil {
		return rep, err
	}
	if err := c.meter(ctx, v); err != nil {
		return rep, err
	}
	switch {
	case v.route == nil:
		return rep, errNoRoute
	case !v.known && !v.route.open:
		return c.toDoor(v), nil
	}
	if err := v.readForm(); err != nil {
		return rep, err
	}
	return v.route.act(c, ctx, v)
}

// requestID keeps the client's id if it is fit to be shown (contract section 2).
func (c *Console) requestID(r *http.Request) (ident.RequestID, error) {
	if id, ok := ident.ParseRequestID(r.Header.Get("X-Request-Id")); ok {
		return id, nil
	}
	return ident.NewRequestID(c.Rand)
}

// identify finds out whose session this is, if it is one.
func (c *Console) identify(ctx context.Context, v *visit) error {
	token := v.sent(sessionBase)
	if token == "" {
		return nil // nobody is signed in
	}
	signed, err := c.SignIn.Authenticate(ctx, v.from, token)
	if err != nil && fault.KindOf(err) != fault.KindUnauthenticated {
		return err
	}
	if err == nil {
		v.signed, v.known = signed, true
	}
	return nil
}

// maxForm bounds what a browser sends, in bytes.
const maxForm = 96 << 10

// readForm reads the body of a form; other bodies are their handler's.
func (v *visit) readForm() error {
	if v.request.Method != http.MethodPost || isJSON(v.request) {
		return nil
	}
	v.request.Body = http.MaxBytesReader(nil, v.request.Body, maxForm)
	if err := v.request.ParseForm(); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return errTooBig
		}
		f := fault.Invalid("The form could not be read.")
		f.Cause = err
		return f
	}
	v.form = v.request.PostForm
	return nil
}

func isJSON(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}
