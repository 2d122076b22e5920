package e2e

import (
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tally counts the answers that one application got.
type tally struct{ Admitted, Limited, Other int }

// TestExactLimits: two applications ask far more than they may, at once. Each gets exactly its limit within its first
// minute, and neither takes anything from the other.
func TestExactLimits(t *testing.T) {
	t.Parallel()
	const (
		limit       = 50
		askers      = 16 // for each application
		perAsker    = 12
		allRequests = askers * perAsker
	)
	seeded := newSeed(t, 1)
	s := start(t, "--seed="+seeded.file, "--users-per-minute="+strconv.Itoa(limit))
	tallies := make([]tally, len(seeded.apps))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, app := range seeded.apps {
		own := *s
		own.app = app
		bearer := own.issue(t)
		count := func() {
			a, err := own.do(t.Context(), own.askUsers(bearer, "/"+seeded.people[0]))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && a.status == http.StatusOK:
				tallies[i].Admitted++
			case err == nil && a.status == http.StatusTooManyRequests && soon(a):
				tallies[i].Limited++
			default:
				tallies[i].Other++
				t.Errorf("%v, %v, want 200, or 429 with a Retry-After of 1 to 60", a, err)
			}
		}
		for range askers {
			wg.Go(func() {
				for range perAsker {
					count()
				}
			})
		}
	}
	wg.Wait()
	want := tally{Admitted: limit, Limited: allRequests - limit}
	if diff := cmp.Diff([]tally{want, want}, tallies); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	s.stop(t)
}

// soon tells whether the answer says to wait for whole seconds within the minute.
func soon(a answer) bool {
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	return err == nil && seconds >= 1 && seconds <= 60
}
