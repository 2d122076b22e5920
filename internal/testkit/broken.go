package testkit

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/httpapi"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
)

// Break takes the storage away from the API until Mend or Restart: all that a request
// asks of it fails as a disk that has gone bad does.
func (s *Server) Break() {
	s.Directory.Store, s.OAuth.Store = brokenDirectory{s.Store}, brokenOAuth{s.Store}
	s.mended = s.API.Looks
	s.API.Looks = brokenLooks{}
}

// Mend gives the storage back.
func (s *Server) Mend() {
	s.Directory.Store, s.OAuth.Store = s.Store, s.Store
	s.API.Looks = s.mended
}

// PrivateCause is in the errors of a broken storage, and never in an answer.
const PrivateCause = "disk I/O error (10)"

func unavailable() error {
	return fault.Unavailable(30*time.Second, errors.New(PrivateCause), "storage can't be used at the moment: try again later")
}

// brokenDirectory fails in what the API asks of a directory.Store.
type brokenDirectory struct{ directory.Store }

func (brokenDirectory) Append(context.Context, []audit.Entry) error { return unavailable() }

func (brokenDirectory) Page(context.Context, ident.AccountID, filter.Filter, page.Position, int) ([]directory.User, error) {
	return nil, unavailable()
}

func (brokenDirectory) User(context.Context, ident.AccountID, ident.UserID) (directory.User, error) {
	return directory.User{}, unavailable()
}

func (brokenDirectory) Change(context.Context, ident.AccountID, ident.UserID, func(directory.Standing) directory.Decision) (directory.Decision, error) {
	return directory.Decision{}, unavailable()
}

// brokenOAuth fails in what the API asks of an oauth.Store.
type brokenOAuth struct{ oauth.Store }

func (brokenOAuth) Client(context.Context, ident.ClientID) (oauth.Client, error) {
	return oauth.Client{}, unavailable()
}

func (brokenOAuth) Grant(context.Context, oauth.Hash) (oauth.Grant, error) {
	return oauth.Grant{}, unavailable()
}

// brokenLooks fails in what the API asks of a look.
type brokenLooks struct{}

// LookAtUser implements httpapi.Looks.
func (brokenLooks) LookAtUser(ident.AccountID, ident.UserID) httpapi.Look { return brokenLook{} }

// LookAtPage implements httpapi.Looks.
func (brokenLooks) LookAtPage(ident.AccountID, page.Cursor, int) httpapi.Look { return brokenLook{} }

type brokenLook struct {
	brokenOAuth
	brokenDirectory
}
