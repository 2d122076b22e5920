package usage_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/usage"
)

var hour = time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC)

// shelf is a Store in memory that fails after a number of calls, if fails is not zero.
type shelf struct {
	sums  map[usage.Key]usage.Counts
	calls []int
	fails int
}

var errFull = errors.New("full")

func (s *shelf) AddUsage(_ context.Context, rows []usage.Row) error {
	s.calls = append(s.calls, len(rows))
	if s.fails != 0 && len(s.calls) == s.fails {
		return errFull
	}
	if s.sums == nil {
		s.sums = map[usage.Key]usage.Counts{}
	}
	for _, r := range rows {
		c := s.sums[r.Key]
		s.sums[r.Key] = usage.Counts{Requests: c.Requests + r.Requests, Errors: c.Errors + r.Errors, Limited: c.Limited + r.Limited}
	}
	return nil
}

func (s *shelf) Usage(context.Context, ident.AccountID, time.Time) ([]usage.Row, error) {
	return nil, nil
}

func (s *shelf) rows() []usage.Row {
	var rows []usage.Row
	for k, c := range s.sums {
		rows = append(rows, usage.Row{Key: k, Counts: c})
	}
	slices.SortFunc(rows, func(a, b usage.Row) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Client, b.Client), cmp.Compare(a.UserAgent, b.UserAgent))
	})
	return rows
}

func flush(t *testing.T, m *usage.Meter, s *shelf) {
	t.Helper()
	if err := m.Flush(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	var m usage.Meter
	for status, n := range map[int]int{200: 4, 399: 1, 400: 2, 429: 3, 503: 1} {
		for range n {
			m.Observe("A", "C", "Acme/1", status, hour.Add(59*time.Minute))
		}
	}
	m.Observe("A", "C", "Acme/1\x00\xff"+strings.Repeat("x", 300), 200, hour.In(time.FixedZone("x", 1800)))
	m.Observe("A", "C", "Acme/1", 200, hour.Add(time.Hour))
	var s shelf
	flush(t, &m, &s)
	key := func(at time.Time, agent string) usage.Key {
		return usage.Key{Hour: at, Account: "A", Client: "C", UserAgent: agent}
	}
	want := []usage.Row{
		{Key: key(hour, "Acme/1"), Counts: usage.Counts{Requests: 11, Errors: 6, Limited: 3}},
		{Key: key(hour, "Acme/1"+strings.Repeat("x", 248)), Counts: usage.Counts{Requests: 1}},
		{Key: key(hour.Add(time.Hour), "Acme/1"), Counts: usage.Counts{Requests: 1}},
	}
	if diff := gocmp.Diff(want, s.rows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	flush(t, &m, &s)
	if len(s.calls) != 1 {
		t.Errorf("nothing new was added to the store %d times", len(s.calls)-1)
	}
}

// TestNoCountIsTakenTwice fails the store in the middle of a flush.
func TestNoCountIsTakenTwice(t *testing.T) {
	t.Parallel()
	for fails := range 4 {
		var m usage.Meter
		for i := range 1200 {
			m.Observe("A", "C", fmt.Sprint(i), 429, hour)
		}
		s := shelf{fails: fails}
		err := m.Flush(t.Context(), &s)
		if want := fails > 0; errors.Is(err, errFull) != want {
			t.Errorf("failing at %d: got error %v", fails, err)
		}
		m.Observe("A", "C", "7", 200, hour)
		flush(t, &m, &s)
		var sum usage.Counts
		for _, c := range s.sums {
			sum.Requests += c.Requests
			sum.Errors += c.Errors
			sum.Limited += c.Limited
		}
		if diff := gocmp.Diff(usage.Counts{Requests: 1201, Errors: 1200, Limited: 1200}, sum); diff != "" || len(s.sums) != 1200 {
			t.Errorf("failing at %d: %d rows, sums (-want +got):\n%s", fails, len(s.sums), diff)
		}
	}
}

// TestMemoryIsBounded: User-Agents beyond the bound are counted together, an application.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	var m usage.Meter
	const agents = 10_000
	for i := range 3 * agents {
		m.Observe("A", "C", fmt.Sprint(i), 200, hour)
	}
	m.Observe("A", "C", "0", 200, hour) // known: still its own
	m.Observe("B", "D", "new", 200, hour)
	var s shelf
	flush(t, &m, &s)
	if len(s.sums) != agents+2 {
		t.Errorf("got %d rows, want %d and one more an application", len(s.sums), agents)
	}
	for key, want := range map[usage.Key]int64{
		{Hour: hour, Account: "A", Client: "C", UserAgent: "0"}:         2,
		{Hour: hour, Account: "A", Client: "C", UserAgent: usage.Other}: 2 * agents,
		{Hour: hour, Account: "B", Client: "D", UserAgent: usage.Other}: 1,
	} {
		if got := s.sums[key].Requests; got != want {
			t.Errorf("%+v: got %d requests, want %d", key, got, want)
		}
	}
}

func TestMeterIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var m usage.Meter
	var s shelf
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 500 {
				m.Observe("A", "C", "Acme/1", 200, hour)
			}
		})
	}
	for range 10 {
		flush(t, &m, &s)
	}
	callers.Wait()
	flush(t, &m, &s)
	want := []usage.Row{{Key: usage.Key{Hour: hour, Account: "A", Client: "C", UserAgent: "Acme/1"}, Counts: usage.Counts{Requests: 4000}}}
	if diff := gocmp.Diff(want, s.rows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
