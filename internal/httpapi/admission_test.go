package httpapi_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// ever is a patience that no test outlives.
const ever = time.Hour

// narrow is a server, over HTTPS, that serves so many at once and lets so many wait.
func narrow(t *testing.T, places, waiting int, patience time.Duration) *world {
	t.Helper()
	w := newWorld(t, versions[0], testkit.Options{
		TLS:       true,
		Admission: node.Admission{Reads: places, Writes: places, Waiting: &waiting, Patience: patience},
	})
	w.AddUser(directory.User{ID: "STUCK"})
	return w
}

// counted waits until a metric of the gate has a value.
func (w *world) counted(t *testing.T, name, kind string, want float64) {
	t.Helper()
	w.shows(t, "rollcall_requests_"+name, map[string]string{"kind": kind}, want)
}

// shows waits until a metric has a value.
func (w *world) shows(t *testing.T, name string, labels map[string]string, want float64) {
	t.Helper()
	again, limit := time.NewTicker(5*time.Millisecond), time.NewTimer(2*time.Minute)
	defer again.Stop()
	defer limit.Stop()
	for w.Metric(name, labels) != want {
		select {
		case <-again.C:
		case <-limit.C:
			t.Fatalf("waited in vain until %s of %v is %v", name, labels, want)
		}
	}
}

// inBackground sends requests and collects their answers.
type inBackground struct {
	sync.WaitGroup

	mu      sync.Mutex
	answers []testkit.Response
}

func (b *inBackground) send(w *world, r testkit.Request) {
	b.Go(func() {
		got := w.Do(r)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.answers = append(b.answers, got)
	})
}

// statuses waits for all and counts their statuses.
func (b *inBackground) statuses() map[int]int {
	b.Wait()
	n := map[int]int{}
	for _, a := range b.answers {
		n[a.Status]++
	}
	return n
}

// TestMoreThanCanBeServed: one more than there are places is told at once to come back,
// in the words of the contract, and leaves no trace but a metric.
func TestMoreThanCanBeServed(t *testing.T) {
	t.Parallel()
	w := narrow(t, 2, 0, ever)
	release := w.Stall()
	var stuck inBackground
	stuck.send(w, w.get("STUCK"))
	stuck.send(w, w.get("STUCK"))
	w.counted(t, "working", "read", 2)
	got := w.Do(with(w.get("ACTIVE"), "X-Request-Id", "refused"))
	want := api.Status{Code: api.CodeUnavailable, Message: "the server is busy: try again shortly", Details: status(got).Details}
	if diff := cmp.Diff(want, status(got)); got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "1" || diff != "" {
		t.Errorf("got %d, Retry-After %q, want 503 and 1 s; body (-want +got):\n%s", got.Status, got.Header.Get("Retry-After"), diff)
	}
	if got := w.Do(w.post("ACTIVE:suspend")); got.Status != http.StatusOK {
		t.Errorf("a change, while there is no place to read: got %d, want 200", got.Status)
	}
	if got := w.Do(testkit.Request{Path: "/.well-known/oauth-authorization-server"}); got.Status != http.StatusOK {
		t.Errorf("what needs no storage: got %d, want 200", got.Status)
	}
	release()
	if diff := cmp.Diff(map[int]int{200: 2}, stuck.statuses()); diff != "" {
		t.Errorf("those in work (-want +got):\n%s", diff)
	}
	if got := w.Do(w.get("ACTIVE")); got.Status != http.StatusOK {
		t.Errorf("afterwards: got %d, want 200", got.Status)
	}
	refused := map[string]string{"kind": "read", "reason": "too_many"}
	if n := w.Metric("rollcall_requests_refused_total", refused); n != 1 {
		t.Errorf("%v refusals are counted, want 1", n)
	}
	if n := strings.Count(w.Logs(), "requests are refused"); n != 1 {
		t.Errorf("%d lines tell of refusals, want 1", n)
	}
	if n := strings.Count(w.Logs(), `"status":503`); n != 0 {
		t.Errorf("%d refusals have a line of their own", n)
	}
	if entries := w.entriesByRequest()["refused"]; len(entries) != 0 {
		t.Errorf("a refusal is in the audit record: %+v", entries)
	}
}

