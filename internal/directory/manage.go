package directory

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Lengths, in characters, of names people choose.
const (
	MaxName      = 100 // accounts
	MaxDisplay   = 200 // people
	MaxGroupName = 64
)

// CreateAccount adds an account; an empty id is made, an empty policy is "none".
func (s *Service) CreateAccount(ctx context.Context, c access.Caller, a Account) (Account, error) {
	if err := c.OnlyLocal(); err != nil {
		return Account{}, err
	}
	a.CreateTime, a.State = s.now(), Open
	if a.Provisioning == "" {
		a.Provisioning = NoProvisioning
	}
	if a.ID == "" {
		id, err := ident.NewAccountID(s.Rand)
		if err != nil {
			return Account{}, err
		}
		a.ID = id
	}
	if err := a.Validate(); err != nil {
		return Account{}, err
	}
	e := audit.New(c, a.ID, audit.AccountCreate, string(a.ID), audit.Done, a.CreateTime).With(a.Name)
	if err := s.Store.CreateAccount(ctx, a, e); err != nil {
		return Account{}, err
	}
	return a, nil
}

// Validate tells what is wrong with an account, if anything is.
func (a Account) Validate() error {
	if err := ident.ValidateText("the account's name", a.Name, MaxName, false); err != nil {
		return err
	}
	if !slices.Contains(Provisionings(), a.Provisioning) {
		return fault.Invalid("provisioning %q is not known: use none, refuse or allow", audit.Clean(string(a.Provisioning), 40))
	}
	return ident.ValidateGiven("account id", string(a.ID))
}

// Accounts lists all accounts.
func (s *Service) Accounts(ctx context.Context, c access.Caller) ([]Account, error) {
	if err := c.OnlyLocal(); err != nil {
		return nil, err
	}
	return s.Store.Accounts(ctx)
}

// SetAccountState closes an account, so that nothing authenticates in it any more,
// or opens it again. It is idempotent.
func (s *Service) SetAccountState(ctx context.Context, c access.Caller, id ident.AccountID, state AccountState) error {
	if err := c.OnlyLocal(); err != nil {
		return err
	}
	action := audit.AccountReopen
	if state == Closed {
		action = audit.AccountClose
	}
	_, err := s.Store.SetAccountState(ctx, id, state, audit.New(c, id, action, string(id), audit.Done, s.now()))
	return err
}

// AddUser adds one person and returns them as they were added. It takes ManageUsers, and
// ManageOwners to add an owner or somebody who is externally managed; local administration alone chooses ids and creation times.
func (s *Service) AddUser(ctx context.Context, c access.Caller, account ident.AccountID, u User) (User, error) {
	if err := s.mayAdd(ctx, c, account, u); err != nil {
		return u, err
	}
	now := s.now()
	u.Account = account
	if c.OnlyLocal() != nil {
		u.ID, u.CreateTime = "", now
	}
	for _, g := range u.Groups {
		if err := ValidateGroup(g); err != nil {
			return u, err
		}
	}
	if err := s.Complete(&u, now); err != nil {
		return u, err
	}
	only := func(yield func(User, error) bool) { yield(u, nil) }
	_, err := s.Store.AddUsers(ctx, account, only, audit.New(c, account, audit.UserAdd, string(u.ID), audit.Done, now))
	return u, err
}

func (s *Service) mayAdd(ctx context.Context, c access.Caller, account ident.AccountID, u User) error {
	if err := s.May(ctx, c, account, access.ManageUsers, audit.UserAdd, ""); err != nil {
		return err
	}
	if slices.Contains(u.Groups, Owners) || u.Type == ExternallyManaged {
		return s.May(ctx, c, account, access.ManageOwners, audit.UserAdd, "")
	}
	return nil
}

// AddUsers adds people, all or none, and returns how many. Ids and creation times
// that are missing are made; an error of the sequence or a refused person ends it
// with an *AddError and nothing is written. users may be ranged over more than once.
func (s *Service) AddUsers(ctx context.Context, c access.Caller, account ident.AccountID, users iter.Seq2[User, error]) (int, error) {
	if err := c.OnlyLocal(); err != nil {
		return 0, err
	}
	now := s.now()
	complete := func(yield func(User, error) bool) {
		for u, err := range users {
			if err == nil {
				u.Account = account
				err = s.Complete(&u, now)
			}
			if !yield(u, err) || err != nil {
				return
			}
		}
	}
	return s.Store.AddUsers(ctx, account, complete, audit.New(c, account, audit.UserImport, "", audit.Done, now))
}

