package directory

import (
	"context"
	"iter"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

// Sight is what Get and List see of the people: the Store, or a look that one request
// takes at its token and at what it asks for together.
type Sight interface {
	// Page returns up to limit active and suspended people that pass f, after a
	// position (the zero position = from the start), by CreateTime, then ID. Type and
	// Groups are not filled in.
	Page(ctx context.Context, account ident.AccountID, f filter.Filter, after page.Position, limit int) ([]User, error)

	// User returns a person in any state, without groups; NotFound("not_found") if there is none.
	User(ctx context.Context, account ident.AccountID, id ident.UserID) (User, error)
}

// Store keeps accounts and people. Failures are faults: Unavailable where trying
// again may help. Every method is safe for concurrent use.
type Store interface {
	audit.Store
	Sight

	// Change locks a person, asks decide with their standing, and commits the new
	// state and the entry together; a refusal commits only its entry. decide may run
	// more than once. NotFound if there is no such person: decide is not asked.
	Change(ctx context.Context, account ident.AccountID, id ident.UserID, decide func(Standing) Decision) (Decision, error)

	// ChangeGroup is Change for membership of one group: member tells whether the
	// person is in it now; a Decision that is Changed turns that around.
	ChangeGroup(ctx context.Context, account ident.AccountID, id ident.UserID, group string, decide func(st Standing, member bool) Decision) (Decision, error)

	// CreateAccount adds an account; Conflict if the id is taken.
	CreateAccount(ctx context.Context, a Account, e audit.Entry) error
	// Account returns one account; NotFound if there is none.
	Account(ctx context.Context, id ident.AccountID) (Account, error)
	// Accounts lists all accounts by creation.
	Accounts(ctx context.Context) ([]Account, error)
	// SetAccountState opens or closes an account; it reports whether anything changed.
	SetAccountState(ctx context.Context, id ident.AccountID, state AccountState, e audit.Entry) (bool, error)

	// AddUsers adds people with their groups, all or none. The sequence may be ranged
	// over more than once and must give the same each time. The entry is written with
	// the count of them as its detail. A taken id or e-mail address, or an error of
	// the sequence, ends it: the error says which and is an *AddError.
	AddUsers(ctx context.Context, account ident.AccountID, users iter.Seq2[User, error], e audit.Entry) (int, error)
	// UserByEmail finds a person in any state by address; NotFound if there is none.
	UserByEmail(ctx context.Context, account ident.AccountID, email ident.Email) (User, error)
	// EachUser calls yield for every person in any state, with groups, in the order
	// of their ids, until it returns false.
	EachUser(ctx context.Context, account ident.AccountID, yield func(User) bool) error
}

// AddError says which person of a sequence could not be added.
type AddError struct {
	Index int // from 0
	Err   error
}

// Error implements error.
func (e *AddError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *AddError) Unwrap() error { return e.Err }
