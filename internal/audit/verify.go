package audit

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Reader reads the record back.
type Reader interface {
	// Head returns the end of the account's chain; NotFound if there is no such account.
	Head(ctx context.Context, account ident.AccountID) (Head, error)
	// Chain returns the next change entries after a place in the chain, by Seq, a
	// bounded number of them; none is the end.
	Chain(ctx context.Context, account ident.AccountID, after int64) ([]Entry, error)
	// HashAt returns the Hash of the change entry at seq; NotFound if there is none.
	HashAt(ctx context.Context, account ident.AccountID, seq int64) (Hash, error)
	// Entries returns up to limit entries of any kind before an id ("" = from the
	// newest), from the newest to the oldest.
	Entries(ctx context.Context, account ident.AccountID, before ident.EntryID, limit int) ([]Entry, error)
}

// MaxProblems is how many problems a Report names; a record with more has been
// rewritten, and the first ones say where that begins.
const MaxProblems = 100

// Report is what a verification found.
type Report struct {
	Changes  int64 // entries of the chain
	Others   int64 // entries hanging under it
	Problems []Problem
}

// Problem is one place where the record is not what was written.
type Problem struct {
	EntryID ident.EntryID // empty where an entry is missing
	Seq     int64         // the place in the chain
	What    string        // in words for an administrator
}

// Verify reads an account's whole record and reports every place where an entry was
// altered, removed from the chain, moved or added behind its back. It may run while
// the record grows. Entries that are not changes may be missing: old ones are purged.
// The empty account, under which callers of no known account are filed, has no chain.
// The error is the reader's: the report is then incomplete.
//
// Who can write the database can also compute a whole new chain: compare Head with one
// kept elsewhere to find that.
func Verify(ctx context.Context, r Reader, account ident.AccountID) (Report, error) {
	v := verifier{reader: r, account: account}
	if account != "" {
		if err := v.chain(ctx); err != nil {
			return v.Report, fmt.Errorf("audit: verify the chain of account %s: %w", account, err)
		}
	}
	if err := v.entries(ctx); err != nil {
		return v.Report, fmt.Errorf("audit: verify the entries of account %s: %w", account, err)
	}
	return v.Report, nil
}

type verifier struct {
	Report
	reader  Reader
	account ident.AccountID
	// at is the change entry whose hash was asked for last: entries of one time hang
	// under the same one.
	at Head
}

func (v *verifier) found(e Entry, format string, args ...any) {
	if len(v.Problems) < MaxProblems {
		v.Problems = append(v.Problems, Problem{EntryID: e.ID, Seq: e.Seq, What: fmt.Sprintf(format, args...)})
	}
}

// chain walks the change entries. The head is read before the walk and after: entries
// appended meanwhile lie between the two.
func (v *verifier) chain(ctx context.Context) error {
	before, err := v.reader.Head(ctx, v.account)
	if err != nil {
		return err
	}
	var last Head
	passed := before.Seq == 0 && before.Hash == Hash{}
	for {
		entries, err := v.reader.Chain(ctx, v.account, last.Seq)
		if err != nil {
			return err
		}
		for i := range entries {
			last = v.link(last, &entries[i])
			passed = passed || last == before
		}
		if len(entries) == 0 {
			break
		}
	}
	_, more, err := v.place(ctx, last.Seq+1)
	if err != nil {
		return err
	}
	after, err := v.reader.Head(ctx, v.account)
	if err != nil {
		return err
	}
	if more && after.Seq <= last.Seq {
		v.found(Entry{Seq: last.Seq + 1}, "entry %d of the chain is missing", last.Seq+1)
	}
	v.end(last, before, after, passed)
	return nil
}

// link checks one change entry against the one before it.
func (v *verifier) link(last Head, e *Entry) Head {
	v.Changes++
	switch {
	case e.Seq != last.Seq+1:
		v.found(Entry{Seq: last.Seq + 1}, "entries %d to %d of the chain are missing", last.Seq+1, e.Seq-1)
	case e.Prev != last.Hash:
		v.found(*e, "it does not follow from the entry before it")
	}
	if !e.IsChange() {
		v.found(*e, "it is not a change and has no place in the chain")
	}
	v.digest(e)
	return Head{Seq: e.Seq, Hash: e.Hash}
}

func (v *verifier) digest(e *Entry) {
	if e.Digest() != e.Hash {
		v.found(*e, "its content is not what was written")
	}
}

// end compares the last entry with the account's head.
func (v *verifier) end(last, before, after Head, passed bool) {
	switch {
	case last.Seq < before.Seq:
		v.found(Entry{Seq: last.Seq + 1}, "the chain ends at %d and the account's head is at %d: its last entries are missing", last.Seq, before.Seq)
	case after.Seq < last.Seq:
		v.found(Entry{Seq: after.Seq}, "the account's head is at %d and the chain goes on to %d", after.Seq, last.Seq)
	case !passed, after.Seq == last.Seq && after.Hash != last.Hash:
		v.found(Entry{Seq: after.Seq}, "the account's head is not the hash of the chain's entry")
	}
}

// entriesAtATime is how many entries are in memory at once.
const entriesAtATime = 500

// entries walks everything there is, by id: what the walk along the chain does not
// meet is found here.
func (v *verifier) entries(ctx context.Context) error {
	before := ident.EntryID("")
	for {
		entries, err := v.reader.Entries(ctx, v.account, before, entriesAtATime)
		if err != nil || len(entries) == 0 {
			return err
		}
		for i := range entries {
			if err := v.entry(ctx, &entries[i]); err != nil {
				return err
			}
		}
		before = entries[len(entries)-1].ID
	}
}

// entry checks one entry against the place in the chain that it claims.
func (v *verifier) entry(ctx context.Context, e *Entry) error {
	place, known, err := v.place(ctx, e.Seq)
	if err != nil {
		return err
	}
	if e.IsChange() && v.account != "" {
		if !known || place != e.Hash {
			v.found(*e, "it is a change and not in the chain")
		}
		return nil
	}
	v.Others++
	v.digest(e)
	switch {
	case !known:
		v.found(*e, "the change it hangs under, entry %d of the chain, is missing", e.Seq)
	case e.Prev != place:
		v.found(*e, "it does not hang under entry %d of the chain as that is now", e.Seq)
	}
	return nil
}

// place returns the hash of the change entry at seq; before the first it is zero.
func (v *verifier) place(ctx context.Context, seq int64) (Hash, bool, error) {
	if seq == 0 {
		return Hash{}, true, nil
	}
	if v.at.Seq != seq {
		hash, err := v.reader.HashAt(ctx, v.account, seq)
		if fault.KindOf(err) == fault.KindNotFound {
			return Hash{}, false, nil
		}
		if err != nil {
			return Hash{}, false, err
		}
		v.at = Head{Seq: seq, Hash: hash}
	}
	return v.at.Hash, true, nil
}
