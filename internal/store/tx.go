package store

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// tx is one open transaction: the statements, and the ends of the audit chains
// that it has touched, which are written once before the commit.
type tx struct {
	*sqlgen.Queries // run at once

	// Later holds statements whose failure nobody waits for: it ends the transaction.
	Later   *sqlgen.Queries
	session session
	heads   map[ident.AccountID]*head
	tallies map[ident.AccountID]*tally // of the same accounts; nil where nobody changed state
	job     *job                       // the work that is being done

	// foreseen is what was read of people when the transaction began, until somebody changes them.
	foreseen map[ident.UserID]sqlgen.GetStandingRow
}

// head is the end of an account's chain, as this transaction leaves it.
type head struct {
	audit.Head
	missing bool // there is no such account
	locked  bool // nobody else moves it before this transaction ends
	moved   bool // by this transaction
}

func newTx(s session) *tx {
	return &tx{Queries: sqlgen.New(s.now()), Later: sqlgen.New(s.later(nil)), session: s, heads: map[ident.AccountID]*head{}}
}

// laterOr is Later with something to say about a failure.
func (t *tx) laterOr(explain func(error) error) *sqlgen.Queries {
	return sqlgen.New(t.session.later(explain))
}

// lock reads the end of an account's chain and keeps everybody else from changing the
// account until the transaction ends. An account that is not there has no row to hold:
// what is written about it then fails by itself.
func (t *tx) lock(ctx context.Context, account ident.AccountID) (*head, error) {
	if h := t.heads[account]; h != nil && h.locked {
		return h, nil
	}
	row, err := t.LockHead(ctx, string(account))
	h, err := headOf(err, &row.AuditSeq, &row.AuditHash)
	if err != nil {
		return nil, err
	}
	h.locked = true
	t.heads[account] = h
	return h, nil
}

// head reads the end of an account's chain, once a transaction.
func (t *tx) head(ctx context.Context, account ident.AccountID) (*head, error) {
	if h := t.heads[account]; h != nil {
		return h, nil
	}
	h := &head{missing: true}
	if account != "" {
		row, err := t.GetHead(ctx, string(account))
		if h, err = headOf(err, &row.AuditSeq, &row.AuditHash); err != nil {
			return nil, err
		}
	}
	t.heads[account] = h
	return h, nil
}

// foresee reads what the batch is going to ask for, where that saves ways to a server.
func (t *tx) foresee(ctx context.Context, batch []*job) error {
	var account ident.AccountID
	var people []ident.UserID
	for _, j := range batch {
		if account = j.account; account == "" {
			return nil // a batch holds one account, or is free
		}
		if j.person != "" {
			people = append(people, j.person)
		}
	}
	h, found, err := t.session.foresee(ctx, account, people)
	if err != nil || h == nil {
		return err
	}
	h.locked = true
	t.heads[account], t.foreseen = h, found
	return nil
}

// standingRow reads what decides about a person. What was foreseen of somebody who is no
// owner holds until they change themselves: nobody else matters to it.
func (t *tx) standingRow(ctx context.Context, account ident.AccountID, id ident.UserID) (sqlgen.GetStandingRow, error) {
	row, ok := t.foreseen[id]
	if ok && row.Ownership == 0 {
		delete(t.foreseen, id)
		return row, nil
	}
	return t.session.standing(ctx, account, id)
}

// commit writes the ends of the chains that moved, and ends the transaction.
func (t *tx) commit(ctx context.Context) error {
	for account, h := range t.heads {
		if !h.moved {
			continue
		}
		if err := t.setHead(ctx, account, h); err != nil {
			return err
		}
	}
	return t.session.commit(ctx)
}
