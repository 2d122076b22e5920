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
	job     *job // the work that is being done
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
	h, err := headOf(row.AuditSeq, row.AuditHash, err)
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
		if h, err = headOf(row.AuditSeq, row.AuditHash, err); err != nil {
			return nil, err
		}
	}
	t.heads[account] = h
	return h, nil
}

// commit writes the ends of the chains that moved, and ends the transaction.
func (t *tx) commit(ctx context.Context) error {
	for account, h := range t.heads {
		if !h.moved {
			continue
		}
		if err := t.Later.SetHead(ctx, string(account), h.Seq, h.Hash[:]); err != nil {
			return err
		}
	}
	return t.session.commit(ctx)
}
