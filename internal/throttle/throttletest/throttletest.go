// Package throttletest is the conformance suite of throttle.Limiter: what every
// implementation must do, whatever it keeps its counts in.
//
// It leaves to each implementation what only that one promises: memory, eviction,
// speed, behaviour when its store fails. Every check uses subjects of its own, so
// limiters may share one store that is never emptied.
package throttletest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// Open makes a limiter with these policies. It is called many times in one test,
// from several goroutines, and ends the test if it fails. No time given to the
// limiter lies before Epoch.
type Open func(policies []throttle.Policy) throttle.Limiter

// Epoch is when the suite's clock starts.
var Epoch = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

// Run checks the implementation that open makes.
func Run(t *testing.T, open Open) {
	t.Helper()
	checks := []struct {
		name  string
		check func(*testing.T, Open)
	}{
		{"zero means no limit", zeroMeansNoLimit},
		{"a malformed key is an error", malformedKey},
		{"a burst admits exactly the limit", burst},
		{"a window slides", slides},
		{"a refused request is not counted", refusedIsNotCounted},
		{"windows are spent together or not at all", together},
		{"the tightest window is told", tightest},
		{"peek counts nothing", peekCountsNothing},
		{"keys are independent", independent},
		{"a guard without room refuses and nothing is counted", guarded},
		{"a guard may be without limit, or its key", guardedUnlimited},
		{"a glance never refuses more than a peek", glance},
		{"a clock that goes back admits no more", clockGoesBack},
		{"a clock that jumps ahead empties windows", clockJumpsAhead},
		{"requests at one instant admit exactly the limit", concurrent},
		{"any sequence keeps every promise", anySequence},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.check(t, open)
		})
	}
}

var subjects atomic.Int64

func newKey() throttle.Key {
	return throttle.Key{
		Class:   throttle.ClassUsers,
		Subject: fmt.Sprintf("subject-%d", subjects.Add(1)),
	}
}

func policy(limits ...throttle.Limit) []throttle.Policy {
	return []throttle.Policy{{Class: throttle.ClassUsers, Limits: limits}}
}

func perMinute(n int) throttle.Limit {
	return throttle.Limit{Name: "requests a minute", Per: time.Minute, Max: n}
}

func perHour(n int) throttle.Limit {
	return throttle.Limit{Name: "requests an hour", Per: time.Hour, Max: n}
}

// fataler is what testing.T and rapid.T have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func spend(t fataler, l throttle.Limiter, key throttle.Key, after time.Duration) throttle.Decision {
	t.Helper()
	d, err := l.Spend(context.Background(), key, Epoch.Add(after))
	if err != nil {
		t.Fatalf("Spend(%v) at +%s: %v", key, after, err)
	}
	return d
}

func peek(t fataler, l throttle.Limiter, key throttle.Key, after time.Duration) throttle.Decision {
	t.Helper()
	d, err := l.Peek(context.Background(), key, Epoch.Add(after))
	if err != nil {
		t.Fatalf("Peek(%v) at +%s: %v", key, after, err)
	}
	return d
}

// admits spends n times at one instant and wants the first want admitted, no more.
func admits(t fataler, l throttle.Limiter, key throttle.Key, after time.Duration, n, want int) {
	t.Helper()
	for i := range n {
		if got := spend(t, l, key, after).Admitted; got != (i < want) {
			t.Fatalf("request %d of %d at +%s: admitted = %t, want %d admitted", i+1, n, after, got, want)
		}
	}
}

func same(t fataler, what string, want, got throttle.Decision) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func zeroMeansNoLimit(t *testing.T, open Open) {
	key := newKey()
	for _, l := range []throttle.Limiter{open(policy()), open(policy(perMinute(0), perHour(0)))} {
		for range 1000 {
			d := spend(t, l, key, 0)
			same(t, "Spend", throttle.Decision{Admitted: true}, d)
			if !d.Unlimited() {
				t.Fatal("Unlimited() = false, want true")
			}
		}
		same(t, "Peek", throttle.Decision{Admitted: true}, peek(t, l, key, 0))
	}
	l := open(policy(perMinute(0), perHour(3)))
	admits(t, l, newKey(), 0, 5, 3)
}

func malformedKey(t *testing.T, open Open) {
	long := make([]byte, 257)
	bad := []throttle.Key{
		{},
		{Class: throttle.ClassUsers},
		{Class: throttle.ClassUsers, Subject: string(long)},
		{Class: throttle.ClassToken, Subject: "a class without a policy"},
		{Class: 200, Subject: "no class"},
	}
	for _, l := range []throttle.Limiter{open(policy(perMinute(1))), open(policy())} {
		for _, key := range bad {
			d, err := l.Spend(t.Context(), key, Epoch)
			if err == nil || d.Admitted {
				t.Errorf("Spend(%v) = %+v, %v; want an error and nothing admitted", key, d, err)
			}
			d, err = l.Peek(t.Context(), key, Epoch)
			if err == nil || d.Admitted {
				t.Errorf("Peek(%v) = %+v, %v; want an error and nothing admitted", key, d, err)
			}
		}
	}
}

func burst(t *testing.T, open Open) {
	l, key := open(policy(perMinute(5))), newKey()
	for i := range 5 {
		same(t, "admitted", throttle.Decision{
			Admitted: true, Limit: perMinute(5), Remaining: 4 - i, Reset: time.Minute,
		}, spend(t, l, key, 0))
	}
	same(t, "refused", throttle.Decision{
		RetryAfter: time.Minute, Limit: perMinute(5), Reset: time.Minute,
	}, spend(t, l, key, 0))
	admits(t, l, key, time.Minute-time.Microsecond, 1, 0)
	admits(t, l, key, time.Minute, 6, 5)
}

