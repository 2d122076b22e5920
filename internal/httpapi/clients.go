package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// The management of OAuth applications. On the wire they are "oauth-clients"; an
// application that is not there is not_found, as a user is.

func (a *API) listClients(ctx context.Context, c *call) (reply, error) {
	q, err := clientQuery(c.request.URL.RawQuery)
	if err != nil {
		return reply{}, a.unlessDenied(ctx, c, err)
	}
	apps, next, err := a.OAuth.Page(ctx, c.caller, c.account, q)
	if err != nil {
		return reply{}, err
	}
	list := make([]api.OAuthClient, len(apps))
	for i := range apps {
		list[i] = wireClient(apps[i])
	}
	return answer(api.ListOAuthClientsResponse{Results: list, NextPageToken: next}), nil
}

func (a *API) createClient(ctx context.Context, c *call) (reply, error) {
	p, err := c.patch()
	if err != nil {
		return reply{}, a.unlessDenied(ctx, c, err)
	}
	app := oauth.Application{Account: c.account}
	p.Apply(&app)
	app, secret, err := a.OAuth.Create(ctx, c.caller, app, oauth.ClientSecret{})
	return secretReply(app, secret, err)
}

func (a *API) getClient(ctx context.Context, c *call) (reply, error) {
	return clientReply(a.OAuth.Get(ctx, c.caller, c.account, c.client))
}

func (a *API) updateClient(ctx context.Context, c *call) (reply, error) {
	p, err := c.patch()
	if err != nil {
		return reply{}, a.unlessDenied(ctx, c, err)
	}
	return clientReply(a.OAuth.Update(ctx, c.caller, c.account, c.client, p))
}

// deleteClient answers 204: there is nothing left to tell of.
func (a *API) deleteClient(ctx context.Context, c *call) (reply, error) {
	if err := c.noBody(); err != nil {
		return reply{}, a.unlessDenied(ctx, c, err)
	}
	if err := a.OAuth.Delete(ctx, c.caller, c.account, c.client); err != nil {
		return reply{}, clientFault(err)
	}
	return reply{status: http.StatusNoContent}, nil
}

func (a *API) rotateClientSecret(ctx context.Context, c *call) (reply, error) {
	overlap, err := c.overlap()
	if err != nil {
		return reply{}, a.unlessDenied(ctx, c, err)
	}
	app, secret, err := a.OAuth.Rotate(ctx, c.caller, c.account, c.client, overlap)
	return secretReply(app, secret, err)
}

func (a *API) disableClient(ctx context.Context, c *call) (reply, error) {
	return a.switchClient(ctx, c, oauth.Disabled)
}

func (a *API) enableClient(ctx context.Context, c *call) (reply, error) {
	return a.switchClient(ctx, c, oauth.Enabled)
}

func (a *API) switchClient(ctx context.Context, c *call, state oauth.ApplicationState) (reply, error) {
	if err := c.noBody(); err != nil {
		return reply{}, a.unlessDenied(ctx, c, err)
	}
	app, _, err := a.OAuth.SetState(ctx, c.caller, c.account, c.client, state)
	return clientReply(app, err)
}

func (a *API) revokeClientTokens(ctx context.Context, c *call) (reply, error) {
	if err := c.noBody(); err != nil {
		return reply{}, a.unlessDenied(ctx, c, err)
	}
	return clientReply(a.OAuth.RevokeTokens(ctx, c.caller, c.account, c.client))
}

// clientQuery turns parameters into the question oauth is asked; there is no filter.
func clientQuery(raw string) (oauth.ListQuery, error) {
	q, err := readQuery(raw, false)
	if err != nil {
		return oauth.ListQuery{}, err
	}
	size, err := q.pageSize()
	return oauth.ListQuery{Size: size, PageToken: q.token}, err
}

// patch reads the fields that a client may set: no other can be named, so that none can
// be set by the way.
func (c *call) patch() (oauth.Patch, error) {
	var p oauth.Patch
	body, err := c.body()
	if err != nil {
		return p, err
	}
	o, err := readObject(body, "name", "description", "redirect_url", "permissions")
	if err != nil {
		return p, err
	}
	for _, f := range []struct {
		name string
		to   **string
	}{{"name", &p.Name}, {"description", &p.Description}, {"redirect_url", &p.RedirectURL}} {
		if *f.to, err = o.textOf(f.name); err != nil {
			return p, err
		}
	}
	names, sent, err := o.listOf("permissions")
	if err != nil || !sent {
		return p, err
	}
	set, err := access.ParseSet(names)
	p.Permissions = &set
	return p, err
}

// overlap reads how long the old secrets go on working: nothing said is not at all.
func (c *call) overlap() (time.Duration, error) {
	body, err := c.body()
	if err != nil || compact(body) == "" {
		return 0, err
	}
	o, err := readObject(body, "overlap")
	if err != nil {
		return 0, err
	}
	text, err := o.textOf("overlap")
	if err != nil || text == nil || *text == "" {
		return 0, err
	}
	digits, ok := strings.CutSuffix(*text, "s")
	seconds, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || time.Duration(seconds)*time.Second > oauth.MaxOverlap {
		return 0, fault.Invalid("overlap must be whole seconds from 0s to %ds, such as 3600s", int(oauth.MaxOverlap/time.Second))
	}
	return time.Duration(seconds) * time.Second, nil
}

func clientReply(app oauth.Application, err error) (reply, error) {
	if err != nil {
		return reply{}, clientFault(err)
	}
	return answer(wireClient(app)), nil
}

// secretReply is the only answer that holds a client secret; as every answer to a bearer
// it is not to be stored by caches.
func secretReply(app oauth.Application, secret oauth.ClientSecret, err error) (reply, error) {
	if err != nil {
		return reply{}, clientFault(err)
	}
	return answer(api.NewOAuthClientSecret{OAuthClient: wireClient(app), ClientSecret: secret.Reveal()}), nil
}

// clientFault puts the contract's word in place of ours, which is for operators.
func clientFault(err error) error {
	if fault.KindOf(err) != fault.KindNotFound {
		return err
	}
	f := fault.NotFound(api.MessageNotFound)
	f.Cause = err
	return f
}

var wireStates = map[oauth.ApplicationState]api.OAuthClientState{
	oauth.Enabled: api.OAuthClientEnabled, oauth.Disabled: api.OAuthClientDisabled,
}

func wireClient(a oauth.Application) api.OAuthClient {
	c := api.OAuthClient{
		ID: string(a.ID), Name: a.Name, Description: a.Description, RedirectURL: a.RedirectURL, State: wireStates[a.State],
		CreateTime: api.Timestamp{Time: a.CreateTime}, Path: ident.ClientPath(a.Account, a.ID),
		Permissions: []api.Permission{}, Secrets: []api.OAuthClientSecret{},
	}
	for _, name := range access.AllOf(a.Permissions) {
		c.Permissions = append(c.Permissions, api.Permission(name))
	}
	for _, s := range a.Secrets {
		c.Secrets = append(c.Secrets, api.OAuthClientSecret{
			ID: string(s.ID), CreateTime: api.Timestamp{Time: s.CreateTime},
			ExpireTime: optional(s.ExpireTime), LastUsedTime: optional(s.LastUsedTime),
		})
	}
	return c
}

// optional is a time that may be none.
func optional(t time.Time) *api.Timestamp {
	if t.IsZero() {
		return nil
	}
	return &api.Timestamp{Time: t}
}
