package sharedlimit_test

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/sharedlimit"
	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/valkeytest"
)

// brief is how long tests about absence let a store take.
const brief = 2 * time.Second

// impatient makes a limiter of 100 requests an hour that notes what it logs.
func impatient(t *testing.T, store sharedlimit.Store) (*sharedlimit.Limiter, *logs) {
	t.Helper()
	noted := &logs{}
	return limiter(t, store, sharedlimit.Options{
		Policies: throttle.Settings{UsersPerHour: 100}.Policies(), Timeout: brief,
		Logger: slog.New(slog.NewTextHandler(io.MultiWriter(noted, t.Output()), nil)),
	}), noted
}

func app(name string) throttle.Key { return throttle.Key{Class: throttle.ClassUsers, Subject: name} }

// spendAll sends n requests at once and returns how many were admitted; none may fail.
func spendAll(t *testing.T, l throttle.Limiter, key throttle.Key, n int) int {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	admitted := 0
	for range n {
		all.Go(func() {
			d, err := l.Spend(t.Context(), key, time.Now())
			if err != nil {
				t.Errorf("Spend: %v", err)
			}
			if d.Admitted {
				mu.Lock()
				admitted++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return admitted
}

func wantAdmitted(t *testing.T, when string, want, got int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d admitted, want %d", when, got, want)
	}
}

// count tells how many losses and returns were logged.
func (l *logs) count() (lost, back int) {
	text := l.String()
	return strings.Count(text, "limits are not shared"), strings.Count(text, "limits are shared again")
}

// wantLines wants one line about each loss and each return.
func wantLines(t *testing.T, noted *logs, lost, back int) {
	t.Helper()
	if gotLost, gotBack := noted.count(); gotLost != lost || gotBack != back {
		t.Errorf("%d losses and %d returns were logged, want %d and %d", gotLost, gotBack, lost, back)
	}
}

func shared(l *sharedlimit.Limiter) func() bool { return func() bool { return l.Stats().Shared } }

// absent makes the store absent, checks that requests go on, and lets it come back.
func absent(t *testing.T, l *sharedlimit.Limiter, noted *logs, leave, back func()) {
	t.Helper()
	until(t, "the store is in use", shared(l))
	lost, found := noted.count()
	wantAdmitted(t, "before", 60, spendAll(t, l, app("a"), 60))
	leave()
	before := l.Stats()
	// 50 one after the other wait for one time-out together, not for one each.
	for range 50 {
		wantAdmitted(t, "b, alone", 1, spendAll(t, l, app("b"), 1))
	}
	if s := l.Stats(); s.Shared || s.Rounds != before.Rounds+1 || s.Alone != before.Alone+50 {
		t.Errorf("while the store is away: %+v, want one round trip and 50 answers alone more than %+v", s, before)
	}
	// It has counted along: 60 of a's 100 are spent.
	wantAdmitted(t, "a, alone", 40, spendAll(t, l, app("a"), 150))
	wantAdmitted(t, "b, alone", 50, spendAll(t, l, app("b"), 150))
	back()
	until(t, "the store is in use again", shared(l))
	alone := l.Stats().Alone
	wantAdmitted(t, "c, after the return", 100, spendAll(t, l, app("c"), 120))
	if s := l.Stats(); s.Alone != alone {
		t.Errorf("after the return the limiter answers by itself: %+v", s)
	}
	wantLines(t, noted, lost+1, found+1)
}

func TestServerKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	everyServer(t, func(t *testing.T, s server) {
		l, noted := impatient(t, s.open(t, s.address, brief))
		absent(t, l, noted, s.kill, func() {
			if err := s.start(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func TestServerStopped(t *testing.T) {
	t.Parallel()
	everyServer(t, func(t *testing.T, s server) {
		l, noted := impatient(t, s.open(t, s.address, brief))
		send := func(sig syscall.Signal) func() {
			return func() {
				if err := s.signal(sig); err != nil {
					t.Fatal(err)
				}
			}
		}
		absent(t, l, noted, send(syscall.SIGSTOP), send(syscall.SIGCONT))
	})
}

func TestBlackHole(t *testing.T) {
	t.Parallel()
	everyServer(t, func(t *testing.T, s server) {
		p := proxy(t, s.address)
		l, noted := impatient(t, s.open(t, p.Listen, brief))
		var mend func()
		absent(t, l, noted, func() { mend = spoil(t, p, "timeout", `{"timeout":0}`) }, func() { mend() })
	})
}

func TestConnectionsCut(t *testing.T) {
	t.Parallel()
	everyServer(t, func(t *testing.T, s server) {
		p := proxy(t, s.address)
		l, noted := impatient(t, s.open(t, p.Listen, brief))
		absent(t, l, noted, p.Stop, func() {
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// A store far away is slow, and still the one that counts.
func TestLatency(t *testing.T) {
	t.Parallel()
	everyServer(t, func(t *testing.T, s server) {
		p := proxy(t, s.address)
		spoil(t, p, "latency", `{"latency":15}`)
		local := throttle.Settings{UsersPerHour: 100}.Policies()
		near := limiter(t, s.open(t, s.address, patient), sharedlimit.Options{Policies: local})
		far := limiter(t, s.open(t, p.Listen, patient), sharedlimit.Options{Policies: local})
		wantAdmitted(t, "far", 70, spendAll(t, far, app("a"), 70))
		wantAdmitted(t, "near", 30, spendAll(t, near, app("a"), 50))
		wantAdmitted(t, "far, used up", 0, spendAll(t, far, app("a"), 50))
		exact(t, near)
		exact(t, far)
	})
}

// A server may start before its store of limits.
func TestAwayAtTheStart(t *testing.T) {
	t.Parallel()
	everyServer(t, func(t *testing.T, s server) {
		s.kill()
		l, noted := impatient(t, s.open(t, s.address, brief))
		wantAdmitted(t, "alone", 100, spendAll(t, l, app("a"), 120))
		if err := s.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		until(t, "the store is in use", shared(l))
		wantAdmitted(t, "shared", 100, spendAll(t, l, app("b"), 120))
		if lost, back := noted.count(); lost == 0 || lost != back {
			t.Errorf("%d losses and %d returns were logged, want at least one, and as many", lost, back)
		}
	})
}

// Whoever ends while the store does not answer ends at once.
func TestCloseWhileAway(t *testing.T) {
	t.Parallel()
	everyServer(t, func(t *testing.T, s server) {
		p := proxy(t, s.address)
		l, _ := impatient(t, s.open(t, p.Listen, brief))
		spoil(t, p, "timeout", `{"timeout":0}`)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if _, err := l.Spend(t.Context(), app("a"), time.Now()); err != nil {
					t.Errorf("Spend: %v", err)
				}
			})
		}
		l.Close()
		all.Wait()
		wantAdmitted(t, "closed", 1, spendAll(t, l, app("a"), 1))
	})
}

// documentedRights are those that docs/operations.md asks for.
var documentedRights = []string{
	"--user", "limiter", "on", ">correct horse", "~rollcall:limits:*", "-@all", "+evalsha", "+eval",
	"+time", "+lrange", "+lindex", "+llen", "+lset", "+lpop", "+rpush", "+pexpire", "+del",
}

// A user of Redis with no more than the documented rights will do.
func TestRights(t *testing.T) {
	t.Parallel()
	s := valkeytest.Own(t, documentedRights...)
	store, err := sharedlimit.NewValkey(sharedlimit.ValkeyOptions{
		URL: "redis://limiter@" + s.Address(), Password: "correct horse", Timeout: patient,
	})
	if err != nil {
		t.Fatal(err)
	}
	limits := throttle.Settings{UsersPerMinute: 60, UsersPerHour: 100}.Policies()
	l := limiter(t, store, sharedlimit.Options{Policies: limits, GivenTime: true})
	at := time.Now()
	for i := range 300 {
		d, err := l.Spend(t.Context(), app("a"), at.Add(time.Duration(i)*time.Second))
		if err != nil || d.Admitted != (i < 100) {
			t.Fatalf("request %d: %+v, %v", i, d, err)
		}
	}
	lower := limiter(t, lent{store}, sharedlimit.Options{Policies: throttle.Settings{UsersPerHour: 50}.Policies(), GivenTime: true})
	if d, err := lower.Spend(t.Context(), app("a"), at.Add(2*time.Hour)); err != nil || !d.Admitted {
		t.Errorf("two hours later: %+v, %v", d, err)
	}
	exact(t, l)
	exact(t, lower)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	guarded := valkeytest.Own(t, "--requirepass", "correct horse", "--databases", "2")
	tests := []struct {
		name, url, password string
		refused             bool
	}{
		{"no password", guarded.URL(), "", true},
		{"a wrong password", guarded.URL(), "wrong", true},
		{"no such database", guarded.URL() + "/7", "correct horse", true},
		{"the right one", guarded.URL() + "/1", "correct horse", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			policies := throttle.DefaultPolicies()
			local, err := throttle.NewMemory(policies, time.Now(), 0)
			if err != nil {
				t.Fatal(err)
			}
			store, err := sharedlimit.NewValkey(sharedlimit.ValkeyOptions{URL: tt.url, Password: tt.password, Timeout: patient})
			if err != nil {
				t.Fatal(err)
			}
			l, err := sharedlimit.New(t.Context(), store, sharedlimit.Options{
				Policies: policies, Local: local, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Timeout: patient,
			})
			if got := errors.Is(err, sharedlimit.ErrRefused); got != tt.refused {
				t.Errorf("New: %v, want refused = %t", err, tt.refused)
			}
			if err != nil {
				if strings.Contains(err.Error(), "wrong horse") {
					t.Errorf("the error tells the password: %v", err)
				}
				return
			}
			exact(t, l)
			l.Close()
		})
	}
}
