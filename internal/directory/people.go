package directory

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

// What the console does about people. Everybody here may be PENDING too, which the API
// never shows: hence ManageUsers and not the API's permissions.

// Bounds of a page of people.
const (
	DefaultPeople = 50
	MaxPeople     = 500
	// MaxSearch is how many characters of a search are looked at.
	MaxSearch = 200
)

// PeopleQuery says which people of an account are wanted: those that fit all that is
// given. Zero fields mean any.
type PeopleQuery struct {
	// Text is words: each must begin a word of the name or of the e-mail address, in any
	// order and without regard to case and accents.
	Text  string
	State State
	Type  Type
	Group string
	After page.Position // the zero position = from the start
	Limit int           // 1 to MaxPeople; 0 = DefaultPeople
}

// PeoplePage is one page of people, by CreateTime, then ID.
type PeoplePage struct {
	People []User // in any state, with groups
	// Next is where the next page begins; the zero position on the last. A page looks at a
	// bounded number of people: where few of very many fit, it may be short, or empty,
	// though more follow.
	Next page.Position
}

// People returns one page of the people who fit q. It takes ManageUsers.
func (s *Service) People(ctx context.Context, c access.Caller, account ident.AccountID, q PeopleQuery) (PeoplePage, error) {
	if err := s.May(ctx, c, account, access.ManageUsers, audit.UserList, ""); err != nil {
		return PeoplePage{}, err
	}
	if err := q.complete(); err != nil {
		return PeoplePage{}, err
	}
	return s.Store.People(ctx, account, q)
}

// complete fills in the default and refuses what can't be meant.
func (q *PeopleQuery) complete() error {
	if q.Limit == 0 {
		q.Limit = DefaultPeople
	}
	if q.Limit < 1 || q.Limit > MaxPeople {
		return fault.Invalid("a page holds 1 to %d people", MaxPeople)
	}
	if q.Group != "" {
		if err := ident.ValidateText("group name", q.Group, MaxGroupName, false); err != nil {
			return err
		}
	}
	if q.After.ID != "" && !ident.Possible(string(q.After.ID)) {
		return fault.Invalid("the place to go on from is not one of this list: begin again")
	}
	return ident.ValidateText("the search", q.Text, MaxSearch, true)
}

// CountByState returns how many people are in each state; states without any are left
// out. It takes ManageUsers.
func (s *Service) CountByState(ctx context.Context, c access.Caller, account ident.AccountID) (map[State]int, error) {
	if err := s.May(ctx, c, account, access.ManageUsers, audit.UserList, ""); err != nil {
		return nil, err
	}
	return s.Store.CountByState(ctx, account)
}

// MaxGroups is how many group names Groups tells of.
const MaxGroups = 500

// Groups returns the names of the groups that have members, sorted, at most MaxGroups. It
// takes ManageUsers.
func (s *Service) Groups(ctx context.Context, c access.Caller, account ident.AccountID) ([]string, error) {
	if err := s.May(ctx, c, account, access.ManageUsers, audit.UserList, ""); err != nil {
		return nil, err
	}
	return s.Store.GroupNames(ctx, account, MaxGroups)
}

// Person returns somebody in any state, with groups; NotFound if the account has nobody
// such. It takes ManageUsers, or to be that person.
func (s *Service) Person(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID) (User, error) {
	if !c.Is(account, id) {
		if err := s.May(ctx, c, account, access.ManageUsers, audit.UserGet, string(id)); err != nil {
			return User{}, err
		}
	}
	if !ident.Possible(string(id)) {
		return User{}, notFound()
	}
	return s.Store.Person(ctx, account, id)
}
