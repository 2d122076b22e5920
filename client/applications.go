package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/rollcall-id/rollcall/api"
)

// Application is an OAuth application of the account. It holds no secret.
type Application = api.OAuthClient

// ApplicationState says whether an application may be used.
type ApplicationState = api.OAuthClientState

// ApplicationSecret tells of a client secret of an application all but its text.
type ApplicationSecret = api.OAuthClientSecret

// The states of an application.
const (
	ApplicationEnabled  = api.OAuthClientEnabled
	ApplicationDisabled = api.OAuthClientDisabled
)

// NewApplication is what an application is created from: a name and permissions,
// and a description and a redirect URL where they are wanted.
type NewApplication = api.NewOAuthClient

// ApplicationPatch names what to change of an application; what is nil stays. Take
// the address of a value with new: ApplicationPatch{Name: new("Alarm bridge")}.
type ApplicationPatch = api.OAuthClientPatch

// Credentials are an application and its new client secret, which the server tells
// this once: keep it before anything else. What prints or logs Credentials gets
// "[redacted]" for the secret; Secret.Reveal tells it.
type Credentials struct {
	Application Application
	Secret      Secret
}

// ApplicationsService manages the OAuth applications of the account. It is served
// by rollcall, on v1 whatever Config.APIVersion says; the published service has no
// such API and answers ErrUnknownRoute.
//
// Reading needs the permission oauth_clients.read; changing needs
// oauth_clients.write, and that the application holds no permission which the
// client's own lacks. Otherwise the error is ErrPermissionDenied.
//
// A client that disables, deletes or rotates its own application locks itself out:
// after a rotation, make another client with the new secret.
//
// # What is repeated and what not
//
// All calls but Create and RotateSecret have the same effect when they are
// repeated, and are retried as those on people are. Create and RotateSecret are
// sent again only where the request can't have been carried out: after a 429, a
// refused token, or a connection that was not made. Otherwise, when an answer is
// lost or a proxy answers 502, the error is ErrOutcomeUnknown at once.
type ApplicationsService struct{ client *Client }

// Get returns one application. ErrNotFound for one that is unknown or of another
// account.
func (s *ApplicationsService) Get(ctx context.Context, id string) (Application, error) {
	return s.one(ctx, "get", s.read(id), id)
}

// Create adds an application and returns it with its client secret.
//
// On ErrOutcomeUnknown there may be an application whose secret nobody knows: look
// for the name with All, delete what you find, and create again. Names need not be
// unique, so creating again at once could leave two.
func (s *ApplicationsService) Create(ctx context.Context, a NewApplication) (Credentials, error) {
	r := call{method: http.MethodPost, target: s.client.routes.applications, pacer: s.client.pacers.writes, once: true}
	c, err := s.issued(ctx, r, a)
	if err != nil {
		return Credentials{}, fmt.Errorf("client: create application %q: %w", printable(a.Name), err)
	}
	return c, nil
}

// Update changes what the patch names and returns the application as it is then.
// What it may do changes with its next request.
func (s *ApplicationsService) Update(ctx context.Context, id string, p ApplicationPatch) (Application, error) {
	r := s.write(http.MethodPatch, id, "")
	body, err := json.Marshal(p)
	if err != nil {
		return Application{}, fmt.Errorf("client: update application %s: %w", printable(id), err)
	}
	r.body = body
	return s.one(ctx, "update", r, id)
}

