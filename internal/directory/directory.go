// Package directory owns accounts and people: their types, the rules of who may be
// suspended, and the use cases of the Users API on them.
//
//	PENDING --(confirmed elsewhere)--> ACTIVE <--reactivate/suspend--> SUSPENDED
//
// It leaves to access who may call, to audit what is remembered, and to its Store
// how things are kept. What must always hold: an account that has an active owner
// keeps one; a pending person is neither listed nor found; nothing changes
// without the audit entry that tells of it, in the same commit.
package directory

import (
	"context"
	"io"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

// State is where a person stands.
type State string

// The states of a person. Only the first two are seen by the API.
const (
	Active    State = "ACTIVE"
	Suspended State = "SUSPENDED"
	Pending   State = "PENDING" // invited, not confirmed
)

// States lists the states there are.
func States() []State { return []State{Active, Suspended, Pending} }

// Type is what sort of member a person is.
type Type string

// The types of person.
const (
	Member            Type = "member"
	Guest             Type = "guest"
	ExternallyManaged Type = "externally_managed" // administered from outside the account
)

// Types lists the types there are.
func Types() []Type { return []Type{Member, Guest, ExternallyManaged} }

// The groups that carry a role; any other name is a custom group.
const (
	Owners         = "owners"
	Administrators = "administrators"
	Security       = "security"
)

// User is a person of an account.
type User struct {
	ID          ident.UserID
	Account     ident.AccountID
	Email       ident.Email
	DisplayName string
	State       State
	Type        Type
	CreateTime  time.Time // UTC, microseconds
	// Groups are sorted names. Only AddUsers and ListAll fill them in.
	Groups []string
}

// Provisioning is an account's policy where a directory is provisioned from outside (contract section 8).
type Provisioning string

// The provisioning policies.
const (
	NoProvisioning     Provisioning = "none"   // people are managed here
	RefuseProvisioning Provisioning = "refuse" // managed by SCIM: suspending here is refused
	AllowProvisioning  Provisioning = "allow"  // managed by SCIM: suspending here is allowed and kept
)

// Provisionings lists the policies there are.
func Provisionings() []Provisioning {
	return []Provisioning{NoProvisioning, RefuseProvisioning, AllowProvisioning}
}

// AccountState tells whether an account is in use.
type AccountState string

// The states of an account. Nothing authenticates in a closed one.
const (
	Open   AccountState = "open"
	Closed AccountState = "closed"
)

// Account is a customer's directory.
type Account struct {
	ID           ident.AccountID
	Name         string
	Provisioning Provisioning
	State        AccountState
	CreateTime   time.Time // UTC, microseconds
}

// Service is the use cases. All fields but Sight are required.
type Service struct {
	Store Store
	// Sight is where Get and List look; nil = the Store.
	Sight Sight
	Keys  *page.Keyring
	Now   func() time.Time
	Rand  io.Reader // of cryptographic quality
}

// Seeing returns the service with another sight, for one request.
func (s *Service) Seeing(sight Sight) *Service {
	other := *s
	other.Sight = sight
	return &other
}

func (s *Service) sight() Sight {
	if s.Sight != nil {
		return s.Sight
	}
	return s.Store
}

// ListQuery is a request for one page: nil where the caller left a parameter out.
type ListQuery struct {
	Filter    *filter.Filter
	Size      *int32
	PageToken string // empty for the first page
}

// List returns one page of an account's active and suspended people behind a cursor
// (see Cursor), in the order of creation, and the token of the next page ("" on the last).
func (s *Service) List(ctx context.Context, c access.Caller, account ident.AccountID, cursor page.Cursor) ([]User, string, error) {
	if err := s.May(ctx, c, account, access.ListUsers, audit.UserList, ""); err != nil {
		return nil, "", err
	}
	users, err := s.sight().Page(ctx, account, cursor.Filter, cursor.After, PageLimit(cursor))
	if err != nil {
		return nil, "", err
	}
	if len(users) <= int(cursor.Size) {
		return users, "", nil
	}
	users = users[:cursor.Size]
	last := users[len(users)-1]
	cursor.After = page.Position{CreateTime: last.CreateTime, ID: last.ID}
	token, err := s.Keys.Seal(ctx, account, cursor)
	return users, token, err
}

// PageLimit is how many people List reads: one more than asked tells whether another
// page follows, so that none is ever empty.
func PageLimit(c page.Cursor) int { return int(c.Size) + 1 }

// Cursor is where the page that q asks for begins. It tells nothing of the account:
// whoever has a page token may have it read. Invalid for one that does not open, or is
// of another filter.
func (s *Service) Cursor(ctx context.Context, account ident.AccountID, q ListQuery) (page.Cursor, error) {
	cursor := page.Cursor{Size: page.DefaultSize}
	if q.PageToken == "" {
		if q.Filter != nil {
			cursor.Filter = *q.Filter
		}
		if q.Size != nil {
			cursor.Size = *q.Size
		}
		return cursor, nil
	}
	cursor, err := s.Keys.Open(ctx, account, q.PageToken)
	if err != nil {
		return cursor, err
	}
	return page.Resume(cursor, q.Filter, q.Size)
}

// NotFoundMessage is the answer for a person who is not there, is elsewhere, or is pending.
const NotFoundMessage = "not_found"

func notFound() error { return fault.NotFound(NotFoundMessage) }

// Get returns one person by id; NotFound for an unknown, foreign or pending one.
func (s *Service) Get(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID) (User, error) {
	if err := s.May(ctx, c, account, access.GetUser, audit.UserGet, string(id)); err != nil {
		return User{}, err
	}
	if !ident.Possible(string(id)) {
		return User{}, notFound()
	}
	user, err := s.sight().User(ctx, account, id)
	if err != nil {
		return User{}, err
	}
	if user.State == Pending {
		return User{}, notFound()
	}
	return user, nil
}

// Suspend takes a person's access away at once. It is idempotent. Forbidden for
// the last active owner, an externally managed person, and where the account's
// provisioning policy refuses.
func (s *Service) Suspend(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID) (User, error) {
	return s.change(ctx, c, account, id, suspend)
}

// Reactivate gives a suspended person their access back. It is idempotent.
// Forbidden where the account's provisioning policy refuses.
func (s *Service) Reactivate(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID) (User, error) {
	return s.change(ctx, c, account, id, reactivate)
}

func (s *Service) change(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID, act transition) (User, error) {
	if err := s.May(ctx, c, account, act.permission, act.action, string(id)); err != nil {
		return User{}, err
	}
	entry := audit.New(c, account, act.action, string(id), audit.Done, s.now())
	if !ident.Possible(string(id)) {
		return User{}, s.missed(ctx, entry)
	}
	decision, err := s.Store.Change(ctx, account, id, func(st Standing) Decision { return act.decide(st, entry) })
	if err != nil {
		return User{}, err
	}
	if decision.Entry.Action == "" {
		return User{}, s.missed(ctx, entry)
	}
	return decision.User, decision.Refusal
}

// missed remembers an attempt on somebody who is not there, or not to be seen: whoever
// tries ids leaves a trace.
func (s *Service) missed(ctx context.Context, e audit.Entry) error {
	e.Outcome = audit.Refused
	if err := s.Store.Append(ctx, []audit.Entry{e.With(NotFoundMessage)}); err != nil {
		return err
	}
	return notFound()
}

// May tells whether the caller may use p in account; a denial is remembered before
// it is answered. It is for callers who found something else wrong first.
func (s *Service) May(ctx context.Context, c access.Caller, account ident.AccountID, p access.Permission, a audit.Action, target string) error {
	return audit.Authorize(ctx, s.Store, c, account, p, a, target, s.now())
}
