package sharedlimit

import (
	"testing"
	"time"
)

// TestPacing: requests that come densely wait for each other a little, others never.
func TestPacing(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)
	rounds := func(n int, gap time.Duration, requests int) time.Duration {
		p := pacing{apart: time.Second}
		now := start
		for range n {
			now = now.Add(gap)
			p.begin(now, requests)
		}
		return p.left(now.Add(time.Millisecond))
	}
	tests := []struct {
		name     string
		rounds   int
		gap      time.Duration
		requests int
		want     time.Duration
	}{
		{"the first", 1, time.Hour, 1, 0},
		{"one client after the other", 1000, 2 * time.Millisecond, 1, 0},
		{"a single burst", 1, time.Millisecond, 1000, 0},
		{"many clients", 1000, time.Millisecond, 4, pace - time.Millisecond},
		{"many clients, one a round", 1000, dense - time.Microsecond, 1, pace - time.Millisecond},
		{"a slow store", 1000, 20 * time.Millisecond, 100, pace - time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := rounds(tt.rounds, tt.gap, tt.requests); got != tt.want {
				t.Errorf("left = %s, want %s", got, tt.want)
			}
		})
	}
}