// TestTokensAtTheDoor: the OAuth endpoints refuse in their own form.
func TestTokensAtTheDoor(t *testing.T) {
	t.Parallel()
	w := narrow(t, 1, 0, ever)
	app := w.AddClient(oauth.Application{ID: "stuck", Account: testkit.Account, Name: "Stuck", Permissions: access.All}, "secret-of-stuck")
	release := w.Stall()
	var stuck inBackground
	slow := w.form("/token", grant)
	slow.App = app
	stuck.send(w, slow)
	w.counted(t, "working", "write", 1)
	got := w.Do(w.form("/token", grant))
	if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "1" || oauthError(got).Error != api.OAuthTemporarilyUnavailable {
		t.Errorf("got %d %s, want 503 with %s", got.Status, got.Body, api.OAuthTemporarilyUnavailable)
	}
	release()
	if diff := cmp.Diff(map[int]int{200: 1}, stuck.statuses()); diff != "" {
		t.Errorf("the one in work (-want +got):\n%s", diff)
	}
}

// TestTooLate: whose turn does not come in time is refused.
func TestTooLate(t *testing.T) {
	t.Parallel()
	w := narrow(t, 1, 10, time.Millisecond)
	release := w.Stall()
	var stuck inBackground
	stuck.send(w, w.get("STUCK"))
	w.counted(t, "working", "read", 1)
	if got := w.Do(w.get("ACTIVE")); got.Status != http.StatusServiceUnavailable {
		t.Errorf("got %d, want 503", got.Status)
	}
	late := map[string]string{"kind": "read", "reason": "too_late"}
	if n := w.Metric("rollcall_requests_refused_total", late); n != 1 {
		t.Errorf("%v were too late, want 1", n)
	}
	release()
	stuck.Wait()
}

// TestWaitingForATurn: whoever waits is served when there is a place.
func TestWaitingForATurn(t *testing.T) {
	t.Parallel()
	w := narrow(t, 1, 3, ever)
	release := w.Stall()
	var all inBackground
	all.send(w, w.get("STUCK"))
	w.counted(t, "working", "read", 1)
	for i := range 8 { // five more than may wait
		all.send(w, w.get("ACTIVE"))
		w.counted(t, "waiting", "read", float64(min(i+1, 3)))
	}
	w.counted(t, "waited_total", "read", 8)
	release()
	if diff := cmp.Diff(map[int]int{200: 4, 503: 5}, all.statuses()); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

// TestOneApplicationIsStuck: it can't take all places.
func TestOneApplicationIsStuck(t *testing.T) {
	t.Parallel()
	w := narrow(t, 4, 10, ever)
	other := w.Token(w.AddClient(oauth.Application{ID: "other", Account: testkit.Account, Name: "Other", Permissions: access.All}, "secret-of-other"))
	release := w.Stall()
	var stuck inBackground
	for range 6 {
		stuck.send(w, w.get("STUCK"))
	}
	w.counted(t, "waiting", "read", 3)
	quiet := w.get("ACTIVE")
	quiet.Token = other
	if got := w.Do(quiet); got.Status != http.StatusOK {
		t.Errorf("another application: got %d, want 200", got.Status)
	}
	release()
	if diff := cmp.Diff(map[int]int{200: 6}, stuck.statuses()); diff != "" {
		t.Errorf("the stuck ones (-want +got):\n%s", diff)
	}
}

// TestInventedCredentials: whoever invents credentials, each time others, waits in one lane.
func TestInventedCredentials(t *testing.T) {
	t.Parallel()
	w := narrow(t, 4, 10, ever)
	release := w.Stall()
	var stuck inBackground
	for range 6 {
		r := w.get("STUCK")
		var err error
		if r.Token, err = oauth.NewToken(rand.Reader); err != nil {
			t.Fatal(err)
		}
		stuck.send(w, r)
	}
	w.counted(t, "waited_total", "read", 3)
	if got := w.Do(w.get("ACTIVE")); got.Status != http.StatusOK {
		t.Errorf("an application: got %d, want 200", got.Status)
	}
	release()
	stuck.Wait()
}

// TestSlowBodyHoldsNoPlace: who sends a body slowly does not keep others out.
func TestSlowBodyHoldsNoPlace(t *testing.T) {
	t.Parallel()
	w := narrow(t, 1, 0, ever)
	body, send := io.Pipe()
	var slow sync.WaitGroup
	slow.Go(func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.BaseURL+w.UserPath("ACTIVE", ":suspend"), body)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Authorization", "Bearer "+w.token)
		got, err := w.Client().Do(r)
		if err != nil || got.Body.Close() != nil || got.StatusCode != http.StatusOK {
			t.Errorf("the slow one: got %v, %v, want 200", got, err)
		}
	})
	if _, err := send.Write([]byte(" ")); err != nil {
		t.Fatal(err)
	}
	if got := w.Do(w.post("SUSPENDED:suspend")); got.Status != http.StatusOK {
		t.Errorf("another one: got %d, want 200", got.Status)
	}
	_ = send.Close()
	slow.Wait()
}

