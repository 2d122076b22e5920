package httpapi_test

import (
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// limitHeaders returns RateLimit-Limit, -Remaining, -Reset and Retry-After of an answer.
func limitHeaders(r testkit.Response) []string {
	var all []string
	for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"} {
		all = append(all, r.Header.Get(name))
	}
	return all
}

// TestUsersLimit walks through a minute of 3 requests and an hour of 5.
func TestUsersLimit(t *testing.T) {
	t.Parallel()
	options := testkit.Options{Limits: throttle.Settings{UsersPerMinute: 3, UsersPerHour: 5}, TokenLifetime: 2 * time.Hour}
	bothVersions(t, options, func(t *testing.T, w *world) {
		steps := []struct {
			wait   time.Duration
			status int
			want   []string
		}{
			{0, 200, []string{"3", "2", "60", ""}},
			{10 * time.Second, 200, []string{"3", "1", "50", ""}},
			{10 * time.Second, 200, []string{"3", "0", "40", ""}},
			{0, 429, []string{"3", "0", "40", "40"}},
			{39 * time.Second, 429, []string{"3", "0", "1", "1"}},
			{time.Second, 200, []string{"3", "0", "10", ""}}, // what was refused is not counted
			{time.Minute, 200, []string{"5", "0", "3480", ""}},
			{time.Minute, 429, []string{"5", "0", "3420", "3420"}},
		}
		for i, s := range steps {
			w.Clock.Advance(s.wait)
			r := w.Do(w.get("ACTIVE"))
			if diff := cmp.Diff(s.want, limitHeaders(r)); r.Status != s.status || diff != "" {
				t.Errorf("step %d: got %d, want %d; limit, remaining, reset, retry (-want +got):\n%s", i, r.Status, s.status, diff)
			}
		}
		// Waiting Retry-After is enough, and no second more than needed.
		wait, err := strconv.Atoi(w.Do(w.get("ACTIVE")).Header.Get("Retry-After"))
		if err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Duration(wait-1) * time.Second)
		expect(t, w.Do(w.get("ACTIVE")), http.StatusTooManyRequests)
		w.Clock.Advance(time.Second)
		expect(t, w.Do(w.get("ACTIVE")), http.StatusOK)
	})
}

// TestUsersLimitIsTheApplications: it is shared by its tokens and by both versions, and
// by nobody else.
func TestUsersLimitIsTheApplications(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{Limits: throttle.Settings{UsersPerMinute: 2}})
	other := w.Token(w.AddApplication())
	expect(t, w.Get(w.token, "/v1/accounts/"+w.Account+"/users"), http.StatusOK)
	expect(t, w.Get(w.Token(w.app), "/v1beta1/accounts/"+w.Account+"/users"), http.StatusOK)
	expect(t, w.Get(w.Token(w.app), "/v1/accounts/"+w.Account+"/users"), http.StatusTooManyRequests)
	expect(t, w.Get(w.token, "/v1beta1/accounts/"+w.Account+"/users/ACTIVE"), http.StatusTooManyRequests)
	expect(t, w.Get(other, "/v1/accounts/"+w.Account+"/users"), http.StatusOK)
	expect(t, w.Do(testkit.Request{Path: "/docs"}), http.StatusOK)
}

// TestWhatIsCounted: what was authenticated is counted, even if it is then refused.
func TestWhatIsCounted(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{Limits: throttle.Settings{UsersPerMinute: 100}}, func(t *testing.T, w *world) {
		remaining := func() string { return w.Do(w.get("ACTIVE")).Header.Get("RateLimit-Remaining") }
		if got := remaining(); got != "99" {
			t.Fatalf("remaining: got %s, want 99", got)
		}
		w.Do(w.list("filter=bad"))                               // counted
		w.Do(w.get("UNKNOWN"))                                   // counted
		w.Do(testkit.Request{Path: "/v1/x"})                     // no operation
		w.Do(anonymous(w.get("ACTIVE")))                         // nobody's
		w.Do(w.get("ACTIVE:suspend"))                            // wrong method
		w.Do(w.form("/token", grant))                            // another allowance
		w.Get(w.token, w.users(elsewhere))                       // counted
		w.Do(testkit.Request{Path: w.users("x"), Token: "rct_"}) // nobody's
		if got := remaining(); got != "95" {
			t.Errorf("remaining: got %s, want 95", got)
		}
	})
}

// guess is a request to the token endpoint with a wrong secret, from an address.
func (w *world) guess(from string) testkit.Response {
	r := with(anonymous(w.form("/token", grant)), "Authorization", basicHeader("payroll:guess"))
	return w.Do(with(r, "X-Forwarded-For", from))
}

// TestGuessing: after 30 failures an address is not listened to, whatever it sends.
func TestGuessing(t *testing.T) {
	t.Parallel()
	options := testkit.Options{
		Limits:         throttle.Settings{AuthFailuresPerMinute: 30},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	bothVersions(t, options, func(t *testing.T, w *world) {
		const attacker, neighbour = "203.0.113.7", "203.0.113.8"
		for i := range 30 {
			var r testkit.Response
			if i%2 == 0 {
				r = w.guess(attacker)
			} else {
				bad := with(w.get("ACTIVE"), "X-Forwarded-For", attacker)
				bad.Token = "rct_guess"
				r = w.Do(bad)
			}
			expect(t, r, http.StatusUnauthorized)
		}
		r := w.guess(attacker)
		expect(t, r, http.StatusTooManyRequests)
		if got := limitHeaders(r)[3]; got != "60" {
			t.Errorf("Retry-After: got %s, want 60", got)
		}
		good := w.Do(with(w.get("ACTIVE"), "X-Forwarded-For", attacker))
		expect(t, good, http.StatusTooManyRequests)
		expect(t, w.Do(with(w.form("/token", grant), "X-Forwarded-For", "198.51.100.1, "+attacker)), http.StatusTooManyRequests)
		expect(t, w.Do(with(w.form("/token", grant), "X-Forwarded-For", neighbour)), http.StatusOK)
		expect(t, w.Do(with(w.get("ACTIVE"), "X-Forwarded-For", neighbour)), http.StatusOK)
		w.Clock.Advance(time.Minute)
		expect(t, w.Do(with(w.get("ACTIVE"), "X-Forwarded-For", attacker)), http.StatusOK)
	})
}

// TestForwardedForOfStrangers: who is no trusted proxy can't choose their address.
func TestForwardedForOfStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{Limits: throttle.Settings{AuthFailuresPerMinute: 2}})
	expect(t, w.guess("203.0.113.1"), http.StatusUnauthorized)
	expect(t, w.guess("203.0.113.2"), http.StatusUnauthorized)
	expect(t, w.guess("203.0.113.3"), http.StatusTooManyRequests)
	expect(t, w.Do(with(w.get("ACTIVE"), "X-Forwarded-For", "203.0.113.4")), http.StatusTooManyRequests)
}

// TestMissingCredentialsAreNoGuess: a client that forgot its token locks nobody out.
func TestMissingCredentialsAreNoGuess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{Limits: throttle.Settings{AuthFailuresPerMinute: 1}})
	for range 3 {
		expect(t, w.Do(anonymous(w.get("ACTIVE"))), http.StatusUnauthorized)
		expect(t, w.Do(anonymous(w.form("/token", grant))), http.StatusUnauthorized)
	}
	expect(t, w.Do(w.get("ACTIVE")), http.StatusOK)
}
