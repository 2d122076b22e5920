package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// record is entries from the oldest to the newest. Only Entries of its Reader works.
type record struct {
	audit.Reader
	entries []audit.Entry
	err     error // of every read after the first
	reads   int
}

func (r *record) Entries(_ context.Context, _ ident.AccountID, before ident.EntryID, limit int) ([]audit.Entry, error) {
	if r.reads++; r.reads > 1 && r.err != nil {
		return nil, r.err
	}
	var page []audit.Entry
	for _, e := range slices.Backward(r.entries) {
		if (before == "" || e.ID < before) && len(page) < limit {
			page = append(page, e)
		}
	}
	return page, nil
}

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// newRecord makes n entries, step apart, of three actions in turn.
func newRecord(n int, step time.Duration) *record {
	r := &record{}
	for i := range n {
		at := noon.Add(time.Duration(i) * step)
		id, err := ident.NewEntryID(at, zeroes{})
		if err != nil {
			panic(err)
		}
		// Ids of the same millisecond sort at random: here against the time.
		id = id[:len(id)-4] + ident.EntryID(fmt.Sprintf("%04d", 9999-i))
		action := []audit.Action{audit.TokenIssue, audit.UserSuspend, audit.UserReactivate}[i%3]
		r.entries = append(r.entries, audit.Entry{ID: id, At: at, Action: action, Actor: "a", Outcome: audit.Done})
	}
	slices.SortFunc(r.entries, func(a, b audit.Entry) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return r
}

func selected(ctx context.Context, q query, r audit.Reader) ([]ident.EntryID, error) {
	var ids []ident.EntryID
	err := q.each(ctx, r, func(e audit.Entry) (bool, error) {
		ids = append(ids, e.ID)
		return true, nil
	})
	return ids, err
}

// TestSelection compares the walk, which begins and ends early, with looking at everything.
func TestSelection(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newRecord(rapid.IntRange(0, 3*entriesAtOnce).Draw(t, "n"), 300*time.Microsecond)
		bound := func(name string) time.Time {
			if rapid.Bool().Draw(t, name+" set") {
				return noon.Add(time.Duration(rapid.Int64Range(-1e6, 500e6).Draw(t, name)))
			}
			return time.Time{}
		}
		q := query{since: bound("since"), until: bound("until")}
		q.Actions = rapid.SampledFrom([][]string{nil, {"users.suspend"}, {"users.*"}, {"token.issue", "users.reactivate"}, {"none"}}).Draw(t, "actions")
		var want []ident.EntryID
		for _, e := range slices.Backward(r.entries) {
			if q.wants(e) {
				want = append(want, e.ID)
			}
		}
		got, err := selected(context.Background(), q, r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

func TestSelectionReadsNoFurtherThanNeeded(t *testing.T) {
	t.Parallel()
	r := newRecord(10*entriesAtOnce, time.Second)
	if _, err := selected(t.Context(), query{since: noon.Add(9990 * time.Second)}, r); err != nil || r.reads != 1 {
		t.Errorf("%d reads, error %v: want one read for the newest", r.reads, err)
	}
	r.reads = 0
	n := 0
	err := query{}.each(t.Context(), r, func(audit.Entry) (bool, error) { n++; return n < 3, nil })
	if err != nil || n != 3 || r.reads != 1 {
		t.Errorf("%d entries in %d reads, error %v: want 3 in one", n, r.reads, err)
	}
}

func TestSelectionStops(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	r := newRecord(2*entriesAtOnce, time.Second)
	r.err = broken
	if _, err := selected(t.Context(), query{}, r); !errors.Is(err, broken) {
		t.Errorf("got error %v, want the reader's", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := selected(ctx, query{}, newRecord(2*entriesAtOnce, time.Second)); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
	if _, err := selected(t.Context(), query{until: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)}, r); err == nil {
		t.Error("before 1970: got no error")
	}
}

func TestReadMoment(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Time{
		"": {}, "24h": noon.Add(-24 * time.Hour), "0s": noon, "2026-07-01": time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
		"2026-07-01T02:00:00+02:00": time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), "2026-07-01T00:00:00.5Z": time.Date(2026, 7, 1, 0, 0, 0, 5e8, time.UTC),
	} {
		got, err := readMoment("--since", text, noon)
		if err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, error %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-1h", "2026-13-01", "2026-07-01 00:00:00", "1785542400"} {
		var misuse *terminal.Misuse
		if _, err := readMoment("--since", text, noon); !errors.As(err, &misuse) {
			t.Errorf("%q: got error %v, want a mistake in what was typed", text, err)
		}
	}
}

func TestExportIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole, cut := filepath.Join(dir, "whole.csv"), filepath.Join(dir, "cut.csv")
	n, err := exportFile(t.Context(), whole, true, query{}, newRecord(1200, time.Second))
	if err != nil || n != 1200 {
		t.Fatalf("got %d, error %v, want 1200", n, err)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 1201 {
		t.Errorf("%d rows, error %v, want 1201", len(rows), err)
	}
	r := newRecord(1200, time.Second)
	r.err = errors.New("broken")
	if _, err := exportFile(t.Context(), cut, true, query{}, r); !errors.Is(err, r.err) {
		t.Errorf("got error %v, want the reader's", err)
	}
	leavesOnly(t, whole)
	if _, err := exportFile(t.Context(), filepath.Join(dir, "none", "x"), true, query{}, r); err == nil {
		t.Error("no such folder: got no error")
	}
	for _, asCSV := range []bool{false, true} {
		if _, err := exportEntries(t.Context(), &failing{}, asCSV, query{}, newRecord(3, time.Second)); !errors.Is(err, errFull) {
			t.Errorf("csv %t: got error %v, want %v", asCSV, err, errFull)
		}
	}
}

type failing struct{}

var errFull = errors.New("full")

func (failing) Write([]byte) (int, error) { return 0, errFull }
