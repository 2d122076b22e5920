package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/rollcall-id/rollcall/internal/console/assets"
	"github.com/rollcall-id/rollcall/internal/server"
)

// reply is an answer before it is written. One of page, to, value, stream and asset is set.
type reply struct {
	status     int             // 0 = 200, or 303 for to
	page       templ.Component // a page
	to         string          // where the browser goes now
	value      any             // JSON for the script
	stream     func(io.Writer) error
	file       string // name of what is streamed
	asset      bool
	secret     bool // holds what is shown once
	cookies    []*http.Cookie
	retryAfter int
	allow      []string
	refresh    string // where the browser goes by itself, elsewhere

	failed error // what went wrong while it was written
}

// show is a page.
func show(page templ.Component) (reply, error) { return reply{page: page}, nil }

// again is a form that came back.
func again(page templ.Component) (reply, error) {
	return reply{page: page, status: http.StatusUnprocessableEntity}, nil
}

// goTo is another place.
func goTo(to string) (reply, error) { return reply{to: to}, nil }

// errBroken says that an answer ended before its end.
var errBroken = errors.New("console: the answer is not whole")

// policy is the Content-Security-Policy of every page: all that is loaded is ours, there is no
// inline code or style, and nobody frames us. What is said of data: is for the browser's own
// controls.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func (c *Console) headers(h http.Header, v *visit, r *reply) {
	h.Set("X-Request-Id", string(v.from.RequestID))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers that don't know frame-ancestors
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	if server.IsSecure(v.request, c.TrustedProxies) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if !r.asset {
		h.Set("Cache-Control", "no-store")
	}
	if r.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(r.retryAfter))
	}
	if r.refresh != "" {
		h.Set("Refresh", "0; url="+r.refresh)
	}
	for _, m := range r.allow {
		h.Add("Allow", m)
	}
}

// write is the only place that touches the ResponseWriter.
func (c *Console) write(w http.ResponseWriter, v *visit, r *reply) int {
	if r.asset {
		c.headers(w.Header(), v, r)
		if assets.Serve(w, v.request) {
			return http.StatusOK
		}
		*r = c.problem(v, errNoRoute)
	}
	body, kind, err := r.body(v)
	if err != nil {
		r.failed = err
		*r = c.problem(v, err)
		r.failed = err
		body, kind, _ = r.body(v)
	}
	h := w.Header()
	c.headers(h, v, r)
	for _, c := range r.cookies {
		http.SetCookie(w, c)
	}
	status := r.code()
	if r.stream != nil {
		return c.writeStream(w, r)
	}
	if r.to != "" {
		h.Set("Location", r.to)
	}
	if len(body) > 0 {
		h.Set("Content-Type", kind)
		h.Add("Vary", "Accept-Encoding")
		// What is shown once is not compressed together with text that somebody chose: its length
		// would tell of it.
		if !r.secret && assets.Accepts(v.request) {
			h.Set("Content-Encoding", "gzip")
			body = assets.Pack(body)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if v.request.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that has gone is not our failure
	}
	return status
}

func (r *reply) code() int {
	switch {
	case r.status != 0:
		return r.status
	case r.to != "":
		return http.StatusSeeOther
	}
	return http.StatusOK
}

// body is complete before the first header is written.
func (r *reply) body(v *visit) ([]byte, string, error) {
	switch {
	case r.page != nil:
		var b bytes.Buffer
		err := r.page.Render(v.request.Context(), &b)
		return b.Bytes(), "text/html; charset=utf-8", err
	case r.value != nil:
		b, err := json.Marshal(r.value)
		return b, "application/json", err
	}
	return nil, "", nil
}

// writeStream sends what is too long to be kept whole.
func (*Console) writeStream(w http.ResponseWriter, r *reply) int {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="`+r.file+`"`)
	w.WriteHeader(http.StatusOK)
	if err := r.stream(w); err != nil {
		r.failed = errors.Join(errBroken, err)
	}
	return http.StatusOK
}
