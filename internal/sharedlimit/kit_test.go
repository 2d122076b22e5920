package sharedlimit_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/sharedlimit"
	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/throttle/throttletest"
)

// patient is how long tests let a store take on a busy machine: none of them is about waiting.
const patient = 30 * time.Second

func valkeyStore(t testing.TB, url string, timeout time.Duration) *sharedlimit.Valkey {
	t.Helper()
	s, err := sharedlimit.NewValkey(sharedlimit.ValkeyOptions{URL: url, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// limiter makes a limiter that closes the store at the end of the test.
func limiter(t testing.TB, store sharedlimit.Store, o sharedlimit.Options) *sharedlimit.Limiter {
	t.Helper()
	if o.Local == nil {
		local, err := throttle.NewMemory(o.Policies, throttletest.Epoch, 0)
		if err != nil {
			t.Fatal(err)
		}
		o.Local = local
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if o.Timeout == 0 {
		o.Timeout = patient
	}
	l, err := sharedlimit.New(context.Background(), store, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// lent is a store that several limiters use: none of them closes it.
type lent struct{ sharedlimit.Store }

func (lent) Close() {}

// exact fails the test if the limiter ever answered by itself: the suite must have
// tested the store.
func exact(t *testing.T, l *sharedlimit.Limiter) {
	t.Helper()
	if s := l.Stats(); !s.Shared || s.Alone != 0 {
		t.Errorf("the limiter answered by itself: %+v", s)
	}
}

// conforms checks limiters on one store, which each of them asks by itself.
func conforms(t *testing.T, open func() sharedlimit.Store) {
	one := func(t *testing.T, store sharedlimit.Store, policies []throttle.Policy) throttle.Limiter {
		l := limiter(t, lent{store}, sharedlimit.Options{Policies: policies, GivenTime: true})
		t.Cleanup(func() { exact(t, l) })
		return l
	}
	stores := []sharedlimit.Store{open(), open(), open()}
	for _, s := range stores {
		t.Cleanup(s.Close)
	}
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		throttletest.Run(t, func(policies []throttle.Policy) throttle.Limiter { return one(t, stores[0], policies) })
	})
	t.Run("replicas", func(t *testing.T) {
		t.Parallel()
		throttletest.RunReplicas(t, func(lists ...[]throttle.Policy) []throttle.Limiter {
			var replicas []throttle.Limiter
			for i, policies := range lists {
				replicas = append(replicas, one(t, stores[i], policies))
			}
			return replicas
		})
	})
}
