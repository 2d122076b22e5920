package directory

import (
	"context"
	"fmt"
	"strings"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// NotYourself is the answer to people who would take their own access away.
const NotYourself = "you can't do this to yourself: ask another owner or administrator"

// UserPatch names the fields of a person to be changed; nil leaves one as it is.
type UserPatch struct {
	DisplayName, Email *string
	Type               *Type
}

func (p UserPatch) apply(u *User) {
	if p.DisplayName != nil {
		u.DisplayName = *p.DisplayName
	}
	if p.Email != nil {
		u.Email = ident.Email(*p.Email)
	}
	if p.Type != nil {
		u.Type = *p.Type
	}
}

// EditUser changes the fields that p names. It is idempotent, and takes ManageUsers; for
// an owner, or somebody who is or becomes externally managed, ManageOwners. With the
// address change the one-time links that were sent to the old one. Conflict if the address is
// somebody else's.
func (s *Service) EditUser(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID, p UserPatch) (User, error) {
	return s.changePerson(ctx, c, account, id, audit.UserUpdate, s.Store.EditUser, func(st Standing, e audit.Entry) Decision {
		return editUser(c, st, p, e)
	})
}

func editUser(c access.Caller, st Standing, p UserPatch, e audit.Entry) Decision {
	d := Decision{User: st.User, Entry: e}
	p.apply(&d.User)
	if err := d.User.Validate(); err != nil {
		return Decision{Refusal: err}
	}
	if d.User.Type != st.User.Type && (d.User.Type == ExternallyManaged || st.User.Type == ExternallyManaged) && lacksOwners(c) {
		return d.denied(c, access.ManageOwners)
	}
	changes := difference(st.User, d.User)
	if changes == "" {
		d.Entry.Outcome = audit.Unchanged
		return d
	}
	d.Changed, d.Entry = true, e.WithChange(changes)
	return d
}

// difference tells what an edit changes, from what to what; "" if nothing.
func difference(before, after User) string {
	return changesOf([]field{
		{"email", string(before.Email), string(after.Email)},
		{"type", string(before.Type), string(after.Type)},
		{"display_name", before.DisplayName, after.DisplayName},
	})
}

type field struct{ name, before, after string }

func changesOf(fields []field) string {
	var changes []string
	for _, f := range fields {
		if f.before != f.after {
			changes = append(changes, fmt.Sprintf("%s: %q -> %q", f.name, f.before, f.after))
		}
	}
	return strings.Join(changes, "; ")
}

// RemoveUser removes a person for good, with their groups, sessions and ways to sign in; what
// the record tells of them stays. It takes ManageUsers, for an owner ManageOwners.
// Forbidden for the last active owner, an externally managed person, oneself, and where
// the account's provisioning policy refuses.
func (s *Service) RemoveUser(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID) error {
	_, err := s.changePerson(ctx, c, account, id, audit.UserRemove, s.Store.RemoveUser, func(st Standing, e audit.Entry) Decision {
		d := Decision{User: st.User, Entry: e}
		switch {
		case c.Is(account, id):
			return d.refused(NotYourself)
		case st.Provisioning == RefuseProvisioning:
			return d.refused(AutomatedProvisioner)
		case st.User.Type == ExternallyManaged:
			return d.refused(IsExternallyManaged)
		case st.lastOwner():
			return d.refused(NoOwnerRemains)
		}
		d.Changed = true
		d.Entry = e.WithChange(fmt.Sprintf("was %s: %s <%s>", st.User.State, st.User.DisplayName, st.User.Email))
		return d
	})
	return err
}

// lastOwner tells whether the account would have no active owner without this person.
func (st Standing) lastOwner() bool {
	return st.Owner && st.OtherActiveOwners == 0 && st.User.State == Active
}

// changer is one of the store's ways to change a person.
type changer func(context.Context, ident.AccountID, ident.UserID, func(Standing) Decision) (Decision, error)

// changePerson asks decide about somebody inside one transaction, unless they are an owner
// and the caller may not manage owners.
func (s *Service) changePerson(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID, act audit.Action,
	change changer, decide func(Standing, audit.Entry) Decision,
) (User, error) {
	if err := s.May(ctx, c, account, access.ManageUsers, act, string(id)); err != nil {
		return User{}, err
	}
	entry := audit.New(c, account, act, string(id), audit.Done, s.now())
	if !ident.Possible(string(id)) {
		return User{}, s.missed(ctx, entry)
	}
	d, err := change(ctx, account, id, func(st Standing) Decision {
		if st.Owner && lacksOwners(c) {
			return Decision{User: st.User, Entry: entry}.denied(c, access.ManageOwners)
		}
		return decide(st, entry)
	})
	if err == nil {
		err = d.Refusal
	}
	if err == nil {
		return d.User, nil
	}
	if fault.KindOf(err) == fault.KindNotFound {
		err = s.missed(ctx, entry)
	}
	return User{}, err
}

// lacksOwners tells whether the caller must leave owners alone.
func lacksOwners(c access.Caller) bool {
	return c.OnlyLocal() != nil && !c.Permissions.Has(access.ManageOwners)
}

// denied is the answer of a missing permission that only the standing showed to be needed.
func (d Decision) denied(c access.Caller, p access.Permission) Decision {
	d.Refusal, d.Changed = fault.Forbidden(access.Denied), false
	d.Entry.Outcome = audit.Denied
	d.Entry = d.Entry.With("the " + string(c.Kind) + " lacks " + p.String())
	return d
}

// AccountPatch names the fields of an account to be changed; nil leaves one as it is.
type AccountPatch struct {
	Name         *string
	Provisioning *Provisioning
}

// AccountDecision is what is to happen to an account.
type AccountDecision struct {
	Account Account
	Changed bool
	Entry   audit.Entry // without an action where nothing is to be remembered
	Refusal error
}

// Account returns one account; it takes ManageAccount.
func (s *Service) Account(ctx context.Context, c access.Caller, account ident.AccountID) (Account, error) {
	if err := s.May(ctx, c, account, access.ManageAccount, audit.AccountGet, string(account)); err != nil {
		return Account{}, err
	}
	return s.Store.Account(ctx, account)
}

// EditAccount changes the fields that p names. It is idempotent and takes ManageAccount.
func (s *Service) EditAccount(ctx context.Context, c access.Caller, account ident.AccountID, p AccountPatch) (Account, error) {
	if err := s.May(ctx, c, account, access.ManageAccount, audit.AccountUpdate, string(account)); err != nil {
		return Account{}, err
	}
	entry := audit.New(c, account, audit.AccountUpdate, string(account), audit.Done, s.now())
	d, err := s.Store.EditAccount(ctx, account, func(a Account) AccountDecision { return editAccount(a, p, entry) })
	if err == nil {
		err = d.Refusal
	}
	return d.Account, err
}

func editAccount(a Account, p AccountPatch, e audit.Entry) AccountDecision {
	after := a
	if p.Name != nil {
		after.Name = *p.Name
	}
	if p.Provisioning != nil {
		after.Provisioning = *p.Provisioning
	}
	if err := after.Validate(); err != nil {
		return AccountDecision{Account: a, Refusal: err}
	}
	changes := changesOf([]field{
		{"provisioning", string(a.Provisioning), string(after.Provisioning)},
		{"name", a.Name, after.Name},
	})
	if changes == "" {
		e.Outcome = audit.Unchanged
		return AccountDecision{Account: a, Entry: e}
	}
	return AccountDecision{Account: after, Changed: true, Entry: e.WithChange(changes)}
}
