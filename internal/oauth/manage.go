package oauth

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Bounds of an application's fields (contract section 7), in characters.
const (
	MaxName        = 100
	MaxDescription = 1000
	MaxRedirectURL = 2000
	MaxOverlap     = 7 * 24 * time.Hour
)

// ValidateRedirectURL accepts an absolute https URL of a public host (contract
// section 7), or nothing.
func ValidateRedirectURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case len(s) > MaxRedirectURL:
		return fault.Invalid("redirect_url is longer than %d characters", MaxRedirectURL)
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return fault.Invalid("redirect_url must be an https URL with a host and without user or fragment")
	case isLocal(u.Hostname()):
		return fault.Invalid("redirect_url must not be on localhost")
	}
	return nil
}

func isLocal(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.Unmap().IsLoopback() || addr.IsUnspecified())
}

// Validate tells what is wrong with an application, if anything is.
func (a Application) Validate() error {
	if err := ident.ValidateText("the application's name", a.Name, MaxName, false); err != nil {
		return err
	}
	if err := ident.ValidateText("description", a.Description, MaxDescription, true); err != nil {
		return err
	}
	if a.Permissions == 0 {
		return fault.Invalid("an application needs at least one permission: %s", access.All)
	}
	if err := ident.ValidateGiven("client id", string(a.ID)); err != nil {
		return err
	}
	return ValidateRedirectURL(a.RedirectURL)
}

// Create adds an application. An empty id and an empty secret are made; the secret
// is in the answer and never to be had again.
func (s *Service) Create(ctx context.Context, c access.Caller, a Application, given ClientSecret) (Application, ClientSecret, error) {
	if err := c.OnlyLocal(); err != nil {
		return a, ClientSecret{}, err
	}
	a.State, a.CreateTime = Enabled, s.now()
	if a.ID == "" {
		id, err := ident.NewClientID(s.Rand)
		if err != nil {
			return a, ClientSecret{}, err
		}
		a.ID = id
	}
	if err := a.Validate(); err != nil {
		return a, ClientSecret{}, err
	}
	clear, stored, err := s.newSecret(a.ID, given, a.CreateTime)
	if err != nil {
		return a, ClientSecret{}, err
	}
	e := audit.New(c, a.Account, audit.ApplicationCreate, string(a.ID), audit.Done, a.CreateTime).
		With(fmt.Sprintf("%s: %s", a.Name, a.Permissions))
	return a, clear, s.Store.CreateApplication(ctx, a, stored, e)
}

func (s *Service) newSecret(client ident.ClientID, clear ClientSecret, now time.Time) (ClientSecret, Secret, error) {
	var err error
	if clear == (ClientSecret{}) {
		if clear, err = NewClientSecret(s.Rand); err != nil {
			return clear, Secret{}, err
		}
	}
	id, err := ident.NewEntryID(now, s.Rand)
	return clear, Secret{ID: id, Client: client, Hash: clear.Hash(), CreateTime: now}, err
}

// List returns an account's applications.
func (s *Service) List(ctx context.Context, c access.Caller, account ident.AccountID) ([]Application, error) {
	if err := c.OnlyLocal(); err != nil {
		return nil, err
	}
	return s.Store.Applications(ctx, account)
}

// Rotate makes a new secret; the ones before work on for overlap (0 to MaxOverlap).
// Tokens obtained with a secret end with it.
func (s *Service) Rotate(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID, overlap time.Duration) (ClientSecret, error) {
	if err := c.OnlyLocal(); err != nil {
		return ClientSecret{}, err
	}
	if overlap < 0 || overlap > MaxOverlap {
		return ClientSecret{}, fault.Invalid("overlap must be between 0s and %s", MaxOverlap)
	}
	now := s.now()
	clear, stored, err := s.newSecret(id, ClientSecret{}, now)
	if err != nil {
		return ClientSecret{}, err
	}
	e := audit.New(c, account, audit.ApplicationRotate, string(id), audit.Done, now).With("overlap " + overlap.String())
	if err := s.Store.AddSecret(ctx, account, stored, now.Add(overlap), e); err != nil {
		return ClientSecret{}, err
	}
	return clear, nil
}

// SetState enables or disables an application and reports whether that changed anything.
func (s *Service) SetState(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID, state ApplicationState) (bool, error) {
	if err := c.OnlyLocal(); err != nil {
		return false, err
	}
	action := audit.ApplicationEnable
	if state == Disabled {
		action = audit.ApplicationDisable
	}
	return s.Store.SetApplicationState(ctx, account, id, state, audit.New(c, account, action, string(id), audit.Done, s.now()))
}

// Delete removes an application; its secrets and tokens end at once.
func (s *Service) Delete(ctx context.Context, c access.Caller, account ident.AccountID, id ident.ClientID) error {
	if err := c.OnlyLocal(); err != nil {
		return err
	}
	return s.Store.DeleteApplication(ctx, account, id, audit.New(c, account, audit.ApplicationDelete, string(id), audit.Done, s.now()))
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Verify returns the application whose live secret this is; Unauthenticated if there
// is none. It is for whoever holds the database and counts as no use of the secret.
func (s *Service) Verify(ctx context.Context, id ident.ClientID, secret ClientSecret) (Identity, error) {
	client, err := s.client(ctx, id)
	if err != nil {
		return Identity{}, err
	}
	if _, ok := client.check(secret.Reveal(), s.Now()); !ok {
		return Identity{}, invalidClient()
	}
	return client.Identity, nil
}
