package httpapi

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/server"
)

// authenticateEither takes a token, or else the session of somebody at the console. A token
// that was sent decides alone, even if it does not count. A cookie is sent by browsers without
// being asked, so it counts only in requests that a page of this origin has made.
func (a *API) authenticateEither(ctx context.Context, c *call) error {
	_, sent := c.request.Header["Authorization"]
	session := server.SessionToken(c.request, a.TrustedProxies)
	if sent || session == "" || a.SignIn == nil || !server.IsSameOrigin(c.request, a.TrustedProxies) {
		return a.authenticateBearer(ctx, c)
	}
	return a.guarded(ctx, c, func() error {
		signed, err := a.SignIn.Authenticate(ctx, c.caller, session)
		if err != nil {
			return withoutToken(err)
		}
		c.caller = signed.Caller
		return nil
	})
}

// withoutToken marks a refusal as one of a request that had no token (RFC 6750 section 3.1).
func withoutToken(err error) error {
	f := fault.As(err)
	if f == nil || f.Kind != fault.KindUnauthenticated {
		return err
	}
	marked := *f
	marked.Cause = errNoCredentials
	return &marked
}

// principal names who is metered: ids of people are unique within their account alone.
func principal(c access.Caller) string {
	if c.Kind == access.Person {
		return "person:" + string(c.Account) + ":" + string(c.User)
	}
	return string(c.Client)
}
