package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

func (a *API) issueToken(ctx context.Context, c *call) (reply, error) {
	if err := checkGrant(c.form); err != nil {
		return reply{}, err
	}
	issued, err := a.OAuth.Issue(ctx, c.caller, c.client)
	if err != nil {
		return reply{}, err
	}
	return answer(api.TokenResponse{
		AccessToken: issued.AccessToken, TokenType: api.TokenTypeBearer,
		ExpiresIn: int64(issued.ExpiresIn / time.Second), Scope: oauth.Scope,
	}), nil
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
	token := c.form["token"]
	if token == "" {
		return reply{}, refuse(reasonInvalidRequest, "token is missing")
	}
	if err := a.OAuth.Revoke(ctx, c.caller, c.client, token); err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK}, nil
}
