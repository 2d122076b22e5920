package directory

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/ident"
)

// PeopleStore is the part of the Store that the console asks for.
type PeopleStore interface {
	// People returns a page of the people that q fits (see PeopleQuery.Fits), with groups.
	People(ctx context.Context, account ident.AccountID, q PeopleQuery) (PeoplePage, error)
	// CountByState counts an account's people.
	CountByState(ctx context.Context, account ident.AccountID) (map[State]int, error)
	// GroupNames returns the names of groups with members, sorted, up to limit.
	GroupNames(ctx context.Context, account ident.AccountID, limit int) ([]string, error)
	// Person returns somebody in any state, with groups; NotFound if there is none.
	Person(ctx context.Context, account ident.AccountID, id ident.UserID) (User, error)

	// EditUser is Change for address, name and type. With another address go the
	// person's one-time links. Conflict if it is somebody else's.
	EditUser(ctx context.Context, account ident.AccountID, id ident.UserID, decide func(Standing) Decision) (Decision, error)
	// RemoveUser is Change for removing somebody with all that is theirs.
	RemoveUser(ctx context.Context, account ident.AccountID, id ident.UserID, decide func(Standing) Decision) (Decision, error)
	// EditAccount locks an account, asks decide, and writes name, policy and entry together.
	// NotFound if there is no such account.
	EditAccount(ctx context.Context, account ident.AccountID, decide func(Account) AccountDecision) (AccountDecision, error)
}
