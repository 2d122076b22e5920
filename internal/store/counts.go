package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// How many people an account has in each state stands in its row, beside the end of its
// audit chain, with which it is written. Every change of people moves that end, whoever makes
// it: so counts that were kept at another end are known not to hold, as after a replica of
// an older version has changed somebody, and are made anew.

// tally is how many people more, or fewer, are in each state.
type tally struct{ active, suspended, pending int64 }

func (c *tally) of(s directory.State) *int64 {
	switch s {
	case directory.Suspended:
		return &c.suspended
	case directory.Pending:
		return &c.pending
	default:
		return &c.active
	}
}

// byState leaves out states without anybody.
func (c tally) byState() map[directory.State]int {
	counts := map[directory.State]int{}
	for _, s := range directory.States() {
		if n := *c.of(s); n != 0 {
			counts[s] = int(n)
		}
	}
	return counts
}

// count notes that somebody of the account goes from a state to another; "" is none, where
// they come or go. The account's entry in the same transaction is what makes it count.
func (t *tx) count(account ident.AccountID, from, to directory.State) {
	if from == to {
		return
	}
	c := t.tallies[account]
	if c == nil {
		if t.tallies == nil {
			t.tallies = map[ident.AccountID]*tally{}
		}
		c = &tally{}
		t.tallies[account] = c
	}
	if from != "" {
		*c.of(from)--
	}
	if to != "" {
		*c.of(to)++
	}
}

// setHead writes the end of an account's chain, and the counts that go with it.
func (t *tx) setHead(ctx context.Context, account ident.AccountID, h *head) error {
	p := sqlgen.SetHeadParams{ID: string(account), AuditSeq: h.Seq, AuditHash: h.Hash[:]}
	if c := t.tallies[account]; c != nil {
		p.Active, p.Suspended, p.Pending = c.active, c.suspended, c.pending
	}
	return t.Later.SetHead(ctx, p)
}

// CountByState implements directory.Store.
func (s *Store) CountByState(ctx context.Context, account ident.AccountID) (map[directory.State]int, error) {
	row, err := ask(s, "count people", func() (sqlgen.GetCountsRow, error) {
		row, err := s.reads.GetCounts(bounded(ctx), string(account))
		if errors.Is(err, sql.ErrNoRows) {
			return sqlgen.GetCountsRow{Hold: 1}, nil // nobody is in an account that is not there
		}
		return row, err
	})
	if err != nil {
		return nil, err
	}
	if row.Hold == 0 {
		return s.recount(ctx, account)
	}
	return tally{row.ActivePeople, row.SuspendedPeople, row.PendingPeople}.byState(), nil
}

// keepPatience bounds how long whoever has counted waits for keeping it.
const keepPatience = time.Second

// recount looks at everybody, and keeps what it has counted for the next who asks.
func (s *Store) recount(ctx context.Context, account ident.AccountID) (map[directory.State]int, error) {
	rows, err := ask(s, "count people", func() ([]sqlgen.CountByStateRow, error) { return s.reads.CountByState(ctx, string(account)) })
	if err != nil || len(rows) == 0 {
		return map[directory.State]int{}, err
	}
	var c tally
	for _, r := range rows {
		*c.of(directory.State(r.State)) += r.People
	}
	// Nobody needs it to succeed: the counts were read, and the next who asks tries again.
	_ = s.keepCounts(ctx, account, c, rows[0].AuditSeq)
	return c.byState(), nil
}

// keepCounts keeps what was counted when the account's chain ended at seq, unless it has moved.
func (s *Store) keepCounts(ctx context.Context, account ident.AccountID, c tally, seq int64) error {
	ctx, cancel := context.WithTimeout(ctx, keepPatience)
	defer cancel()
	return s.change(ctx, "keep the counts of people", account, func(ctx context.Context, t *tx) error {
		return t.Later.SetCounts(ctx, sqlgen.SetCountsParams{
			ID: string(account), Active: c.active, Suspended: c.suspended, Pending: c.pending, AuditSeq: seq,
		})
	})
}
