package sharedlimit_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/sharedlimit"
	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/throttle/throttletest"
	"github.com/rollcall-id/rollcall/internal/valkeytest"
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

func TestValkeyConforms(t *testing.T) {
	t.Parallel()
	store := valkeyStore(t, valkeytest.Shared(t).URL(), patient)
	t.Cleanup(store.Close)
	conforms(t, store)
}

func conforms(t *testing.T, store sharedlimit.Store) {
	throttletest.Run(t, func(policies []throttle.Policy) throttle.Limiter {
		l := limiter(t, lent{store}, sharedlimit.Options{Policies: policies, GivenTime: true})
		t.Cleanup(func() { exact(t, l) })
		return l
	})
}
