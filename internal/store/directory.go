package store

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

func userOf(r sqlgen.User) directory.User {
	return directory.User{
		ID: ident.UserID(r.ID), Account: ident.AccountID(r.AccountID), Email: ident.Email(r.Email),
		DisplayName: r.DisplayName, State: directory.State(r.State), Type: directory.Type(r.Type),
		CreateTime: fromMicros(r.CreateTime),
	}
}

// User implements directory.Store.
func (s *Store) User(ctx context.Context, account ident.AccountID, id ident.UserID) (directory.User, error) {
	return ask(s, "read a user", func() (directory.User, error) {
		r, err := s.reads.GetUser(bounded(ctx), string(account), string(id))
		if err != nil {
			return directory.User{}, missing(err, directory.NotFoundMessage)
		}
		return directory.User{
			ID: id, Account: account, Email: ident.Email(r.Email), DisplayName: r.DisplayName,
			State: directory.State(r.State), Type: directory.Type(r.Type), CreateTime: fromMicros(r.CreateTime),
		}, nil
	})
}

// UserByEmail implements directory.Store.
func (s *Store) UserByEmail(ctx context.Context, account ident.AccountID, email ident.Email) (directory.User, error) {
	return ask(s, "read a user", func() (directory.User, error) {
		r, err := s.reads.GetUserByEmail(bounded(ctx), string(account), email.Key())
		if err != nil {
			return directory.User{}, missing(err, directory.NotFoundMessage)
		}
		return userOf(r), nil
	})
}

// Change implements directory.Store.
func (s *Store) Change(ctx context.Context, account ident.AccountID, id ident.UserID, decide func(directory.Standing) directory.Decision) (directory.Decision, error) {
	var d directory.Decision
	err := s.changePerson(ctx, "change a user", account, id, func(ctx context.Context, t *tx) error {
		st, signedIn, err := t.standing(ctx, account, id)
		if fault.KindOf(err) == fault.KindNotFound {
			d = directory.Decision{Refusal: err} // not a failure: others' work in this batch goes on
			return nil
		}
		if err != nil {
			return err
		}
		d = decide(st)
		if d.Changed {
			t.count(account, st.User.State, d.User.State)
			if err := t.Later.SetUserState(ctx, string(account), string(id), string(d.User.State)); err != nil {
				return err
			}
			if signedIn && d.User.State == directory.Suspended {
				err = t.DeleteSessionsOfUser(ctx, string(account), string(id))
			}
			if err != nil {
				return err
			}
		}
		return t.remember(ctx, s, d)
	})
	return d, err
}

// remember writes a decision's entry, if it has one.
func (t *tx) remember(ctx context.Context, s *Store, d directory.Decision) error {
	if d.Entry.Action == "" {
		return nil
	}
	return t.append(ctx, s, d.Entry)
}

// standing reads what a rule may know of somebody, and whether they have sessions: those
// are deleted only then, for most people have none.
func (t *tx) standing(ctx context.Context, account ident.AccountID, id ident.UserID) (directory.Standing, bool, error) {
	row, err := t.standingRow(ctx, account, id)
	if err != nil {
		return directory.Standing{}, false, missing(err, directory.NotFoundMessage)
	}
	st := directory.Standing{
		User: directory.User{
			ID: id, Account: account, Email: ident.Email(row.Email), DisplayName: row.DisplayName,
			State: directory.State(row.State), Type: directory.Type(row.Type), CreateTime: fromMicros(row.CreateTime),
		},
		Provisioning: directory.Provisioning(row.Provisioning), Owner: row.Ownership > 0,
	}
	if row.Ownership > 1 {
		st.OtherActiveOwners = 1
	}
	return st, row.SignedIn > 0, nil
}

// ChangeGroup implements directory.Store.
func (s *Store) ChangeGroup(ctx context.Context, account ident.AccountID, id ident.UserID, group string, decide func(directory.Standing, bool) directory.Decision) (directory.Decision, error) {
	var d directory.Decision
	err := s.change(ctx, "change a group", account, func(ctx context.Context, t *tx) error {
		st, _, err := t.standing(ctx, account, id)
		if err != nil {
			return err
		}
		member, err := t.IsMember(ctx, string(account), group, string(id))
		if err != nil {
			return err
		}
		d = decide(st, member)
		if d.Changed {
			change := t.InsertMember
			if member {
				change = t.DeleteMember
			}
			if err := change(ctx, string(account), group, string(id)); err != nil {
				return err
			}
		}
		return t.remember(ctx, s, d)
	})
	return d, err
}

// usersAPage is how many people are read at a time in walks over a whole account.
const usersAPage = 500

// EachUser implements directory.Store.
func (s *Store) EachUser(ctx context.Context, account ident.AccountID, yield func(directory.User) bool) error {
	after := ""
	for {
		rows, err := ask(s, "read users", func() ([]sqlgen.User, error) {
			return s.reads.PageOfAll(ctx, string(account), after, usersAPage)
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			u := userOf(r)
			u.Groups, err = ask(s, "read groups", func() ([]string, error) { return s.reads.ListGroups(ctx, r.AccountID, r.ID) })
			if err != nil {
				return err
			}
			if !yield(u) {
				return nil
			}
			after = r.ID
		}
		if len(rows) < usersAPage {
			return nil
		}
	}
}
