package throttletest

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// model is the definition of the windows, by brute force: every admitted request,
// as time since Epoch.
type model struct {
	limits   []throttle.Limit
	admitted []time.Duration
}

// used is how many requests count in the window of l that ends at now.
func (m *model) used(l throttle.Limit, now time.Duration) int {
	n := 0
	for _, at := range m.admitted {
		if at <= now && now < at+l.Per {
			n++
		}
	}
	return n
}

func (m *model) admits(now time.Duration) bool {
	for _, l := range m.limits {
		if l.Max > 0 && m.used(l, now) >= l.Max {
			return false
		}
	}
	return true
}

// wait is how long after now the windows first have room. Room only ever appears
// when a request leaves a window.
func (m *model) wait(now time.Duration) time.Duration {
	instants := []time.Duration{now}
	for _, at := range m.admitted {
		for _, l := range m.limits {
			if leaves := at + l.Per; leaves > now {
				instants = append(instants, leaves)
			}
		}
	}
	slices.Sort(instants)
	for _, at := range instants {
		if m.admits(at) {
			return at - now
		}
	}
	panic("a limit of at least one admits when all requests have left")
}

// checkWindows looks at the window that begins with each admitted request: if any
// window holds too many, then so does one that begins with its first.
func (m *model) checkWindows(t fataler) {
	for _, l := range m.limits {
		for _, from := range m.admitted {
			n := 0
			for _, at := range m.admitted {
				if from <= at && at < from+l.Per {
					n++
				}
			}
			if l.Max > 0 && n > l.Max {
				t.Fatalf("%d requests admitted within %s from +%s, want at most %d", n, l.Per, from, l.Max)
			}
		}
	}
}

// checkDecision compares what the limiter says with what is so.
func (m *model) checkDecision(t fataler, d throttle.Decision, now time.Duration) {
	if d.Admitted {
		m.checkRemaining(t, d, now)
		return
	}
	wait := m.wait(now)
	if d.RetryAfter < wait {
		t.Fatalf("at +%s: Retry-After %s is too short, needed %s", now, d.RetryAfter, wait)
	}
	if d.RetryAfter > wait+time.Second {
		t.Fatalf("at +%s: Retry-After %s is more than a second longer than the needed %s", now, d.RetryAfter, wait)
	}
	if d.RetryAfter < time.Second || d.RetryAfter%time.Second != 0 {
		t.Fatalf("at +%s: Retry-After %s is not in whole seconds from 1", now, d.RetryAfter)
	}
	if d.Remaining != 0 || d.Reset != d.RetryAfter || d.Limit.Max == 0 {
		t.Fatalf("at +%s: a refusal tells %+v, want the full window to wait for", now, d)
	}
}

func (m *model) checkRemaining(t fataler, d throttle.Decision, now time.Duration) {
	if d.RetryAfter != 0 {
		t.Fatalf("at +%s: admitted, yet with Retry-After %s", now, d.RetryAfter)
	}
	for _, l := range m.limits {
		if room := l.Max - m.used(l, now); l.Max > 0 && d.Remaining > room {
			t.Fatalf("at +%s: told %d remaining, but %d %s have room", now, d.Remaining, room, l.Name)
		}
	}
}

// limits are one or two windows of any length, small enough to be used up often.
func limits() *rapid.Generator[[]throttle.Limit] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) throttle.Limit {
		return throttle.Limit{
			Name: "requests a while",
			Per: time.Duration(rapid.OneOf(
				rapid.SampledFrom([]int64{1e6, 60e6, 3600e6}),
				rapid.Int64Range(1e6, 3600e6),
			).Draw(t, "per")) * time.Microsecond,
			Max: rapid.IntRange(0, 8).Draw(t, "max"),
		}
	}), 1, 3)
}

// gap draws the time to the next request: none, the edges of a window, anything
// else, sometimes backwards.
func gap(t *rapid.T, limits []throttle.Limit) time.Duration {
	per := rapid.SampledFrom(limits).Draw(t, "window").Per
	switch rapid.SampledFrom([]string{"none", "none", "edge", "part", "any", "back"}).Draw(t, "gap") {
	case "edge":
		return per + time.Duration(rapid.IntRange(-2, 2).Draw(t, "off"))*time.Microsecond
	case "part":
		return per / time.Duration(rapid.IntRange(2, 20).Draw(t, "divisor")) / 1000 * 1000
	case "any":
		return time.Duration(rapid.Int64Range(0, 2*per.Microseconds()).Draw(t, "micros")) * time.Microsecond
	case "back":
		return -time.Duration(rapid.Int64Range(0, 2*per.Microseconds()).Draw(t, "micros")) * time.Microsecond
	}
	return 0
}

// anySequence drives limiter and model side by side. What the limiter sees may go
// back; the model's clock then stands still, as every Limiter's must.
func anySequence(t *testing.T, open Open) {
	rapid.Check(t, func(t *rapid.T) {
		m := model{limits: limits().Draw(t, "limits")}
		l, key := open(policy(m.limits...)), newKey()
		var now time.Duration
		var last throttle.Decision
		for range rapid.IntRange(1, 40).Draw(t, "requests") {
			step := gap(t, m.limits)
			waited := !last.Admitted && last.RetryAfter > 0 && rapid.Bool().Draw(t, "wait as told")
			if waited {
				step = last.RetryAfter
			}
			seen := max(0, now+step)
			now = max(now, seen)
			before := peek(t, l, key, seen)
			last = spend(t, l, key, seen)
			if before.Admitted != last.Admitted {
				t.Fatalf("at +%s: Peek admits %t, Spend %t", now, before.Admitted, last.Admitted)
			}
			if waited && !last.Admitted {
				t.Fatalf("at +%s: refused after waiting as told", now)
			}
			if last.Admitted {
				m.admitted = append(m.admitted, now)
			}
			m.checkDecision(t, last, now)
		}
		m.checkWindows(t)
	})
}
