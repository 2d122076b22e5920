package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/store"
)

func TestAhead(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.UnixMilli(1_000_000 + int64(ms)) }
	for name, c := range map[string]struct {
		asked, there, answered int // milliseconds
		want                   time.Duration
	}{
		"the same":                    {0, 5, 10, 0},
		"a slow way":                  {0, 1, 8000, 0},
		"ahead":                       {3000, 0, 3010, 3 * time.Second},
		"behind":                      {-3010, 0, -3000, -3 * time.Second},
		"ahead, the way left out":     {1000, 0, 9000, time.Second},
		"just as far as it may be":    {0, 0, 0, 0},
		"at the edge of what is sure": {10, 10, 20, 0},
	} {
		if got := ahead(at(c.asked), at(c.there), at(c.answered)); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// TestClockIsWatched: a clock that is too far off is told once when that begins and once when it ends.
func TestClockIsWatched(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var off atomic.Int64
	there := time.Unix(1_800_000_000, 0)
	w := &clockWatch{
		ask:    func(context.Context) (time.Time, error) { return there, nil },
		now:    func() time.Time { return there.Add(time.Duration(off.Load())) },
		logger: slog.New(slog.NewTextHandler(&log, nil)),
	}
	for _, step := range []struct {
		off  time.Duration
		says string
	}{
		{0, ""},
		{clocksAgree, ""},
		{-clocksAgree, ""},
		{clocksAgree + time.Millisecond, "level=ERROR"},
		{time.Hour, ""},
		{-time.Hour, ""},
		{time.Millisecond, "agrees with that of the database again"},
		{-clocksAgree - time.Millisecond, "level=ERROR"},
	} {
		off.Store(int64(step.off))
		log.Reset()
		if err := w.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := log.String(); (step.says == "") != (got == "") || !strings.Contains(got, step.says) {
			t.Errorf("off by %s: the log says %q, want %q", step.off, got, step.says)
		}
	}
}

// TestReplicaWithAWrongClock: a running replica compares its clock with that of a real server by itself, shows by how much
// they differ, and goes on serving.
func TestReplicaWithAWrongClock(t *testing.T) {
	t.Parallel()
	list := replicas(t, 3, Options{}) // ten seconds apart
	for i, r := range list {
		want := float64(10 * i)
		eventually(t, "the clock is compared", func() bool {
			got := gauge(t, r.Node, "rollcall_clock_ahead_seconds")
			return want-5 < got && got <= want && (i == 0 || got > 0)
		})
		if got := r.get(t, "A", "nobody's").StatusCode; got != 401 {
			t.Errorf("a replica whose clock is %d s ahead answers %d", 10*i, got)
		}
	}
}

// TestTokensLiveAsLongAsClocksDiffer: by whose clock a token ends, and how far that may be from what was promised.
func TestTokensLiveAsLongAsClocksDiffer(t *testing.T) {
	t.Parallel()
	database := pgtest.Shared(t, pgtest.Newest)
	url := database.URL(database.Database(t))
	began := time.Now()
	var passed atomic.Int64
	open := func(off time.Duration) *Core {
		core, err := OpenCore(t.Context(), CoreOptions{
			Store: store.Options{URL: url}, Lifetime: testLifetime, Rand: rand.Reader, Logger: slog.New(slog.DiscardHandler),
			Now: func() time.Time { return began.Add(off + time.Duration(passed.Load())) },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := core.Close(); err != nil {
				t.Error(err)
			}
		})
		return core
	}
	ahead, behind := open(clocksAgree), open(-clocksAgree)
	token, err := ahead.OAuth.Issue(t.Context(), access.Caller{}, testClient(t, ahead))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		passed        time.Duration
		ahead, behind bool
	}{
		{0, true, true},
		{testLifetime - time.Microsecond, true, true},
		{testLifetime, false, true},
		{testLifetime + 2*clocksAgree - time.Microsecond, false, true},
		{testLifetime + 2*clocksAgree, false, false},
	} {
		passed.Store(int64(c.passed))
		for core, want := range map[*Core]bool{ahead: c.ahead, behind: c.behind} {
			if _, err := core.OAuth.Authenticate(t.Context(), access.Caller{}, token.AccessToken, oauth.Grants(core.Store)); (err == nil) != want {
				t.Errorf("%s after it was issued: got error %v, want it to count: %t", c.passed, err, want)
			}
		}
	}
}

// eventually waits until something has come true.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(time.Minute), time.NewTicker(5*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("after a minute, still not so: %s", what)
		}
	}
}
