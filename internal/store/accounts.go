package store

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

func accountOf(r sqlgen.GetAccountRow) directory.Account {
	return directory.Account{
		ID: ident.AccountID(r.ID), Name: r.Name, Provisioning: directory.Provisioning(r.Provisioning),
		State: directory.AccountState(r.State), CreateTime: fromMicros(r.CreateTime),
	}
}

const noAccount = "there is no such account"

// CreateAccount implements directory.Store.
func (s *Store) CreateAccount(ctx context.Context, a directory.Account, e audit.Entry) error {
	return s.change(ctx, "create an account", a.ID, func(ctx context.Context, t *tx) error {
		err := t.InsertAccount(ctx, sqlgen.InsertAccountParams{
			ID: string(a.ID), Name: a.Name, Provisioning: string(a.Provisioning), State: string(a.State),
			CreateTime: micros(a.CreateTime), AuditSeq: 0, AuditHash: make([]byte, len(audit.Hash{})),
		})
		if isDuplicate(err) {
			return fault.Conflict("an account with the id %s exists already", a.ID)
		}
		if err != nil {
			return err
		}
		delete(t.heads, a.ID) // it was not there when the work began
		return t.append(ctx, s, e)
	})
}

// Account implements directory.Store.
func (s *Store) Account(ctx context.Context, id ident.AccountID) (directory.Account, error) {
	return ask(s, "read an account", func() (directory.Account, error) {
		r, err := s.reads.GetAccount(bounded(ctx), string(id))
		return accountOf(r), missing(err, noAccount)
	})
}

// Accounts implements directory.Store.
func (s *Store) Accounts(ctx context.Context) ([]directory.Account, error) {
	rows, err := ask(s, "read accounts", func() ([]sqlgen.ListAccountsRow, error) { return s.reads.ListAccounts(ctx) })
	if err != nil {
		return nil, err
	}
	list := make([]directory.Account, len(rows))
	for i, r := range rows {
		list[i] = accountOf(sqlgen.GetAccountRow(r))
	}
	return list, nil
}

// SetAccountState implements directory.Store.
func (s *Store) SetAccountState(ctx context.Context, id ident.AccountID, state directory.AccountState, e audit.Entry) (bool, error) {
	changed := false
	err := s.change(ctx, "change an account", id, func(ctx context.Context, t *tx) error {
		if _, err := t.GetAccount(ctx, string(id)); err != nil {
			return missing(err, noAccount)
		}
		n, err := t.SetAccountState(ctx, string(id), string(state))
		if err != nil {
			return err
		}
		changed = n > 0
		if changed && state == directory.Closed {
			if err := t.DeleteSessionsOfAccount(ctx, string(id)); err != nil {
				return err
			}
		}
		return t.append(ctx, s, orUnchanged(e, changed))
	})
	return changed, err
}

// orUnchanged tells a change apart from a wish that was fulfilled already.
func orUnchanged(e audit.Entry, changed bool) audit.Entry {
	if !changed {
		e.Outcome = audit.Unchanged
	}
	return e
}
