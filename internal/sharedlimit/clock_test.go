package sharedlimit_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/sharedlimit"
	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/valkeytest"
)

// admission is when a request was sent and answered, by this process's clock.
type admission struct{ sent, answered time.Time }

// TestTheStoresClockCounts lets three replicas, whose clocks are hours apart, hammer one
// key for some windows of real time. Each admitted request was counted at an instant
// between its sending and its answer; so if more than the limit lie within less than a
// window, from the sending of the first to the answer of the last, the limit was broken.
func TestTheStoresClockCounts(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t, pgtest.Newest)
	url := server.URL(server.DatabaseLike(t, "limits", tables))
	stores := map[string]func() sharedlimit.Store{
		"PostgreSQL": func() sharedlimit.Store { return postgresStore(t, url, patient) },
		"Redis":      func() sharedlimit.Store { return valkeyStore(t, valkeytest.Shared(t).URL(), patient) },
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const most, windows = 20, 4
			limit := throttle.Limit{Name: "requests a second", Per: time.Second, Max: most}
			policies := []throttle.Policy{{Class: throttle.ClassUsers, Limits: []throttle.Limit{limit}}}
			replicas := []*sharedlimit.Limiter{}
			for range 3 {
				replicas = append(replicas, limiter(t, open(), sharedlimit.Options{Policies: policies}))
			}
			admitted := hammer(t, replicas, app("clock"), most*windows)
			slices.SortFunc(admitted, func(a, b admission) int { return a.answered.Compare(b.answered) })
			for _, first := range admitted {
				within := 0
				for _, a := range admitted {
					if !a.sent.Before(first.sent) && a.answered.Sub(first.sent) < limit.Per {
						within++
					}
				}
				if within > most {
					t.Fatalf("%d requests were admitted in less than a second, want at most %d", within, most)
				}
			}
			for _, l := range replicas {
				exact(t, l)
			}
		})
	}
}

// hammer sends requests through all replicas, two at a time each, until so many were admitted.
func hammer(t *testing.T, replicas []*sharedlimit.Limiter, key throttle.Key, want int) []admission {
	t.Helper()
	var mu sync.Mutex
	var admitted []admission
	done := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(admitted) >= want
	}
	var all sync.WaitGroup
	for i, l := range replicas {
		wrong := time.Duration(i-1) * 5 * time.Hour
		for range 2 {
			all.Go(func() {
				for !done() {
					sent := time.Now()
					d, err := l.Spend(t.Context(), key, sent.Add(wrong))
					answered := time.Now()
					if err != nil {
						t.Error(err)
						return
					}
					if d.Admitted {
						mu.Lock()
						admitted = append(admitted, admission{sent, answered})
						mu.Unlock()
					}
				}
			})
		}
	}
	all.Wait()
	return admitted
}