// slides looks for limiters that count by the calendar: two bursts around the end
// of a fixed minute.
func slides(t *testing.T, open Open) {
	l, key := open(policy(perMinute(10))), newKey()
	admits(t, l, key, 59*time.Second, 9, 9)
	admits(t, l, key, 61*time.Second, 9, 1)
	admits(t, l, key, 119*time.Second-time.Microsecond, 9, 0)
	admits(t, l, key, 120*time.Second, 10, 9)
	admits(t, l, key, 121*time.Second, 10, 1)
}

func refusedIsNotCounted(t *testing.T, open Open) {
	l, key := open(policy(perMinute(3))), newKey()
	admits(t, l, key, 0, 3, 3)
	for second := range 60 {
		admits(t, l, key, time.Duration(second)*time.Second, 5, 0)
	}
	admits(t, l, key, time.Minute, 4, 3)
}

// together lets the hour refuse while the minute has room: if refusals spent the
// minute, its room would be gone when the hour admits again.
func together(t *testing.T, open Open) {
	l, key := open(policy(perMinute(5), perHour(7))), newKey()
	admits(t, l, key, 0, 6, 5)
	admits(t, l, key, time.Minute, 10, 2)
	admits(t, l, key, time.Hour-time.Second, 10, 0)
	admits(t, l, key, time.Hour, 6, 5)

	// And the other way: minutes that refuse leave the hour alone.
	l, key = open(policy(perMinute(2), perHour(4))), newKey()
	admits(t, l, key, 0, 50, 2)
	admits(t, l, key, time.Minute, 50, 2)
	d := spend(t, l, key, 2*time.Minute)
	same(t, "the hour refuses", throttle.Decision{
		RetryAfter: 58 * time.Minute, Limit: perHour(4), Reset: 58 * time.Minute,
	}, d)
}

func tightest(t *testing.T, open Open) {
	l, key := open(policy(perMinute(3), perHour(4))), newKey()
	same(t, "unused", throttle.Decision{
		Admitted: true, Limit: perMinute(3), Remaining: 3,
	}, peek(t, l, key, 0))
	admits(t, l, key, 0, 2, 2)
	same(t, "the minute is closest", throttle.Decision{
		Admitted: true, Limit: perMinute(3), Remaining: 0, Reset: 50 * time.Second,
	}, spend(t, l, key, 10*time.Second))
	same(t, "the hour is closest", throttle.Decision{
		Admitted: true, Limit: perHour(4), Remaining: 0, Reset: 59 * time.Minute,
	}, spend(t, l, key, time.Minute))
	same(t, "of two full windows the longer wait counts", throttle.Decision{
		RetryAfter: 59 * time.Minute, Limit: perHour(4), Reset: 59 * time.Minute,
	}, peek(t, l, key, time.Minute))
}

func peekCountsNothing(t *testing.T, open Open) {
	l, key := open(policy(perMinute(2))), newKey()
	for range 10 {
		same(t, "unused", throttle.Decision{
			Admitted: true, Limit: perMinute(2), Remaining: 2,
		}, peek(t, l, key, 0))
	}
	admits(t, l, key, 0, 1, 1)
	for range 10 {
		same(t, "half used", throttle.Decision{
			Admitted: true, Limit: perMinute(2), Remaining: 1, Reset: 59 * time.Second,
		}, peek(t, l, key, time.Second))
	}
	admits(t, l, key, time.Second, 2, 1)
	want := throttle.Decision{RetryAfter: 59 * time.Second, Limit: perMinute(2), Reset: 59 * time.Second}
	same(t, "used up", want, peek(t, l, key, time.Second))
	same(t, "Spend agrees", want, spend(t, l, key, time.Second))
}

func independent(t *testing.T, open Open) {
	policies := append(policy(perMinute(1)),
		throttle.Policy{Class: throttle.ClassToken, Limits: []throttle.Limit{perMinute(2)}})
	l, key, other := open(policies), newKey(), newKey()
	token := throttle.Key{Class: throttle.ClassToken, Subject: key.Subject}
	admits(t, l, key, 0, 2, 1)
	admits(t, l, other, 0, 2, 1)
	admits(t, l, token, 0, 3, 2)
}

func clockGoesBack(t *testing.T, open Open) {
	l, key := open(policy(perMinute(3))), newKey()
	admits(t, l, key, 10*time.Minute, 2, 2)
	admits(t, l, key, 0, 2, 1)
	if d := spend(t, l, key, 9*time.Minute); d.Admitted || d.RetryAfter != time.Minute {
		t.Fatalf("a minute back: %+v, want a refusal for a minute after the last time seen", d)
	}
	admits(t, l, key, 11*time.Minute-time.Microsecond, 1, 0)
	admits(t, l, key, 11*time.Minute, 4, 3)
}

func clockJumpsAhead(t *testing.T, open Open) {
	l, key := open(policy(perMinute(3), perHour(3))), newKey()
	const years = 24 * 365 * time.Hour
	for _, at := range []time.Duration{0, 2 * time.Hour, years, 50 * years} {
		admits(t, l, key, at, 4, 3)
	}
}

func concurrent(t *testing.T, open Open) {
	const callers, each, limit = 8, 25, 100
	l, key := open(policy(perMinute(limit), perHour(limit+1))), newKey()
	var admitted atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				d, err := l.Spend(context.Background(), key, Epoch)
				if err != nil {
					t.Errorf("Spend: %v", err)
				}
				if d.Admitted {
					admitted.Add(1)
				}
			}
		})
	}
	all.Wait()
	if got := admitted.Load(); got != limit {
		t.Errorf("%d requests at one instant admitted %d, want %d", callers*each, got, limit)
	}
}
