package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// exact is a server's limiter that counts as the published service says.
func exact(t *testing.T, perMinute, perHour int) *throttle.Memory {
	t.Helper()
	m, err := throttle.NewMemory(throttle.Settings{UsersPerMinute: perMinute, UsersPerHour: perHour}.Policies(), time.Now(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPaceIsNeverRefused sends two hours and more of requests through networks that
// delay each way at will, to a server that counts exactly.
func TestPaceIsNeverRefused(t *testing.T) {
	t.Parallel()
	const requests = 12_500 // 2 h of 6000, and some
	for _, tt := range []struct {
		workers int
		delay   time.Duration // at most, each way
		most    time.Duration // that it may take: a place is held for as long as a request is under way, too
	}{
		{1, 0, 125 * time.Minute}, {1, 300 * time.Millisecond, 135 * time.Minute}, {8, 3 * time.Second, 3 * time.Hour}, {150, 40 * time.Second, 5 * time.Hour},
	} {
		t.Run(fmt.Sprintf("%d at once, %s away", tt.workers, tt.delay), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := exact(t, 100, 6000)
				p := newPacers(PublishedPacing(), time.Now).users
				travel := func() { time.Sleep(time.Duration(rand.Int64N(int64(tt.delay) + 1))) }
				start := time.Now()
				var wg sync.WaitGroup
				for worker := range tt.workers {
					wg.Go(func() {
						for range requests/tt.workers + min(1, worker) {
							done, err := p.acquire(t.Context())
							if err != nil {
								t.Error(err)
								return
							}
							travel()
							d, err := server.Spend(t.Context(), throttle.Key{Class: throttle.ClassUsers, Subject: "payroll"}, time.Now())
							if err != nil || !d.Admitted {
								t.Errorf("after %s: refused by %v, error %v", time.Since(start), d.Limit, err)
							}
							travel()
							done()
						}
					})
				}
				wg.Wait()
				if took := time.Since(start); took < 2*time.Hour || took > tt.most {
					t.Errorf("%d requests took %s, want 2h to %s", requests, took, tt.most)
				}
			})
		})
	}
}

func TestPaceEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(1, 0, time.Now)
		done, err := p.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, state := range []string{"in the air", "answered"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := p.acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("while a request is %s: got %v, want %v", state, err, context.DeadlineExceeded)
			}
			cancel()
			if state == "in the air" {
				done()
			}
		}
	})
}

func TestPaceWithoutLimits(t *testing.T) {
	t.Parallel()
	p := newPacer(0, 0, time.Now)
	for range 1000 {
		if _, err := p.acquire(t.Context()); err != nil { // never done: nothing is counted
			t.Fatal(err)
		}
	}
}