// leave asks for a path, and goes before there is an answer.
func (w *world) leave(t *testing.T, ctx context.Context, path string) { //nolint:revive // a test's helper has t first
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.BaseURL+path, nil)
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	if got, err := w.Client().Do(r); err == nil {
		t.Errorf("got %d after leaving", got.StatusCode)
		_ = got.Body.Close()
	}
}

// TestLeavingTheQueue: a client that goes leaves its place in the queue.
func TestLeavingTheQueue(t *testing.T) {
	t.Parallel()
	w := narrow(t, 1, 10, ever)
	release := w.Stall()
	var stuck inBackground
	stuck.send(w, w.get("STUCK"))
	w.counted(t, "working", "read", 1)
	ctx, leave := context.WithCancel(t.Context())
	var gone sync.WaitGroup
	gone.Go(func() { w.leave(t, ctx, w.UserPath("ACTIVE", "")) })
	w.counted(t, "waiting", "read", 1)
	leave()
	gone.Wait()
	w.counted(t, "waiting", "read", 0)
	release()
	if diff := cmp.Diff(map[int]int{200: 1}, stuck.statuses()); diff != "" {
		t.Errorf("the one in work (-want +got):\n%s", diff)
	}
}

// TestOverTheLimit: whoever is over a limit and asks on and on is held back, without a
// place in work, and nobody else is.
func TestOverTheLimit(t *testing.T) {
	t.Parallel()
	none := 0
	w := newWorld(t, versions[0], testkit.Options{
		TLS: true, Limits: throttle.Settings{UsersPerMinute: 1},
		Admission: node.Admission{
			Reads: 1, Writes: 1, Waiting: &none, Patience: ever,
			LimitedPace: admit.PacerOptions{Every: ever, Longest: ever, Held: 10},
		},
	})
	other := w.get("ACTIVE")
	other.Token = w.Token(w.AddClient(oauth.Application{ID: "other", Account: testkit.Account, Name: "Other", Permissions: access.All}, "secret-of-other"))
	expect(t, w.Do(w.get("ACTIVE")), http.StatusOK)
	expect(t, w.Do(w.get("ACTIVE")), http.StatusTooManyRequests) // told at once
	ctx, leave := context.WithCancel(t.Context())
	var held sync.WaitGroup
	held.Go(func() { w.leave(t, ctx, w.UserPath("ACTIVE", "")) })
	limit := map[string]string{"reason": "limit"}
	w.shows(t, "rollcall_refusals_held", limit, 1)
	expect(t, w.Do(other), http.StatusOK)              // there is a place
	expect(t, w.Do(other), http.StatusTooManyRequests) // and others are told at once
	leave()
	held.Wait()
	w.shows(t, "rollcall_refusals_held", limit, 0)
}
