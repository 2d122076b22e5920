package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// ServeHTTP takes a request through the pipeline.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{request: r, began: a.Now()}
	c.caller = access.Caller{Address: server.ClientAddr(r, a.TrustedProxies), UserAgent: r.UserAgent()}
	var err error
	if c.caller.RequestID, err = a.requestID(r); err != nil {
		c.caller.RequestID = "unavailable" // randomness failed: answer all the same, by a defect
	}
	var rep reply
	if err == nil {
		rep, err = a.serve(c)
	}
	if err != nil {
		rep = problemReply(c, err)
	}
	status := a.write(w, c, rep)
	a.finish(c, status, err)
}

// requestID keeps the client's id if it is fit to be shown (contract section 2).
func (a *API) requestID(r *http.Request) (ident.RequestID, error) {
	if id, ok := ident.ParseRequestID(r.Header.Get("X-Request-Id")); ok {
		return id, nil
	}
	return ident.NewRequestID(a.Rand)
}

// serve is the pipeline proper: the order of its lines is the order of the contract
// (section 5): authentication, limit, permission, existence.
func (a *API) serve(c *call) (rep reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if err := capped(c.request); err != nil {
		return rep, err
	}
	c.match = a.router.find(c.request.Method, c.request.URL.EscapedPath())
	switch {
	case len(c.allow) == 0:
		return rep, errUnknownRoute
	case c.op == nil:
		return rep, errWrongMethod
	}
	ctx := admit.WithUntil(c.request.Context(), time.Now().Add(admit.RequestTime))
	if a.door == nil || c.op.Auth == Open {
		return a.work(ctx, c)
	}
	if err := a.door.enter(ctx, c); err != nil {
		return rep, err
	}
	rep, err = a.inPlace(ctx, c)
	if fault.KindOf(err) == fault.KindExhausted {
		a.door.slow(ctx, c)
	}
	return rep, err
}

// inPlace works on a request that has a place, and gives the place back.
func (a *API) inPlace(ctx context.Context, c *call) (reply, error) {
	defer a.door.leave(c)
	return a.work(ctx, c)
}

func (a *API) work(ctx context.Context, c *call) (rep reply, err error) {
	if err := a.authenticate(ctx, c); err != nil {
		return rep, err
	}
	a.door.learn(c)
	if err := a.meter(ctx, c); err != nil {
		return rep, err
	}
	return c.op.handle(a, ctx, c)
}

func (a *API) authenticate(ctx context.Context, c *call) error {
	switch c.op.Auth {
	case Bearer:
		return a.authenticateBearer(ctx, c)
	case Either:
		return a.authenticateEither(ctx, c)
	case Basic:
		return a.authenticateClient(ctx, c)
	}
	return nil
}

func (a *API) authenticateBearer(ctx context.Context, c *call) error {
	token, sent, err := authorization(c.request.Header, "Bearer")
	if !sent {
		f := fault.Unauthenticated("an access token is missing: send it as Authorization: Bearer TOKEN")
		f.Cause = errNoCredentials
		return f
	}
	return a.guarded(ctx, c, func() error {
		if err == nil && c.op.look != nil && oauth.WellFormed(token) {
			c.op.look(a, ctx, c)
		}
		if err == nil {
			c.caller, err = a.OAuth.Authenticate(ctx, c.caller, token, a.grants(c))
		}
		return err
	})
}

// authenticateClient reads the form and then the credentials: a request that is no
// form at all says nothing about who sent it.
func (a *API) authenticateClient(ctx context.Context, c *call) error {
	if err := checkFormType(c.request.Header.Get("Content-Type")); err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if c.form, err = readForm(body); err != nil {
		return err
	}
	encoded, sent, err := authorization(c.request.Header, "Basic")
	if !sent {
		return fault.Unauthenticated("client authentication is missing: send client id and client secret with HTTP Basic")
	}
	if c.form["client_secret"] != "" {
		return refuse(reasonInvalidRequest, "the client authenticates twice: leave client_secret out of the body")
	}
	return a.guarded(ctx, c, func() error {
		var creds oauth.Credentials
		if err == nil {
			creds, err = readBasic(encoded)
		}
		if err != nil {
			return a.refused(c, err)
		}
		if c.sender, err = a.OAuth.AuthenticateClient(ctx, c.caller, c.op.Action, creds); err != nil {
			return err
		}
		c.caller = c.sender.Caller(c.caller)
		return nil
	})
}

// guarded meters failed authentication by network address. An address that is known
// here to have used its failures up is refused before its credentials are looked at.
// Where limits are shared it may have used them up elsewhere: what its credentials were
// worth is told only when meter has asked (see SpendBehind). So guesses sent at once,
// through however many replicas, learn nothing beyond the limit.
func (a *API) guarded(ctx context.Context, c *call, authenticate func() error) error {
	c.guard = throttle.Key{Class: throttle.ClassAuthFailures, Subject: throttle.AddressSubject(c.caller.Address)}
	c.stranger = c.caller
	d, err := a.Limiter.Glance(ctx, c.guard, c.began)
	if err != nil {
		return err
	}
	if !d.Admitted {
		return a.limited(c, d)
	}
	failed := authenticate()
	if fault.KindOf(failed) != fault.KindUnauthenticated {
		return failed
	}
	d, err = a.Limiter.Spend(ctx, c.guard, c.began)
	if err != nil {
		return err
	}
	if !d.Admitted {
		return a.limited(c, d)
	}
	return failed
}

// meter counts a request against its caller's limits, if its address may still ask.
func (a *API) meter(ctx context.Context, c *call) error {
	if c.op.Class == 0 {
		return nil
	}
	key := throttle.Key{Class: c.op.Class, Subject: principal(c.caller)}
	d, guarded, err := a.Limiter.SpendBehind(ctx, c.guard, key, c.began)
	if err != nil {
		return err
	}
	if guarded {
		c.caller = c.stranger // as if it had been refused at once
		return a.limited(c, d)
	}
	c.decision = d
	if !d.Admitted {
		return a.limited(c, d)
	}
	return nil
}

// limited remembers a limit hit and says which limit, and when to come back.
func (a *API) limited(c *call, d throttle.Decision) error {
	e := audit.New(c.caller, c.caller.Account, c.op.Action, c.target(), audit.Limited, c.began)
	a.Journal.Note(e.With(d.Limit.String()))
	return fault.Exhausted(d.RetryAfter, "over the limit of %s: wait %d s", d.Limit, int(d.RetryAfter/time.Second))
}
