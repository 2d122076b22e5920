package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

const defaultAttemptTimeout = 30 * time.Second

func defaultRand() float64 { return rand.Float64() } //nolint:gosec // spreads retries, protects nothing

// Client calls the Users API for one OAuth application. Make it with [New], share
// it, and end it with [Client.Close].
type Client struct {
	// Users lists people and ends or gives back their access.
	Users *UsersService
	// Applications manages OAuth applications, where the server is rollcall.
	Applications *ApplicationsService
	// Tokens issues and revokes access tokens; other calls need none of it.
	Tokens *TokensService

	config  Config
	http    *http.Client
	endIdle func()
	routes  routes
	source  *source
	pacers  pacers
}

// routes are the URLs of the operations (contract section 1).
type routes struct{ token, revoke, users, applications string }

func newRoutes(origin string, c Config) routes {
	base := origin + "/" + string(c.APIVersion)
	r := routes{
		token: base + "/oauth/token", revoke: base + "/oauth/revoke",
		users: base + "/accounts/" + url.PathEscape(c.AccountID) + "/users",
		// The preview has no management: it is of v1, whatever users are asked for by.
		applications: origin + "/" + string(V1) + "/accounts/" + url.PathEscape(c.AccountID) + "/oauth-clients",
	}
	if c.APIVersion == V1Beta1 {
		r.token, r.revoke = base+"/users/oauth2/token", base+"/users/oauth2/revoke"
	}
	return r
}

// New checks the configuration and makes a client. It sends nothing: the first
// call asks for a token.
func New(config Config) (*Client, error) {
	origin, err := config.origin()
	if err != nil {
		return nil, err
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	c := &Client{config: config.withDefaults()}
	if c.http, c.endIdle, err = newHTTPClient(config); err != nil {
		return nil, err
	}
	c.routes = newRoutes(origin, c.config)
	c.source = newSource(c.config.Now, c.issue)
	c.pacers = newPacers(config.Pacing, c.config.Now)
	c.Users, c.Applications, c.Tokens = &UsersService{c}, &ApplicationsService{c}, &TokensService{c}
	return c, nil
}

// closeTimeout bounds Close: a program that ends is in a hurry, and a token that is
// not revoked lives for minutes only.
const closeTimeout = 10 * time.Second

// Close revokes the client's access token and ends its connections, in at most 10
// seconds. Later calls fail with ErrClosed; end those under way before, or
// they fail too. What can't be revoked expires by itself; the error says why. Give
// it a context of its own where the program's may have ended.
func (c *Client) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	var errs []error
	for _, token := range c.source.close() {
		errs = append(errs, c.Tokens.Revoke(ctx, token))
	}
	c.endIdle()
	return errors.Join(errs...)
}