// RotateSecret makes a new client secret and returns it. The secrets before go on
// working for the overlap, whole seconds up to 7 days, and the tokens that were got
// with them end with them; an overlap of 0 ends both at once.
//
// On ErrOutcomeUnknown there may be a new secret that nobody knows, and those before
// may have begun to end: rotate again. With an overlap nothing is lost by that; up
// to ten secrets work at once.
func (s *ApplicationsService) RotateSecret(ctx context.Context, id string, overlap time.Duration) (Credentials, error) {
	r := s.write(http.MethodPost, id, ":rotate-secret")
	r.once = true
	c, err := Credentials{}, checkID(id)
	if err == nil && (overlap < 0 || overlap%time.Second != 0) {
		err = fmt.Errorf("%w: the overlap %s must be whole seconds from 0s to 168h", ErrInvalidArgument, overlap)
	}
	if err == nil {
		c, err = s.issued(ctx, r, api.OAuthClientRotation{Overlap: strconv.FormatInt(int64(overlap/time.Second), 10) + "s"})
	}
	if err != nil {
		return Credentials{}, fmt.Errorf("client: rotate the secret of application %s: %w", printable(id), err)
	}
	return c, nil
}

// Disable refuses the application's secrets and tokens until it is enabled again.
func (s *ApplicationsService) Disable(ctx context.Context, id string) (Application, error) {
	return s.one(ctx, "disable", s.write(http.MethodPost, id, ":disable"), id)
}

// Enable lets a disabled application in again, also with those of its tokens that
// have not expired meanwhile.
func (s *ApplicationsService) Enable(ctx context.Context, id string) (Application, error) {
	return s.one(ctx, "enable", s.write(http.MethodPost, id, ":enable"), id)
}

// RevokeTokens ends all access tokens of the application. Its secrets go on working.
func (s *ApplicationsService) RevokeTokens(ctx context.Context, id string) (Application, error) {
	return s.one(ctx, "revoke the tokens of", s.write(http.MethodPost, id, "/tokens:revoke"), id)
}

// Delete removes the application for good; its secrets and tokens end at once.
// ErrNotFound where there was none; where an answer was lost and the retry finds
// nothing, it is deleted and the error nil.
func (s *ApplicationsService) Delete(ctx context.Context, id string) error {
	r := s.write(http.MethodDelete, id, "")
	r.ends = true
	err := checkID(id)
	if err == nil {
		err = s.client.resource(ctx, r, nil)
	}
	if err != nil {
		return fmt.Errorf("client: delete application %s: %w", printable(id), err)
	}
	return nil
}

func (s *ApplicationsService) read(id string) call {
	return call{method: http.MethodGet, target: s.target(id), pacer: s.client.pacers.reads}
}

func (s *ApplicationsService) write(method, id, suffix string) call {
	return call{method: method, target: s.target(id) + suffix, pacer: s.client.pacers.writes}
}

func (s *ApplicationsService) target(id string) string {
	return s.client.routes.applications + "/" + url.PathEscape(id)
}

// one makes a call that answers with the application.
func (s *ApplicationsService) one(ctx context.Context, verb string, r call, id string) (Application, error) {
	var a Application
	err := checkID(id)
	if err == nil {
		err = s.client.resource(ctx, r, &a)
	}
	if err == nil && a.ID == "" {
		err = fmt.Errorf("%w: an application without an id: check the base URL", ErrUnexpected)
	}
	if err != nil {
		return Application{}, fmt.Errorf("client: %s application %s: %w", verb, printable(id), err)
	}
	return a, nil
}

var errNoSecret = fmt.Errorf("%w: an application without an id or without its secret: check the base URL", ErrUnexpected)

// issued makes a call that answers with a new secret. One that can't be read is
// lost, and what was asked for is done all the same.
func (s *ApplicationsService) issued(ctx context.Context, r call, send any) (Credentials, error) {
	body, err := json.Marshal(send)
	if err != nil {
		return Credentials{}, err
	}
	r.body = body
	var a api.NewOAuthClientSecret
	if err := s.client.resource(ctx, r, &a); err != nil {
		return Credentials{}, err
	}
	if a.ID == "" || a.ClientSecret == "" {
		return Credentials{}, fmt.Errorf("%w: %w", ErrOutcomeUnknown, errNoSecret)
	}
	return Credentials{Application: a.OAuthClient, Secret: NewSecret(a.ClientSecret)}, nil
}
