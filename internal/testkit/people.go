package testkit

import (
	"context"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// AddAccount adds an account; what is left out is made.
func (s *Server) AddAccount(a directory.Account) directory.Account {
	s.t.Helper()
	if a.Name == "" {
		a.Name = "Example"
	}
	a, err := s.Directory.CreateAccount(context.Background(), operator, a)
	if err != nil {
		s.t.Fatalf("testkit: add an account: %v", err)
	}
	return a
}

// CloseAccount closes an account: nothing authenticates in it any more.
func (s *Server) CloseAccount(id ident.AccountID) {
	s.t.Helper()
	if err := s.Directory.SetAccountState(context.Background(), operator, id, directory.Closed); err != nil {
		s.t.Fatalf("testkit: close account %s: %v", id, err)
	}
}

// AddUser adds a person and returns them complete. Left out: the account is the
// server's first, the address is made of the id, the name is the address, and the
// rest is as directory.Service.Complete has it.
func (s *Server) AddUser(u directory.User) directory.User {
	s.t.Helper()
	return s.AddUsers(u)[0]
}

// AddUsers adds people of one account in one go, as AddUser does.
func (s *Server) AddUsers(users ...directory.User) []directory.User {
	s.t.Helper()
	users = slices.Clone(users)
	for i := range users {
		s.complete(&users[i])
	}
	all := func(yield func(directory.User, error) bool) {
		for _, u := range users {
			if !yield(u, nil) {
				return
			}
		}
	}
	if _, err := s.Directory.AddUsers(context.Background(), operator, users[0].Account, all); err != nil {
		s.t.Fatalf("testkit: add users: %v", err)
	}
	return users
}

func (s *Server) complete(u *directory.User) {
	s.t.Helper()
	if u.Account == "" {
		u.Account = ident.AccountID(s.Account)
	}
	if u.ID == "" {
		id, err := ident.NewUserID(s.options.Rand)
		if err != nil {
			s.t.Fatalf("testkit: make a user id: %v", err)
		}
		u.ID = id
	}
	if u.Email == "" {
		u.Email = ident.Email(u.ID) + "@example.com"
	}
	if u.DisplayName == "" {
		u.DisplayName = string(u.Email)
	}
	if err := s.Directory.Complete(u, s.now()); err != nil {
		s.t.Fatalf("testkit: complete user %s: %v", u.ID, err)
	}
}

// ActiveOwners counts an account's owners whose state is ACTIVE.
func (s *Server) ActiveOwners(account ident.AccountID) int {
	s.t.Helper()
	n := 0
	err := s.Directory.EachUser(context.Background(), operator, account, func(u directory.User) bool {
		if u.State == directory.Active && slices.Contains(u.Groups, directory.Owners) {
			n++
		}
		return true
	})
	if err != nil {
		s.t.Fatalf("testkit: count owners of %s: %v", account, err)
	}
	return n
}

// Application is an OAuth client with its secret in clear.
type Application struct {
	ID      ident.ClientID
	Account ident.AccountID
	Secret  string
}

// AddApplication adds an application of the first account; without permissions named
// it has all of them.
func (s *Server) AddApplication(permissions ...access.Permission) Application {
	s.t.Helper()
	return s.AddApplicationTo(ident.AccountID(s.Account), permissions...)
}

// AddApplicationTo adds an application of an account.
func (s *Server) AddApplicationTo(account ident.AccountID, permissions ...access.Permission) Application {
	s.t.Helper()
	var set access.Set
	for _, p := range permissions {
		set |= access.Set(p)
	}
	if set == 0 {
		set = access.All
	}
	return s.AddClient(oauth.Application{Account: account, Name: "Example", Permissions: set}, "")
}

// AddClient adds an application as it is described; an empty id or secret is made.
func (s *Server) AddClient(a oauth.Application, secret string) Application {
	s.t.Helper()
	var given oauth.ClientSecret
	if secret != "" {
		given = oauth.GivenSecret(secret)
	}
	a, clear, err := s.OAuth.Create(context.Background(), operator, a, given)
	if err != nil {
		s.t.Fatalf("testkit: add an application: %v", err)
	}
	s.secrets.add(clear.Reveal())
	return Application{ID: a.ID, Account: a.Account, Secret: clear.Reveal()}
}

// Rotate gives the application a new secret; the old one works on for overlap.
func (s *Server) Rotate(app Application, overlap time.Duration) Application {
	s.t.Helper()
	_, clear, err := s.OAuth.Rotate(context.Background(), operator, app.Account, app.ID, overlap)
	if err != nil {
		s.t.Fatalf("testkit: rotate the secret of %s: %v", app.ID, err)
	}
	app.Secret = clear.Reveal()
	s.secrets.add(app.Secret)
	return app
}

// Disable switches the application off.
func (s *Server) Disable(app Application) { s.t.Helper(); s.setState(app, oauth.Disabled) }

// Enable switches the application on again.
func (s *Server) Enable(app Application) { s.t.Helper(); s.setState(app, oauth.Enabled) }

func (s *Server) setState(app Application, state oauth.ApplicationState) {
	s.t.Helper()
	if _, _, err := s.OAuth.SetState(context.Background(), operator, app.Account, app.ID, state); err != nil {
		s.t.Fatalf("testkit: make %s %s: %v", app.ID, state, err)
	}
}

// Delete deletes the application.
func (s *Server) Delete(app Application) {
	s.t.Helper()
	if err := s.OAuth.Delete(context.Background(), operator, app.Account, app.ID); err != nil {
		s.t.Fatalf("testkit: delete %s: %v", app.ID, err)
	}
}

// Entries returns the newest audit entries of an account ("" = of no account), the
// oldest first, up to 1000; those of the same millisecond are in no order. It restarts
// the server, so that all that was noted is written.
func (s *Server) Entries(account ident.AccountID) []audit.Entry {
	s.t.Helper()
	s.Restart()
	entries, err := s.Store.Entries(context.Background(), account, "", 1000)
	if err != nil {
		s.t.Fatalf("testkit: read the audit record of %q: %v", account, err)
	}
	slices.Reverse(entries)
	return entries
}
