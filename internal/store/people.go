package store

import (
	"context"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// GroupNames implements directory.Store.
func (s *Store) GroupNames(ctx context.Context, account ident.AccountID, limit int) ([]string, error) {
	packed, err := ask(s, "read groups", func() (string, error) {
		return s.reads.GroupNames(bounded(ctx), rowSeparator, string(account), int64(limit))
	})
	if err != nil || packed == "" {
		return nil, err
	}
	names := strings.Split(packed, rowSeparator)
	slices.Sort(names) // by bytes, whatever the database's locale
	return names, nil
}

// Person implements directory.Store.
func (s *Store) Person(ctx context.Context, account ident.AccountID, id ident.UserID) (directory.User, error) {
	u, err := s.User(ctx, account, id)
	if err != nil {
		return u, err
	}
	return ask(s, "read groups", func() (directory.User, error) { return s.withGroups(ctx, s.reads, u) })
}

func (s *Store) withGroups(ctx context.Context, q *sqlgen.Queries, u directory.User) (directory.User, error) {
	groups, err := q.ListGroups(bounded(ctx), string(u.Account), string(u.ID))
	slices.Sort(groups)
	u.Groups = groups
	return u, classify("read groups", err)
}

// EditUser implements directory.Store.
func (s *Store) EditUser(ctx context.Context, account ident.AccountID, id ident.UserID, decide func(directory.Standing) directory.Decision) (directory.Decision, error) {
	return s.changeUser(ctx, "edit a user", account, id, decide, func(ctx context.Context, t *tx, before, after directory.User) error {
		err := t.UpdateUser(ctx, sqlgen.UpdateUserParams{
			AccountID: string(account), ID: string(id), Email: string(after.Email), EmailKey: after.Email.Key(),
			DisplayName: after.DisplayName, Type: string(after.Type),
		})
		if isDuplicate(err) {
			return fault.Conflict("a person with the e-mail address %s is in the account already", after.Email)
		}
		if err == nil {
			err = t.replaceWords(ctx, before, after)
		}
		if err != nil || before.Email == after.Email {
			return err
		}
		return t.DeleteLinks(ctx, string(account), string(id))
	})
}

// RemoveUser implements directory.Store.
func (s *Store) RemoveUser(ctx context.Context, account ident.AccountID, id ident.UserID, decide func(directory.Standing) directory.Decision) (directory.Decision, error) {
	return s.changeUser(ctx, "remove a user", account, id, decide, func(ctx context.Context, t *tx, before, _ directory.User) error {
		t.count(account, before.State, "")
		if err := deleteWords(ctx, t.Later, before); err != nil {
			return err
		}
		for _, remove := range []func(context.Context, string, string) error{
			t.DeleteSessionsOfUser, t.DeletePassword, t.DeletePasskeys, t.DeleteLinks, t.DeleteSubjects, t.DeleteMemberships, t.DeleteUser,
		} {
			if err := remove(ctx, string(account), string(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// changeUser asks decide and, if something changes, does it.
func (s *Store) changeUser(ctx context.Context, op string, account ident.AccountID, id ident.UserID, decide func(directory.Standing) directory.Decision,
	do func(ctx context.Context, t *tx, before, after directory.User) error,
) (directory.Decision, error) {
	var d directory.Decision
	err := s.change(ctx, op, account, func(ctx context.Context, t *tx) error {
		st, _, err := t.standing(ctx, account, id)
		if err != nil && fault.KindOf(err) == fault.KindNotFound {
			d = directory.Decision{Refusal: err}
			return nil
		}
		if err != nil {
			return err
		}
		if d = decide(st); d.Changed {
			if err := do(ctx, t, st.User, d.User); err != nil {
				return err
			}
		}
		return t.remember(ctx, s, d)
	})
	return d, err
}

// EditAccount implements directory.Store.
func (s *Store) EditAccount(ctx context.Context, account ident.AccountID, decide func(directory.Account) directory.AccountDecision) (directory.AccountDecision, error) {
	var d directory.AccountDecision
	err := s.change(ctx, "edit an account", account, func(ctx context.Context, t *tx) error {
		r, err := t.GetAccount(ctx, string(account))
		if err != nil {
			return missing(err, noAccount)
		}
		d = decide(accountOf(r))
		if d.Changed {
			if err := t.UpdateAccount(ctx, string(account), d.Account.Name, string(d.Account.Provisioning)); err != nil {
				return err
			}
		}
		if d.Entry.Action == "" {
			return nil
		}
		return t.append(ctx, s, d.Entry)
	})
	return d, err
}
