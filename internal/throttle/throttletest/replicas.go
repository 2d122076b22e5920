package throttletest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// OpenReplicas makes limiters that count together, one for each list of policies. It is
// called as Open is.
type OpenReplicas func(policies ...[]throttle.Policy) []throttle.Limiter

// RunReplicas checks an implementation that several replicas share: that to callers they
// are as one limiter, and what they do when their settings differ.
func RunReplicas(t *testing.T, open OpenReplicas) {
	t.Helper()
	t.Run("as one", func(t *testing.T) {
		t.Parallel()
		Run(t, func(policies []throttle.Policy) throttle.Limiter {
			return &crowd{replicas: open(policies, policies, policies)}
		})
	})
	checks := []struct {
		name  string
		check func(*testing.T, OpenReplicas)
	}{
		{"a replica sees at once what another counted", seenAtOnce},
		{"replicas at one instant admit exactly the limit", replicasConcurrent},
		{"replicas make and use many keys at once", manyKeys},
		{"a guard that one replica used up refuses at all", guardsTogether},
		{"a lowered limit counts what was spent before", lowered},
		{"a raised limit counts what was spent before", raised},
		{"a limit that one replica lacks", lacking},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.check(t, open)
		})
	}
}

// crowd is several replicas behind a balancer that asks them in turn. They have one
// clock, which like each limiter's does not go back.
type crowd struct {
	replicas []throttle.Limiter
	next     atomic.Int64
	mu       sync.Mutex
	latest   time.Time
}

func (c *crowd) turn(now time.Time) (throttle.Limiter, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.After(c.latest) {
		c.latest = now
	}
	return c.replicas[int(c.next.Add(1))%len(c.replicas)], c.latest
}

// Spend implements throttle.Limiter.
func (c *crowd) Spend(ctx context.Context, key throttle.Key, now time.Time) (throttle.Decision, error) {
	l, now := c.turn(now)
	return l.Spend(ctx, key, now)
}

// Peek implements throttle.Limiter.
func (c *crowd) Peek(ctx context.Context, key throttle.Key, now time.Time) (throttle.Decision, error) {
	l, now := c.turn(now)
	return l.Peek(ctx, key, now)
}

// SpendBehind implements throttle.Limiter.
func (c *crowd) SpendBehind(ctx context.Context, guard, key throttle.Key, now time.Time) (d throttle.Decision, guarded bool, err error) {
	l, now := c.turn(now)
	return l.SpendBehind(ctx, guard, key, now)
}

// Glance implements throttle.Limiter.
func (c *crowd) Glance(ctx context.Context, key throttle.Key, now time.Time) (throttle.Decision, error) {
	l, now := c.turn(now)
	return l.Glance(ctx, key, now)
}

func seenAtOnce(t *testing.T, open OpenReplicas) {
	p := policy(perMinute(100))
	replicas, key := open(p, p, p), newKey()
	for i := range 120 {
		d := spend(t, replicas[i%3], key, time.Duration(i)*time.Millisecond)
		if got := peek(t, replicas[(i+1)%3], key, time.Duration(i)*time.Millisecond); got.Remaining != max(0, 99-i) {
			t.Fatalf("after %d requests another replica tells %d remaining", i+1, got.Remaining)
		}
		if d.Admitted != (i < 100) {
			t.Fatalf("request %d: admitted = %t", i+1, d.Admitted)
		}
	}
}

func replicasConcurrent(t *testing.T, open OpenReplicas) {
	const callers, each, limit = 4, 25, 100
	p := policy(perMinute(limit), perHour(limit+1))
	replicas, key := open(p, p, p), newKey()
	got := race(t, replicas, callers, func(int, int) throttle.Key { return key }, each)
	if got[key] != limit {
		t.Errorf("%d requests at one instant admitted %d, want %d", callers*each*len(replicas), got[key], limit)
	}
}

// manyKeys lets replicas make the same new keys at the same time, in different orders.
func manyKeys(t *testing.T, open OpenReplicas) {
	const callers, each, limit = 8, 40, 7
	p := policy(perMinute(limit))
	replicas := open(p, p, p)
	keys := make([]throttle.Key, 10)
	for i := range keys {
		keys[i] = newKey()
	}
	got := race(t, replicas, callers, func(caller, i int) throttle.Key {
		if caller%2 == 0 {
			return keys[i%len(keys)]
		}
		return keys[len(keys)-1-i%len(keys)]
	}, each)
	for _, key := range keys {
		if got[key] != limit {
			t.Errorf("key %s admitted %d, want %d", key.Subject, got[key], limit)
		}
	}
}

// race spends from several callers at each replica and counts what was admitted.
func race(t *testing.T, replicas []throttle.Limiter, callers int, key func(caller, i int) throttle.Key, each int) map[throttle.Key]int {
	t.Helper()
	var mu sync.Mutex
	admitted := map[throttle.Key]int{}
	var all sync.WaitGroup
	for _, l := range replicas {
		for caller := range callers {
			all.Go(func() {
				for i := range each {
					k := key(caller, i)
					d, err := l.Spend(context.Background(), k, Epoch)
					if err != nil {
						t.Errorf("Spend: %v", err)
					}
					if d.Admitted {
						mu.Lock()
						admitted[k]++
						mu.Unlock()
					}
				}
			})
		}
	}
	all.Wait()
	return admitted
}

func lowered(t *testing.T, open OpenReplicas) {
	replicas, key := open(policy(perMinute(300)), policy(perMinute(100))), newKey()
	old, young := replicas[0], replicas[1]
	for i := range 250 { // one each 100 ms
		admits(t, old, key, time.Duration(i)*100*time.Millisecond, 1, 1)
	}
	// Fewer than 100 count when the 151st has left: 60 s after 15 s.
	same(t, "refused", throttle.Decision{
		RetryAfter: 50 * time.Second, Limit: perMinute(100), Reset: 50 * time.Second,
	}, spend(t, young, key, 25*time.Second))
	admits(t, young, key, 75*time.Second-time.Microsecond, 1, 0)
	admits(t, young, key, 75*time.Second, 2, 1)
	admits(t, old, key, 75*time.Second, 1, 1)
}

func raised(t *testing.T, open OpenReplicas) {
	replicas, key := open(policy(perMinute(3)), policy(perMinute(50_000))), newKey()
	admits(t, replicas[0], key, 0, 4, 3)
	same(t, "the rest of the higher limit", throttle.Decision{
		Admitted: true, Limit: perMinute(50_000), Remaining: 49_996, Reset: time.Minute,
	}, spend(t, replicas[1], key, 0))
}

// lacking: a replica without the hour leaves it as it is.
func lacking(t *testing.T, open OpenReplicas) {
	replicas, key := open(policy(perMinute(5), perHour(7)), policy(perMinute(5))), newKey()
	admits(t, replicas[0], key, 0, 6, 5)
	admits(t, replicas[1], key, time.Minute, 6, 5)
	admits(t, replicas[0], key, 2*time.Minute, 5, 2)
	admits(t, replicas[1], key, 2*time.Minute, 5, 3)
}