// Complete checks a person who is to be added and fills in what was left out: an
// id, the creation time (now), state ACTIVE, type member. Groups are sorted.
func (s *Service) Complete(u *User, now time.Time) error {
	if u.State == "" {
		u.State = Active
	}
	if u.Type == "" {
		u.Type = Member
	}
	if u.CreateTime.IsZero() {
		u.CreateTime = now
	}
	u.CreateTime = u.CreateTime.UTC().Truncate(time.Microsecond)
	slices.Sort(u.Groups)
	u.Groups = slices.Compact(u.Groups)
	if u.ID == "" {
		id, err := ident.NewUserID(s.Rand)
		if err != nil {
			return fmt.Errorf("make a user id: %w", err)
		}
		u.ID = id
	}
	return u.Validate()
}

// Validate tells what is wrong with a person, if anything is.
func (u User) Validate() error {
	if err := ident.ValidateGiven("user id", string(u.ID)); err != nil {
		return err
	}
	if _, err := ident.ParseEmail(string(u.Email)); err != nil {
		return err
	}
	if err := ident.ValidateText("display_name", u.DisplayName, MaxDisplay, false); err != nil {
		return err
	}
	if !slices.Contains(States(), u.State) {
		return fault.Invalid("state %q is not known: use ACTIVE, SUSPENDED or PENDING", u.State)
	}
	if !slices.Contains(Types(), u.Type) {
		return fault.Invalid("type %q is not known: use member, guest or externally_managed", u.Type)
	}
	if y := u.CreateTime.Year(); y < 1970 || y > 9999 {
		return fault.Invalid("create_time %s is out of range: 1970 to 9999", u.CreateTime.Format(time.RFC3339))
	}
	for _, g := range u.Groups {
		if err := ident.ValidateText("group name", g, MaxGroupName, false); err != nil {
			return err
		}
	}
	return nil
}

// ValidateGroup refuses a name that is none, and one that differs from a role's group in
// case or in spaces alone: its members would lack the role unnoticed.
func ValidateGroup(name string) error {
	if err := ident.ValidateText("group name", name, MaxGroupName, false); err != nil {
		return err
	}
	plain := strings.ToLower(strings.TrimSpace(name))
	if plain != name && slices.Contains(access.Roles(), plain) {
		return fault.Invalid("the group that carries the role is written %q, not %q", plain, name)
	}
	return nil
}

// EachUser calls yield for every person of the account in any state, in the order of their ids.
func (s *Service) EachUser(ctx context.Context, c access.Caller, account ident.AccountID, yield func(User) bool) error {
	if err := c.OnlyLocal(); err != nil {
		return err
	}
	if _, err := s.Store.Account(ctx, account); err != nil {
		return err
	}
	return s.Store.EachUser(ctx, account, yield)
}

// Find returns a person by id or e-mail address, in any state.
func (s *Service) Find(ctx context.Context, c access.Caller, account ident.AccountID, who string) (User, error) {
	if err := c.OnlyLocal(); err != nil {
		return User{}, err
	}
	if email, err := ident.ParseEmail(who); err == nil {
		return s.Store.UserByEmail(ctx, account, email)
	}
	if !ident.Possible(who) {
		return User{}, notFound()
	}
	return s.Store.User(ctx, account, ident.UserID(who))
}

// SetMember puts a person into a group or takes them out, and reports whether that
// changed anything. It takes ManageUsers; for the owners, and for somebody who is one,
// ManageOwners. The last active owner can't leave the owners.
func (s *Service) SetMember(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID, group string, member bool) (bool, error) {
	action := audit.GroupAdd
	if !member {
		action = audit.GroupRemove
	}
	if err := s.May(ctx, c, account, access.ManageUsers, action, string(id)); err != nil {
		return false, err
	}
	valid := ValidateGroup(group)
	if !member { // one that was named before there was a rule can still be left
		valid = ident.ValidateText("group name", group, MaxGroupName, false)
	}
	if valid != nil {
		return false, valid
	}
	if !ident.Possible(string(id)) {
		return false, notFound()
	}
	entry := audit.New(c, account, action, string(id), audit.Done, s.now()).With("group " + group)
	d, err := s.Store.ChangeGroup(ctx, account, id, group, func(st Standing, is bool) Decision {
		if (st.Owner || group == Owners) && lacksOwners(c) {
			return Decision{User: st.User, Entry: entry}.denied(c, access.ManageOwners)
		}
		return decideMember(st, group, is, member, entry)
	})
	if err != nil {
		return false, err
	}
	return d.Changed, d.Refusal
}

func decideMember(st Standing, group string, is, wanted bool, entry audit.Entry) Decision {
	d := Decision{User: st.User, Entry: entry}
	switch {
	case is == wanted:
		d.Entry.Outcome = audit.Unchanged
	case !wanted && group == Owners && st.lastOwner():
		return d.refused(NoOwnerRemains)
	default:
		d.Changed = true
	}
	return d
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
