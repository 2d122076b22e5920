package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
)

// morning is when the tests of this package happen.
var morning = time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)

var operator = access.Caller{Kind: access.Operator, Name: "olga"}

func newAccount(t *testing.T, s *Store) ident.AccountID {
	t.Helper()
	id := ident.AccountID("ACCOUNT")
	a := directory.Account{ID: id, Name: "Acme", Provisioning: directory.NoProvisioning, State: directory.Open, CreateTime: morning}
	if err := s.CreateAccount(t.Context(), a, audit.New(operator, id, audit.AccountCreate, string(id), audit.Done, morning)); err != nil {
		t.Fatal(err)
	}
	return id
}

// crowd adds n active people to the account.
func crowd(t *testing.T, s *Store, account ident.AccountID, n int) []ident.UserID {
	t.Helper()
	var ids []ident.UserID
	for i := range n {
		ids = append(ids, ident.UserID(fmt.Sprintf("U%05d", i)))
	}
	people := func(yield func(directory.User, error) bool) {
		for i, id := range ids {
			u := directory.User{
				ID: id, Account: account, Email: ident.Email(id + "@example.com"), DisplayName: "Somebody", State: directory.Active,
				Type: directory.Member, CreateTime: morning.Add(time.Duration(i) * time.Second),
			}
			if !yield(u, nil) {
				return
			}
		}
	}
	if _, err := s.AddUsers(t.Context(), account, people, audit.New(operator, account, audit.UserImport, "", audit.Done, morning)); err != nil {
		t.Fatal(err)
	}
	return ids
}

// toggle suspends a person, or gives them their access back.
func toggle(ctx context.Context, s *Store, account ident.AccountID, id ident.UserID, at time.Time) error {
	_, err := s.Change(ctx, account, id, func(st directory.Standing) directory.Decision {
		d := directory.Decision{User: st.User, Changed: true}
		action := audit.UserSuspend
		d.User.State = directory.Suspended
		if st.User.State == directory.Suspended {
			d.User.State, action = directory.Active, audit.UserReactivate
		}
		d.Entry = audit.New(operator, account, action, string(id), audit.Done, at)
		return d
	})
	return err
}

// services puts the rule rooms on the store, on a clock that moves a millisecond a look.
func services(t *testing.T, s *Store) (*directory.Service, *oauth.Service) {
	t.Helper()
	journal := audit.NewJournal(s, func(err error, lost int64) { t.Errorf("%d entries lost: %v", lost, err) })
	t.Cleanup(func() { _ = journal.Close(context.Background()) })
	var ticks atomic.Int64
	now := func() time.Time { return morning.Add(time.Duration(ticks.Add(1)) * time.Millisecond) }
	return &directory.Service{Store: s, Keys: page.NewKeyring(s, now, rand.Reader), Now: now, Rand: rand.Reader},
		&oauth.Service{Store: s, Journal: journal, Now: now, Rand: rand.Reader, Lifetime: oauth.DefaultLifetime}
}

// raw opens the database's file without any of our settings, as another program would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// exec runs statements and closes the database, so that all of it is in the one file.
func exec(t *testing.T, path string, statements ...string) {
	t.Helper()
	db := raw(t, path)
	for _, q := range statements {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func closeStore(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// addOnce adds a person out of a sequence that can be ranged over once.
func addOnce(ctx context.Context, s *Store, account ident.AccountID) error {
	spent := false
	people := func(yield func(directory.User, error) bool) {
		if !spent {
			spent = true
			yield(directory.User{ID: "U", Account: account, Email: "u@example.com", CreateTime: morning}, nil)
		}
	}
	_, err := s.AddUsers(ctx, account, people, audit.New(operator, account, audit.UserImport, "", audit.Done, morning))
	return err
}

// file is the engine of a store in a folder.
func file(s *Store) *sqliteEngine { return s.engine.(*sqliteEngine) }
