package store

import (
	"context"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
)

type directoryUser = directory.User

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
