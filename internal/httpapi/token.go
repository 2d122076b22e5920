package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

func (a *API) issueToken(ctx context.Context, c *call) (reply, error) {
	if err := checkTokenRequest(c); err != nil {
		return reply{}, a.refused(c, err)
	}
	issued, err := a.OAuth.Issue(ctx, c.caller, c.sender)
	if err != nil {
		return reply{}, err
	}
	a.door.learnToken(c, issued.AccessToken)
	return answer(api.TokenResponse{
		AccessToken: issued.AccessToken, TokenType: api.TokenTypeBearer,
		ExpiresIn: int64(issued.ExpiresIn / time.Second), Scope: oauth.Scope,
	}), nil
}

func checkTokenRequest(c *call) error {
	if err := sameClient(c); err != nil {
		return err
	}
	return checkGrant(c.form)
}

func checkGrant(f form) error {
	switch grant := f["grant_type"]; grant {
	case api.GrantClientCredentials:
	case "":
		return refuse(reasonInvalidRequest, "grant_type is missing: it must be client_credentials")
	default:
		return refuse(reasonUnsupportedGrantType, "grant_type must be client_credentials")
	}
	for scope := range strings.FieldsSeq(f["scope"]) {
		if scope != oauth.Scope {
			return refuse(reasonInvalidScope, "scope must be absent or %s: permissions are set on the application", oauth.Scope)
		}
	}
	return nil
}

func (a *API) revokeToken(ctx context.Context, c *call) (reply, error) {
	if err := sameClient(c); err != nil {
		return reply{}, a.refused(c, err)
	}
	token := c.form["token"]
	if token == "" {
		return reply{}, a.refused(c, refuse(reasonInvalidRequest, "token is missing"))
	}
	if err := a.OAuth.Revoke(ctx, c.caller, c.sender, token); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK}, nil
}

// sameClient lets a client_id in the body repeat the header's, and nothing else.
func sameClient(c *call) error {
	if id := c.form["client_id"]; id != "" && id != string(c.caller.Client) {
		return refuse(reasonInvalidRequest, "client_id differs from the one in the Authorization header")
	}
	return nil
}

// refused remembers what an application got wrong, or a stranger whose failures are
// metered. What nobody meters is not written down: it could fill the record at will.
func (a *API) refused(c *call, err error) error {
	e := audit.New(c.caller, c.caller.Account, c.op.Action, string(c.user), audit.Refused, c.began)
	a.Journal.Note(e.With(err.Error()))
	return err
}
