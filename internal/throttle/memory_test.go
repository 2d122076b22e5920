package throttle_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/throttle/throttletest"
)

func newMemory(t testing.TB, policies []throttle.Policy, keys int) *throttle.Memory {
	t.Helper()
	m, err := throttle.NewMemory(policies, throttletest.Epoch, keys)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMemory(t *testing.T) {
	t.Parallel()
	throttletest.Run(t, func(policies []throttle.Policy) throttle.Limiter {
		return newMemory(t, policies, 0)
	})
}

func TestNewMemoryRefusesWrongPolicies(t *testing.T) {
	t.Parallel()
	limit := func(per time.Duration, n int) []throttle.Policy {
		return []throttle.Policy{{Class: throttle.ClassUsers, Limits: []throttle.Limit{{Name: "requests a while", Per: per, Max: n}}}}
	}
	tests := []struct {
		name     string
		policies []throttle.Policy
		keys     int
		want     string
	}{
		{"negative figure", limit(time.Minute, -1), 0,
			"throttle: policy users: -1 requests a while: the figure must be 0 (no limit) to 1000000000"},
		{"figure too large", limit(time.Minute, 1_000_000_001), 0,
			"throttle: policy users: 1000000001 requests a while: the figure must be 0 (no limit) to 1000000000"},
		{"window too short", limit(time.Millisecond, 5), 0,
			"throttle: policy users: 5 requests a while: the window 1ms must be 1s to 1h0m0s in whole microseconds"},
		{"window too long", limit(2*time.Hour, 5), 0,
			"throttle: policy users: 5 requests a while: the window 2h0m0s must be 1s to 1h0m0s in whole microseconds"},
		{"window too fine", limit(time.Minute+1, 5), 0,
			"throttle: policy users: 5 requests a while: the window 1m0.000000001s must be 1s to 1h0m0s in whole microseconds"},
		{"no class", []throttle.Policy{{}}, 0, "throttle: policy class(0): no such class"},
		{"class given twice", append(limit(time.Minute, 5), limit(time.Hour, 5)...), 0,
			"throttle: policy users is given twice, want once"},
		{"negative bound", nil, -1, "throttle: keys per class: -1, want 0 (the default) or more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := throttle.NewMemory(tt.policies, throttletest.Epoch, tt.keys)
			if diff := cmp.Diff(tt.want, fmt.Sprint(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func mustSpend(t testing.TB, m *throttle.Memory, class throttle.Class, subject string, after time.Duration) throttle.Decision {
	t.Helper()
	d, err := m.Spend(context.Background(), throttle.Key{Class: class, Subject: subject}, throttletest.Epoch.Add(after))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A flood of addresses must neither grow without bound nor make the limiter forget
// an application that has used its allowance up.
func TestMemoryFloodOfAddresses(t *testing.T) {
	t.Parallel()
	const bound = 640
	m := newMemory(t, throttle.DefaultPolicies(), bound)
	for range 100 {
		mustSpend(t, m, throttle.ClassUsers, "app", 0)
	}
	for i := range 20 * bound {
		mustSpend(t, m, throttle.ClassAuthFailures, fmt.Sprintf("address-%d", i), time.Duration(i)*time.Microsecond)
	}
	if d := mustSpend(t, m, throttle.ClassUsers, "app", time.Second); d.Admitted {
		t.Error("the application's spent allowance was forgotten")
	}
	want := throttle.Stats{Keys: bound, Evicted: 19 * bound}
	if diff := cmp.Diff(want, m.Stats(throttle.ClassAuthFailures)); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(throttle.Stats{Keys: 1}, m.Stats(throttle.ClassUsers)); diff != "" {
		t.Errorf("applications (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(throttle.Stats{}, m.Stats(0)); diff != "" {
		t.Errorf("no class (-want +got):\n%s", diff)
	}
}

// At the bound idle keys go first, and that is no loss.
func TestMemoryDisplacesIdleKeysFirst(t *testing.T) {
	t.Parallel()
	const bound = 640
	m := newMemory(t, throttle.DefaultPolicies(), bound)
	for i := range 20 * bound {
		mustSpend(t, m, throttle.ClassAuthFailures, fmt.Sprintf("old-%d", i), 0)
	}
	before := m.Stats(throttle.ClassAuthFailures)
	for i := range bound / 2 {
		mustSpend(t, m, throttle.ClassAuthFailures, fmt.Sprintf("new-%d", i%8), time.Minute)
	}
	after := m.Stats(throttle.ClassAuthFailures)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("displacing idle keys changed size or lost counts (-before +after):\n%s", diff)
	}
	for i := range 8 {
		d, err := m.Peek(t.Context(), throttle.Key{Class: throttle.ClassAuthFailures, Subject: fmt.Sprintf("new-%d", i)},
			throttletest.Epoch.Add(time.Minute))
		if err != nil || d.Admitted {
			t.Errorf("key new-%d, spent 40 times: %+v, %v; want refused", i, d, err)
		}
	}
}

func TestMemoryHoldsNothingForUnlimitedKeys(t *testing.T) {
	t.Parallel()
	m := newMemory(t, throttle.Settings{}.Policies(), 0)
	mustSpend(t, m, throttle.ClassUsers, "app", 0)
	if got := m.Stats(throttle.ClassUsers).Keys; got != 0 {
		t.Errorf("%d keys held, want 0", got)
	}
}

func TestMemorySweep(t *testing.T) {
	t.Parallel()
	m := newMemory(t, throttle.DefaultPolicies(), 1<<20)
	const keys = 20_000 // several batches in every shard
	for i := range 10 {
		mustSpend(t, m, throttle.ClassUsers, fmt.Sprintf("app-%d", i), 0)
	}
	for i := range keys {
		mustSpend(t, m, throttle.ClassAuthFailures, fmt.Sprintf("address-%d", i), 0)
	}
	for i := range 10 {
		mustSpend(t, m, throttle.ClassAuthFailures, fmt.Sprintf("address-%d", i), time.Second)
	}
	steps := []struct {
		after     time.Duration
		dropped   int
		addresses int
		apps      int
	}{
		{time.Minute - time.Microsecond, 0, keys, 10},
		{time.Minute, keys - 10, 10, 10},
		{61*time.Second - time.Microsecond, 0, 10, 10},
		{61 * time.Second, 10, 0, 10},
		{time.Minute, 0, 0, 10},
		{time.Hour, 10, 0, 0},
	}
	for _, s := range steps {
		if got := m.Sweep(throttletest.Epoch.Add(s.after)); got != s.dropped {
			t.Errorf("Sweep at +%s dropped %d, want %d", s.after, got, s.dropped)
		}
		got := []throttle.Stats{m.Stats(throttle.ClassAuthFailures), m.Stats(throttle.ClassUsers)}
		want := []throttle.Stats{{Keys: s.addresses}, {Keys: s.apps}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after Sweep at +%s (-want +got):\n%s", s.after, diff)
		}
	}
}

// A key that was swept must not come back younger when the clock goes back.
func TestMemorySweepThenClockBack(t *testing.T) {
	t.Parallel()
	m := newMemory(t, throttle.DefaultPolicies(), 0)
	mustSpend(t, m, throttle.ClassUsers, "app", 0)
	m.Sweep(throttletest.Epoch.Add(2 * time.Hour))
	mustSpend(t, m, throttle.ClassUsers, "app", 0)
	d := mustSpend(t, m, throttle.ClassUsers, "app", 2*time.Hour+30*time.Second)
	if d.Remaining != 98 || d.Reset != 30*time.Second {
		t.Errorf("got %+v, want 98 remaining and the first to leave in 30s", d)
	}
}

func TestMemorySweepsWhileSpending(t *testing.T) {
	t.Parallel()
	m := newMemory(t, throttle.DefaultPolicies(), 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			m.Sweep(throttletest.Epoch.Add(time.Duration(i) * time.Second))
			m.Stats(throttle.ClassUsers)
		}
	}()
	for i := range 5000 {
		mustSpend(t, m, throttle.ClassUsers, fmt.Sprintf("app-%d", i%50), time.Duration(i)*time.Second)
	}
	<-done
	if got := m.Stats(throttle.ClassUsers).Keys; got != 50 {
		t.Errorf("%d keys held, want 50", got)
	}
}

// Not parallel: allocations are counted for the whole process.
func TestMemorySteadyStateDoesNotAllocate(t *testing.T) { //nolint:paralleltest // AllocsPerRun may not run in parallel
	m := newMemory(t, throttle.DefaultPolicies(), 0)
	key := throttle.Key{Class: throttle.ClassUsers, Subject: "app"}
	now := throttletest.Epoch
	step := func() {
		now = now.Add(700 * time.Millisecond) // admits most, refuses some, and expires
		if _, err := m.Spend(context.Background(), key, now); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Peek(context.Background(), key, now); err != nil {
			t.Fatal(err)
		}
	}
	for range 20_000 {
		step()
	}
	if got := testing.AllocsPerRun(5000, step); got != 0 {
		t.Errorf("Spend and Peek allocate %v times, want 0", got)
	}
}
