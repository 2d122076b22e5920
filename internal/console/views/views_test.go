package views

import (
	"testing"
	"time"
)

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ada Lovelace": "AL", "ada": "A", "Anna Maria van der Berg": "AB", "": "?", "  ": "?", "😀": "?", "Émile Zola": "ÉZ", "<b> x": "X", "3 Musketeers": "3M",
	} {
		if got := initials(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", 100000: "100,000"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestAgoAndIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 27, 14, 20, 0, 0, time.UTC)
	for d, want := range map[time.Duration][2]string{
		0:                {"just now", "over"},
		59 * time.Second: {"just now", "in a minute"},
		time.Minute:      {"1 minute ago", "in a minute"},
		90 * time.Minute: {"1 hour ago", "in 90 minutes"},
		47 * time.Hour:   {"47 hours ago", "in 47 hours"},
		48 * time.Hour:   {"2 days ago", "in 2 days"},
		800 * time.Hour:  {"33 days ago", "in 33 days"},
	} {
		if got := [2]string{Ago(now.Add(-d), now), In(now.Add(d), now)}; got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

// TestSeries: the picture's parts add up to the numbers, and nothing that happened is unseen.
func TestSeries(t *testing.T) {
	t.Parallel()
	s := Series{Hours: []Hour{{Requests: 10}, {}, {Requests: 1000, Errors: 30, Limited: 20}, {Requests: 100_000, Errors: 1}}}
	if got := s.Sum(); got.Requests != 101_010 || got.Errors != 31 || got.Limited != 20 {
		t.Errorf("sum: got %+v", got)
	}
	if got := s.most(); got != 100_000 {
		t.Errorf("the highest line is at %d", got)
	}
	for i, want := range []int{1, 0, 3, 2} {
		if bars := s.bars(i, s.Hours[i]); len(bars) != want {
			t.Errorf("hour %d has %d bars, want %d: %v", i, len(bars), want, bars)
		}
	}
	if got, want := s.Words(), "101,010 requests in 4 hours: 31 errors, 20 of them over the limit"; got != want {
		t.Errorf("in words: got %q, want %q", got, want)
	}
	if got := (Series{Hours: []Hour{{Requests: 1234}}}).most(); got != 1300 {
		t.Errorf("1234 is drawn under a line at %d, want 1300", got)
	}
}
