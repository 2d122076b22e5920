package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// shelf is a record in memory. What real databases make of tampering is told by the
// store's tests.
type shelf struct {
	head    audit.Head
	entries []audit.Entry // by id
	err     error
	onRead  func(*shelf) // what somebody else does at that moment
}

func (s *shelf) put(e audit.Entry) {
	e.ID = ident.EntryID(fmt.Sprintf("%09d", len(s.entries)))
	s.head = s.head.Link(&e)
	s.entries = append(s.entries, e)
}

func (s *shelf) change() {
	s.put(audit.Entry{Account: "A", Action: audit.UserSuspend, Outcome: audit.Done, At: noon})
}
func (s *shelf) refusal() {
	s.put(audit.Entry{Account: "A", Action: audit.UserSuspend, Outcome: audit.Refused, At: noon})
}

func (s *shelf) Head(context.Context, ident.AccountID) (audit.Head, error) { return s.head, nil }

func (s *shelf) Chain(_ context.Context, _ ident.AccountID, after int64) ([]audit.Entry, error) {
	if s.onRead != nil {
		s.onRead(s)
	}
	var page []audit.Entry
	for _, e := range s.entries {
		if e.IsChange() && e.Seq > after && len(page) < 3 {
			page = append(page, e)
		}
	}
	return page, s.err
}

func (s *shelf) HashAt(_ context.Context, _ ident.AccountID, seq int64) (audit.Hash, error) {
	for _, e := range s.entries {
		if e.IsChange() && e.Seq == seq {
			return e.Hash, s.err
		}
	}
	return audit.Hash{}, fault.NotFound("no such entry")
}

func (s *shelf) Entries(_ context.Context, _ ident.AccountID, before ident.EntryID, limit int) ([]audit.Entry, error) {
	var page []audit.Entry
	for _, e := range slices.Backward(s.entries) {
		if (before == "" || e.ID < before) && len(page) < limit {
			page = append(page, e)
		}
	}
	return page, s.err
}

func recorded() *shelf {
	s := &shelf{}
	s.refusal()
	for range 10 {
		s.change()
		s.refusal()
	}
	return s
}

func TestVerifyWhileTheRecordGrows(t *testing.T) {
	t.Parallel()
	s := recorded()
	left := 20
	s.onRead = func(s *shelf) {
		if left--; left > 0 {
			s.change()
			s.refusal()
		}
	}
	report, err := audit.Verify(t.Context(), s, "A")
	if err != nil || len(report.Problems) != 0 || report.Changes < 10 || report.Others < 11 {
		t.Errorf("got %+v and error %v, want no problem", report, err)
	}
	empty, err := audit.Verify(t.Context(), &shelf{}, "A")
	if diff := cmp.Diff(audit.Report{}, empty); diff != "" || err != nil {
		t.Errorf("an empty record: error %v (-want +got):\n%s", err, diff)
	}
}

// TestVerifyFindsWhatHangsElsewhere: an entry whose own hash is right, under a change that
// is not the one there is.
func TestVerifyFindsWhatHangsElsewhere(t *testing.T) {
	t.Parallel()
	for _, at := range []int{0, 2, 4} {
		s := recorded()
		e := &s.entries[at]
		e.Prev[0]++
		e.Hash = e.Digest()
		report, err := audit.Verify(t.Context(), s, "A")
		want := []audit.Problem{{EntryID: e.ID, Seq: e.Seq, What: fmt.Sprintf("it does not hang under entry %d of the chain as that is now", e.Seq)}}
		if diff := cmp.Diff(want, report.Problems); diff != "" || err != nil {
			t.Errorf("entry %d: error %v, problems (-want +got):\n%s", at, err, diff)
		}
	}
}

func TestVerifyNamesAHundredProblems(t *testing.T) {
	t.Parallel()
	s := &shelf{}
	for range 300 {
		s.change()
	}
	for i := range s.entries {
		s.entries[i].Detail = "rewritten"
	}
	report, err := audit.Verify(t.Context(), s, "A")
	if err != nil || len(report.Problems) != audit.MaxProblems || report.Changes != 300 {
		t.Errorf("got %d problems of %d changes and error %v, want %d of 300", len(report.Problems), report.Changes, err, audit.MaxProblems)
	}
}

func TestVerifyFailsWithItsReader(t *testing.T) {
	t.Parallel()
	s := recorded()
	s.err = errors.New("unreadable")
	for _, account := range []ident.AccountID{"A", ""} {
		if _, err := audit.Verify(t.Context(), s, account); !errors.Is(err, s.err) {
			t.Errorf("%q: got error %v, want %v", account, err, s.err)
		}
	}
}
