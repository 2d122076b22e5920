package throttle

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestWindowExact: below exactRuns a window is its definition, to the microsecond.
func TestWindowExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		checkWindow(t, rapid.IntRange(1, 12).Draw(t, "max"), 12)
	})
}

// TestWindowGrained: above it, it may admit late by a grain, and never early.
func TestWindowGrained(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		runs := rapid.IntRange(1, 6).Draw(t, "runs")
		checkWindow(t, rapid.IntRange(runs+1, 40).Draw(t, "max"), runs)
	})
}

func checkWindow(t *rapid.T, limit, runs int) {
	s := newSpan(Limit{Name: "requests", Per: time.Minute, Max: limit}, runs)
	slack := s.grain - 1 // a grain of one microsecond is none
	var w window
	var admitted []int64
	now := rapid.Int64Range(-1e12, 1e12).Draw(t, "start")
	for range rapid.IntRange(1, 120).Draw(t, "requests") {
		now += rapid.OneOf(
			rapid.Just(int64(0)),
			rapid.SampledFrom([]int64{1, s.grain - 1, s.grain, s.per - 1, s.per, s.per + 1}),
			rapid.Int64Range(0, s.per/int64(limit)*2),
		).Draw(t, "gap")
		w.expire(&s, now)
		exact := 0
		for _, at := range admitted {
			if now < at+s.per {
				exact++
			}
		}
		if w.count < exact {
			t.Fatalf("at %d: window counts %d, want at least %d", now, w.count, exact)
		}
		if w.count > 0 {
			oldest := admitted[len(admitted)-w.count]
			if late := w.leaves(&s) - (oldest + s.per); late < 0 || late > slack {
				t.Fatalf("at %d: room appears %d us late, want 0 to %d", now, late, slack)
			}
		}
		if w.count < limit {
			w.add(&s, now)
			admitted = append(admitted, now)
		}
		if w.size > s.bound || len(w.ring) > s.bound {
			t.Fatalf("%d runs in a ring of %d, want at most %d", w.size, len(w.ring), s.bound)
		}
	}
}

// TestWindowBounded: a limit in the millions, used evenly for two hours, keeps no
// more than exactRuns runs and still admits to the figure.
func TestWindowBounded(t *testing.T) {
	t.Parallel()
	const perHour = 1_000_000
	s := newSpan(Limit{Name: "requests", Per: time.Hour, Max: perHour}, exactRuns)
	var w window
	admitted := 0
	for i := range 2 * perHour {
		now := int64(i) * s.per / perHour
		w.expire(&s, now)
		if w.count < perHour {
			w.add(&s, now)
			admitted++
		}
	}
	if len(w.ring) > exactRuns+1 {
		t.Errorf("ring has %d runs, want at most %d", len(w.ring), exactRuns+1)
	}
	// Each hour may lose what arrives while the oldest run leaves late.
	if late := 2 * perHour / exactRuns; admitted < 2*perHour-2*late {
		t.Errorf("admitted %d of %d, want at most %d lost", admitted, 2*perHour, 2*late)
	}
}

// TestWindowBurstIsExactWhenGrained: requests at one instant share a run, so even a
// grained limit tells the exact time to wait.
func TestWindowBurstIsExactWhenGrained(t *testing.T) {
	t.Parallel()
	spans := []span{newSpan(Limit{Name: "requests", Per: time.Minute, Max: 20_000}, exactRuns)}
	windows := make([]window, 1)
	for range 20_000 {
		if d := decide(spans, windows, 5, true); !d.Admitted {
			t.Fatal("refused within the limit")
		}
	}
	if d := decide(spans, windows, 5, true); d.Admitted || d.RetryAfter != time.Minute {
		t.Errorf("got %+v, want a refusal for one minute", d)
	}
}
