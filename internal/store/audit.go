package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/netip"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// Append implements audit.Store.
func (s *Store) Append(ctx context.Context, entries []audit.Entry) error {
	return s.free(ctx, "append audit entries", func(ctx context.Context, t *tx) error {
		for _, e := range entries {
			if err := t.append(ctx, s, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// append links an entry to the end of its account's chain and inserts it. An account
// that is not there has no chain: what is not a change is filed under its name without
// one, so that it can't spoil the batch it came with; a change is refused.
func (t *tx) append(ctx context.Context, s *Store, e audit.Entry) error {
	if err := t.name(&e, s.rand); err != nil {
		return err
	}
	read := t.head
	if e.IsChange() {
		read = t.lock
	}
	h, err := read(ctx, e.Account)
	if err != nil {
		return err
	}
	if h.missing && e.IsChange() {
		return fault.NotFound(noAccount)
	}
	next := h.Link(&e)
	h.moved = h.moved || next.Seq != h.Seq
	h.Head = next
	if err := t.Later.InsertEntry(ctx, entryRow(&e)); err != nil || !e.IsChange() {
		return err
	}
	return t.Later.InsertChain(ctx, sqlgen.InsertChainParams{
		AccountID: string(e.Account), Seq: e.Seq, EntryID: string(e.ID), Hash: e.Hash[:],
	})
}

// hang inserts an entry that is no change under an end of its account's chain that is known.
func (t *tx) hang(ctx context.Context, s *Store, e audit.Entry, under audit.Head) error {
	if err := t.name(&e, s.rand); err != nil {
		return err
	}
	under.Link(&e)
	return t.Later.InsertEntry(ctx, entryRow(&e))
}

// name gives the next entry of the work that is being done its id.
func (t *tx) name(e *audit.Entry, rand io.Reader) error {
	id, err := t.entryID(*e, rand)
	if err != nil {
		return &fault.Fault{Kind: fault.KindInternal, Message: "an audit entry could not be named", Cause: err}
	}
	e.ID = id
	return nil
}

// chainHash is a hash as it is stored.
func chainHash(stored []byte) (h audit.Hash) {
	copy(h[:], stored)
	return h
}

// entryID names the next entry of the work that is being done: the same in each of its
// runs, so that an entry can tell that a run was committed.
func (t *tx) entryID(e audit.Entry, rand io.Reader) (ident.EntryID, error) {
	j := t.job
	defer func() { j.at++ }()
	if j.at < len(j.entries) {
		if was := j.entries[j.at]; was.account == e.Account && was.time.Equal(e.At) {
			return was.id, nil
		}
		j.entries = j.entries[:j.at]
	}
	id, err := ident.NewEntryID(e.At, rand)
	j.entries = append(j.entries, entryTrace{e.Account, id, e.At})
	return id, err
}

// headOf makes a head of what was scanned, which is missing where there was no row.
func headOf(err error, seq *int64, hash *[]byte) (*head, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return &head{missing: true}, nil
	}
	return &head{Head: audit.Head{Seq: *seq, Hash: chainHash(*hash)}}, err
}

func entryRow(e *audit.Entry) sqlgen.InsertEntryParams {
	chained := int64(0)
	if e.IsChange() {
		chained = 1
	}
	return sqlgen.InsertEntryParams{
		AccountID: string(e.Account), ID: string(e.ID), Chained: chained, Seq: e.Seq, Time: micros(e.At),
		ActorKind: string(e.ActorKind), Actor: e.Actor, Action: string(e.Action), Target: e.Target,
		Outcome: string(e.Outcome), Detail: e.Detail, Address: audit.AddressText(e.Address),
		UserAgent: e.UserAgent, RequestID: string(e.RequestID), Count: e.Count,
		PrevHash: e.Prev[:], Hash: e.Hash[:],
	}
}

func entryOf(r sqlgen.AuditEntry) audit.Entry {
	e := audit.Entry{
		ID: ident.EntryID(r.ID), Account: ident.AccountID(r.AccountID), At: fromMicros(r.Time),
		ActorKind: access.Kind(r.ActorKind), Actor: r.Actor, Action: audit.Action(r.Action), Target: r.Target,
		Outcome: audit.Outcome(r.Outcome), Detail: r.Detail, UserAgent: r.UserAgent,
		RequestID: ident.RequestID(r.RequestID), Count: r.Count, Seq: r.Seq,
	}
	// An address that does not read back leaves the digest different: verification finds it.
	e.Address, _ = netip.ParseAddr(r.Address)
	e.Prev, e.Hash = chainHash(r.PrevHash), chainHash(r.Hash)
	return e
}

// entriesAPage is how many entries are read at a time in walks over the record.
const entriesAPage = 500

// Entries implements audit.Reader.
func (s *Store) Entries(ctx context.Context, account ident.AccountID, before ident.EntryID, limit int) ([]audit.Entry, error) {
	if before == "" {
		before = "~" // after every entry id
	}
	rows, err := ask(s, "read audit entries", func() ([]sqlgen.AuditEntry, error) {
		return s.reads.PageOfEntries(ctx, string(account), string(before), int32(limit))
	})
	return entries(rows), err
}

// Chain implements audit.Reader.
func (s *Store) Chain(ctx context.Context, account ident.AccountID, after int64) ([]audit.Entry, error) {
	rows, err := ask(s, "read the audit chain", func() ([]sqlgen.AuditEntry, error) {
		return s.reads.PageOfChain(ctx, string(account), after, entriesAPage)
	})
	return entries(rows), err
}

// Head implements audit.Reader.
func (s *Store) Head(ctx context.Context, account ident.AccountID) (audit.Head, error) {
	row, err := ask(s, "read the audit head", func() (sqlgen.GetHeadRow, error) {
		row, err := s.reads.GetHead(ctx, string(account))
		return row, missing(err, noAccount)
	})
	if err != nil {
		return audit.Head{}, err
	}
	return audit.Head{Seq: row.AuditSeq, Hash: chainHash(row.AuditHash)}, nil
}

// HashAt implements audit.Reader.
func (s *Store) HashAt(ctx context.Context, account ident.AccountID, seq int64) (audit.Hash, error) {
	row, err := ask(s, "read the audit chain", func() ([]byte, error) {
		row, err := s.reads.GetChainHash(ctx, string(account), seq)
		return row, missing(err, "there is no such entry")
	})
	return chainHash(row), err
}

func entries(rows []sqlgen.AuditEntry) []audit.Entry {
	list := make([]audit.Entry, len(rows))
	for i, r := range rows {
		list[i] = entryOf(r)
	}
	return list
}
