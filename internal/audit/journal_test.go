package audit_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/audit"
)

// slowStore takes entries when it is let; each Append waits for a turn.
type slowStore struct {
	turns chan error

	mu      sync.Mutex
	entries []audit.Entry
	batches []int
}

func (s *slowStore) Append(_ context.Context, entries []audit.Entry) error {
	err := <-s.turns
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, len(entries))
	if err == nil {
		s.entries = append(s.entries, entries...)
	}
	return err
}

func note(actor string) audit.Entry {
	return audit.Entry{Actor: actor, Action: audit.Authenticate, Outcome: audit.Refused, Count: 1}
}

// stuck returns a journal whose store holds its first entry and takes no more before
// the turns channel is closed or given.
func stuck(t *testing.T, fail func(error, int64)) (*audit.Journal, *slowStore) {
	t.Helper()
	s := &slowStore{turns: make(chan error)}
	j := audit.NewJournal(s, fail)
	j.Note(note("first"))
	synctest.Wait()
	return j, s
}

func noFailure(t *testing.T) func(error, int64) {
	return func(err error, lost int64) { t.Errorf("%d entries lost: %v", lost, err) }
}

func total(entries []audit.Entry) (n int64) {
	for _, e := range entries {
		n += e.Count
	}
	return n
}

func TestJournalKeepsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, s := stuck(t, noFailure(t))
		want := []string{"first"}
		for i := range 600 {
			want = append(want, fmt.Sprint(i))
			j.Note(note(want[i+1]))
		}
		close(s.turns)
		if err := j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range s.entries {
			got = append(got, e.Actor)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("actors (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]int{1, 256, 256, 88}, s.batches); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
	})
}

// TestJournalFoldsAFlood: equal entries become one, different ones stay apart, and every
// one is counted.
func TestJournalFoldsAFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, s := stuck(t, noFailure(t))
		const flood = 50_000
		for range flood {
			j.Note(note("mallory"))
		}
		for range 3 {
			e := note("mallory")
			e.Account = "A" // another account: another entry
			j.Note(e)
			j.Note(note("victim"))
		}
		close(s.turns)
		if err := j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := total(s.entries); got != 1+flood+6 {
			t.Errorf("%d were counted, want %d", got, 1+flood+6)
		}
		if got, want := len(s.entries), 1+audit.FoldAbove+3; got != want {
			t.Errorf("got %d entries, want %d", got, want)
		}
		tail := map[string]int64{}
		for _, e := range s.entries[1+audit.FoldAbove:] {
			tail[string(e.Account)+"/"+e.Actor] = e.Count
		}
		if diff := cmp.Diff(map[string]int64{"/mallory": flood - audit.FoldAbove, "A/mallory": 3, "/victim": 3}, tail); diff != "" {
			t.Errorf("folded (-want +got):\n%s", diff)
		}
	})
}

// TestJournalFoldsAgain: each flood is folded by itself, once the one before is written.
func TestJournalFoldsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, s := stuck(t, noFailure(t))
		const flood = 3 * audit.FoldAbove
		for range flood {
			j.Note(note("mallory"))
		}
		s.turns <- nil
		synctest.Wait() // the flood is being written: the next one gathers meanwhile
		for range flood {
			j.Note(note("eve"))
		}
		j.Note(note("mallory"))
		close(s.turns)
		if err := j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, e := range s.entries {
			got[e.Actor] += e.Count
		}
		if diff := cmp.Diff(map[string]int64{"first": 1, "mallory": flood + 1, "eve": flood}, got); diff != "" {
			t.Errorf("counted (-want +got):\n%s", diff)
		}
	})
}

// TestJournalIsBounded: a flood of entries that all differ is counted, not kept; who was
// known before it stays told apart.
func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, s := stuck(t, noFailure(t))
		const flood = 3 * audit.MaxWaiting
		for i := range flood {
			j.Note(note(fmt.Sprint("caller ", i)))
		}
		j.Note(note(fmt.Sprint("caller ", audit.FoldAbove)))
		limited := note("another")
		limited.Outcome = audit.Limited
		j.Note(limited)
		close(s.turns)
		if err := j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := total(s.entries); got != flood+3 {
			t.Errorf("%d were counted, want %d", got, flood+3)
		}
		if got, want := len(s.entries), 1+audit.MaxWaiting+2; got != want {
			t.Fatalf("got %d entries, want %d: one more an outcome", got, want)
		}
		if got := s.entries[1+audit.FoldAbove]; got.Count != 2 {
			t.Errorf("got %+v, want the known caller counted twice", got)
		}
		rest := s.entries[1+audit.MaxWaiting]
		if rest.Actor != "" || rest.Count != flood-audit.MaxWaiting || rest.Detail == "" || rest.Action != audit.Authenticate {
			t.Errorf("got %+v, want the rest of the flood in one", rest)
		}
	})
}

func TestJournalTellsOfLosses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("disk on fire")
		var lost []int64
		j, s := stuck(t, func(err error, n int64) {
			if !errors.Is(err, broken) {
				t.Errorf("got error %v, want %v", err, broken)
			}
			lost = append(lost, n)
		})
		folded := note("many")
		folded.Count = 5
		j.Note(folded)
		s.turns <- broken
		s.turns <- broken
		synctest.Wait()
		j.Note(note("after it is well again"))
		s.turns <- nil
		if err := j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int64{1, 5}, lost); diff != "" || len(s.entries) != 1 {
			t.Errorf("%d entries written, losses (-want +got):\n%s", len(s.entries), diff)
		}
	})
}

func TestJournalCloseIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, s := stuck(t, noFailure(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := j.Close(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
		j.Note(note("last"))
		close(s.turns)
		if err := j.Close(t.Context()); err != nil {
			t.Errorf("closing again: %v", err)
		}
		if len(s.entries) != 2 {
			t.Errorf("got %d entries, want what was noted before the journal ended", len(s.entries))
		}
	})
}

// TestJournalFoldsLimitHits: whoever goes on though limited costs an entry at once and
// one a round, however fast the store is; each hit is counted, callers stay apart.
func TestJournalFoldsLimitHits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slowStore{turns: make(chan error)}
		close(s.turns)
		j := audit.NewJournal(s, noFailure(t))
		hit := func(address string) {
			e := note("")
			e.Outcome, e.Address = audit.Limited, netip.MustParseAddr(address)
			j.Note(e)
			synctest.Wait()
		}
		for range 500 {
			hit("192.0.2.1")
			hit("2001:db8::1")
			hit("2001:db8::2") // the same /64
		}
		hit("192.0.2.2")
		counts := func() (n []int64) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, e := range s.entries {
				n = append(n, e.Count)
			}
			slices.Sort(n)
			return n
		}
		if diff := cmp.Diff([]int64{1, 1, 1}, counts()); diff != "" {
			t.Errorf("at once (-want +got):\n%s", diff)
		}
		time.Sleep(audit.RepeatEvery)
		synctest.Wait()
		if diff := cmp.Diff([]int64{1, 1, 1, 499, 999}, counts()); diff != "" {
			t.Errorf("after a round (-want +got):\n%s", diff)
		}
		hit("192.0.2.1")
		hit("192.0.2.1")
		if err := j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int64{1, 1, 1, 1, 1, 499, 999}, counts()); diff != "" {
			t.Errorf("after the end (-want +got):\n%s", diff)
		}
	})
}
