package throttletest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// twoClasses are the policies of a key and of its guard.
func twoClasses(key, guard throttle.Limit) []throttle.Policy {
	return []throttle.Policy{
		{Class: throttle.ClassUsers, Limits: []throttle.Limit{key}},
		{Class: throttle.ClassAuthFailures, Limits: []throttle.Limit{guard}},
	}
}

// newPair makes a key and its guard.
func newPair() (key, guard throttle.Key) {
	key = newKey()
	return key, throttle.Key{Class: throttle.ClassAuthFailures, Subject: key.Subject}
}

func spendBehind(t fataler, l throttle.Limiter, guard, key throttle.Key, after time.Duration) (throttle.Decision, bool) {
	t.Helper()
	d, guarded, err := l.SpendBehind(context.Background(), guard, key, Epoch.Add(after))
	if err != nil {
		t.Fatalf("SpendBehind(%v, %v) at +%s: %v", guard, key, after, err)
	}
	return d, guarded
}

func guarded(t *testing.T, open Open) {
	l := open(twoClasses(perMinute(5), perMinute(2)))
	key, guard := newPair()
	for i := range 3 {
		d, shut := spendBehind(t, l, guard, key, 0)
		same(t, "the guard has room", throttle.Decision{
			Admitted: true, Limit: perMinute(5), Remaining: 4 - i, Reset: time.Minute,
		}, d)
		if shut {
			t.Fatal("the guard has room, but is said to refuse")
		}
	}
	admits(t, l, guard, time.Second, 2, 2)
	want := throttle.Decision{RetryAfter: 60 * time.Second, Limit: perMinute(2), Reset: 60 * time.Second}
	for range 4 {
		d, shut := spendBehind(t, l, guard, key, time.Second)
		same(t, "the guard refuses", want, d)
		if !shut {
			t.Fatal("the guard refuses, but is not said to")
		}
	}
	admits(t, l, key, time.Second, 4, 2) // nothing was counted behind the guard
	if d, shut := spendBehind(t, l, guard, key, 61*time.Second); !d.Admitted || shut {
		t.Fatalf("the guard has room again: %+v, %t", d, shut)
	}
	admits(t, l, key, 61*time.Second, 6, 4)
	if d, shut := spendBehind(t, l, guard, key, 61*time.Second); d.Admitted || shut {
		t.Fatalf("the key is used up, its guard is not: %+v, %t", d, shut)
	}
}

func guardedUnlimited(t *testing.T, open Open) {
	key, guard := newPair()
	l := open(twoClasses(perMinute(1), perMinute(0)))
	if d, shut := spendBehind(t, l, guard, key, 0); !d.Admitted || shut {
		t.Fatalf("no limit on the guard: %+v, %t", d, shut)
	}
	admits(t, l, key, 0, 1, 0)

	l = open(twoClasses(perMinute(0), perMinute(1)))
	key, guard = newPair()
	d, _ := spendBehind(t, l, guard, key, 0)
	same(t, "no limit on the key", throttle.Decision{Admitted: true}, d)
	admits(t, l, guard, 0, 1, 1)
	if d, shut := spendBehind(t, l, guard, key, 0); d.Admitted || !shut {
		t.Fatalf("the guard is used up: %+v, %t", d, shut)
	}

	for _, bad := range []throttle.Key{{}, {Class: throttle.ClassToken, Subject: "without a policy"}} {
		if d, _, err := l.SpendBehind(t.Context(), bad, key, Epoch); err == nil || d.Admitted {
			t.Errorf("a malformed guard: %+v, %v; want an error and nothing admitted", d, err)
		}
		if d, _, err := l.SpendBehind(t.Context(), guard, bad, Epoch); err == nil || d.Admitted {
			t.Errorf("a malformed key: %+v, %v; want an error and nothing admitted", d, err)
		}
		if d, err := l.Glance(t.Context(), bad, Epoch); err == nil || d.Admitted {
			t.Errorf("a glance at a malformed key: %+v, %v; want an error and nothing admitted", d, err)
		}
	}
}

func glance(t *testing.T, open Open) {
	l, key := open(policy(perMinute(3))), newKey()
	for i := range 6 {
		at := time.Duration(i) * time.Second
		d, err := l.Glance(t.Context(), key, Epoch.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		if !d.Admitted {
			same(t, "a glance that refuses is a peek", peek(t, l, key, at), d)
		}
		spend(t, l, key, at)
	}
	if d, err := l.Glance(t.Context(), key, Epoch.Add(time.Minute)); err != nil || !d.Admitted {
		t.Fatalf("there is room again: %+v, %v", d, err)
	}
}

// guardsTogether lets replicas fail and succeed from one address at the same time: what
// is refused because of it is not counted.
func guardsTogether(t *testing.T, open OpenReplicas) { //nolint:gocognit // one race, read from top to bottom
	const guardLimit, each = 4, 30
	p := twoClasses(throttle.Limit{Name: "requests an hour", Per: time.Hour, Max: 10_000}, perMinute(guardLimit))
	replicas := open(p, p, p)
	key, guard := newPair()
	var admitted, failures atomic.Int64
	count := func(sum *atomic.Int64, d throttle.Decision, err error) {
		if err != nil {
			t.Errorf("spend: %v", err)
		}
		if d.Admitted {
			sum.Add(1)
		}
	}
	var all sync.WaitGroup
	for i, l := range replicas {
		for caller := range 4 {
			all.Go(func() {
				for n := range each {
					if (n+caller+i)%5 == 0 {
						d, err := l.Spend(context.Background(), guard, Epoch)
						count(&failures, d, err)
					} else {
						d, _, err := l.SpendBehind(context.Background(), guard, key, Epoch)
						count(&admitted, d, err)
					}
				}
			})
		}
	}
	all.Wait()
	if got := failures.Load(); got != guardLimit {
		t.Errorf("%d failures were admitted, want %d", got, guardLimit)
	}
	if counted := int64(10_000 - peek(t, replicas[0], key, 0).Remaining); counted != admitted.Load() {
		t.Errorf("%d requests count, but %d were admitted", counted, admitted.Load())
	}
	for _, l := range replicas {
		if d, shut := spendBehind(t, l, guard, key, 0); d.Admitted || !shut {
			t.Errorf("the address is used up: %+v, %t", d, shut)
		}
	}
}
