package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// clients is the path of an account's applications, with a suffix.
func clients(account, suffix string) string {
	return "/v1/accounts/" + account + "/oauth-clients" + suffix
}

// send is a request about the first account's applications.
func (w *world) send(method, suffix, body string) testkit.Request {
	return testkit.Request{Method: method, Path: clients(w.Account, suffix), Token: w.token, Body: body}
}

// client reads an answer as an application, with its secret if it has one.
func client(r testkit.Response) api.NewOAuthClientSecret {
	var c api.NewOAuthClientSecret
	_ = json.Unmarshal([]byte(r.Body), &c)
	return c
}

// bearer returns the request with another token.
func bearer(r testkit.Request, token string) testkit.Request {
	r.Token = token
	return r
}

// TestNobodyGrantsWhatTheyLack crosses what a manager holds with what it tries to give
// away: to a new application, to one there is, and to itself.
func TestNobodyGrantsWhatTheyLack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	write := access.Set(access.WriteApplications)
	for _, held := range []access.Set{write, write | access.Set(access.ListUsers), access.All.Without(access.Set(access.SuspendUser)), access.All} {
		app := w.AddClient(oauth.Application{Account: account, Name: "Manager", Permissions: held}, "")
		token := w.Token(app)
		weak := w.AddClient(oauth.Application{Account: account, Name: "Weak", Permissions: write}, "")
		for asked := access.Set(1); asked <= access.All; asked++ {
			names, err := json.Marshal(access.AllOf(asked))
			if err != nil {
				t.Fatal(err)
			}
			want := http.StatusOK
			if asked.Without(held) != 0 {
				want = http.StatusForbidden
			}
			body := fmt.Sprintf(`{"name":"n","permissions":%s}`, names)
			if got := w.Do(bearer(w.send(http.MethodPost, "", body), token)); got.Status != want {
				t.Fatalf("%q creates %q: got %d %s, want %d", held, asked, got.Status, got.Body, want)
			}
			if want == http.StatusForbidden { // what is given to itself or to weak would be taken along
				for _, id := range []ident.ClientID{app.ID, weak.ID} {
					if got := w.Do(bearer(w.send(http.MethodPatch, "/"+string(id), body), token)); got.Status != want {
						t.Fatalf("%q gives %q to %s: got %d %s, want %d", held, asked, id, got.Status, got.Body, want)
					}
				}
			}
		}
		for id, want := range map[ident.ClientID]access.Set{app.ID: held, weak.ID: write} {
			a, err := w.OAuth.Store.Application(t.Context(), account, id)
			if err != nil || a.Permissions != want {
				t.Errorf("%s holds %q (%v), want %q", id, a.Permissions, err, want)
			}
		}
	}
}

// TestSecretsAreToldOnce: in the answers that make them, and in no other.
func TestSecretsAreToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	r := w.Do(w.send(http.MethodPost, "", `{"name":"n","permissions":["users.list"]}`))
	c := client(r)
	if c.ClientSecret == "" || r.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("created: got %s, Cache-Control %q", r.Body, r.Header.Get("Cache-Control"))
	}
	rotated := w.Do(w.send(http.MethodPost, "/"+c.ID+":rotate-secret", `{"overlap":"60s"}`))
	next := client(rotated)
	if next.ClientSecret == "" || next.ClientSecret == c.ClientSecret || rotated.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("rotated: got %s", rotated.Body)
	}
	for _, s := range []string{c.ClientSecret, next.ClientSecret} {
		w.Token(testkit.Application{ID: clientID(c.ID), Account: account, Secret: s})
	}
	for _, r := range []testkit.Request{
		w.send("GET", "", ""), w.send("GET", "/"+c.ID, ""), w.send("PATCH", "/"+c.ID, `{"name":"m"}`), w.send("POST", "/"+c.ID+":disable", ""),
		w.send("POST", "/"+c.ID+":enable", ""), w.send("POST", "/"+c.ID+"/tokens:revoke", ""), w.send("DELETE", "/"+c.ID, ""),
	} {
		if got := w.Do(r); strings.Contains(got.Body, oauth.SecretPrefix) || strings.Contains(got.Body, "client_secret") {
			t.Errorf("%s %s tells a secret: %s", r.Method, r.Path, got.Body)
		}
	}
	for _, e := range w.Entries(account) {
		if text := fmt.Sprintf("%+v", e); strings.Contains(text, oauth.SecretPrefix) {
			t.Errorf("an entry tells a secret: %s", text)
		}
	}
}

// TestLastUse: what a secret was last used for is seen at once, and survives a restart.
func TestLastUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	c := client(w.Do(w.send("POST", "", `{"name":"n","permissions":["users.list"]}`)))
	app := testkit.Application{ID: clientID(c.ID), Account: account, Secret: c.ClientSecret}
	lastUses := func() (uses []string) {
		for _, s := range client(w.Do(w.send("GET", "/"+c.ID, ""))).Secrets {
			use := "never"
			if s.LastUsedTime != nil {
				use = s.LastUsedTime.Sub(testkit.Epoch).String()
			}
			uses = append(uses, use)
		}
		return uses
	}
	check := func(when string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, lastUses()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("new", "never")
	w.Clock.Advance(time.Second)
	w.Token(app)
	check("used", "1s")
	next := client(w.Do(w.send("POST", "/"+c.ID+":rotate-secret", `{"overlap":"60s"}`)))
	check("rotated", "1s", "never")
	w.Clock.Advance(time.Second)
	w.Token(testkit.Application{ID: app.ID, Account: account, Secret: next.ClientSecret})
	check("the new one used", "1s", "2s")
	w.guess("")
	w.Restart()
	check("after a restart", "1s", "2s")
	w.Clock.Advance(time.Minute)
	check("the old one is over", "2s")
}

// TestChangesBite: with the next request, for secrets and tokens from before.
func TestChangesBite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	c := client(w.Do(w.send("POST", "", `{"name":"n","permissions":["users.list","users.get"]}`)))
	app := testkit.Application{ID: clientID(c.ID), Account: account, Secret: c.ClientSecret}
	token := w.Token(app)
	get := func(want int) { t.Helper(); expect(t, w.Do(bearer(w.get("ACTIVE"), token)), want) }
	act := func(method, suffix, body string) {
		t.Helper()
		if r := w.Do(w.send(method, "/"+c.ID+suffix, body)); r.Status/100 != 2 {
			t.Fatalf("%s %s: got %d %s", method, suffix, r.Status, r.Body)
		}
	}
	get(200)
	act("PATCH", "", `{"permissions":["users.list"]}`)
	get(403)
	act("PATCH", "", `{"permissions":["users.get"]}`)
	get(200)
	act("POST", ":disable", "")
	get(401)
	act("POST", ":enable", "")
	get(200)
	act("POST", "/tokens:revoke", "{}")
	get(401)
	token = w.Token(app)
	get(200)
	act("POST", ":rotate-secret", "")
	get(401)
	expect(t, w.Form(app, "/v1/oauth/token", map[string][]string{"grant_type": {"client_credentials"}}), 401)
	act("DELETE", "", "")
	expect(t, w.Do(w.send("GET", "/"+c.ID, "")), 404)
}

// TestDisablingRacesTokens: once the answer is there, no token counts that there was
// before, nor any that was being issued; but for the end of all tokens, none after it.
func TestDisablingRacesTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	for end, method := range map[string]string{":disable": "POST", ":rotate-secret": "POST", "/tokens:revoke": "POST", "": "DELETE"} {
		app := w.AddApplication(access.GetUser)
		tokens := make(chan string, 4*25)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 25 {
					r := w.Form(app, "/v1/oauth/token", map[string][]string{"grant_type": {"client_credentials"}})
					var answer api.TokenResponse
					if r.Status != 200 || json.Unmarshal([]byte(r.Body), &answer) != nil {
						return
					}
					tokens <- answer.AccessToken
				}
			})
		}
		before := []string{<-tokens, <-tokens}
		if r := w.Do(w.send(method, "/"+string(app.ID)+end, "")); r.Status/100 != 2 {
			t.Errorf("%s: got %d %s", end, r.Status, r.Body)
		}
		wg.Wait()
		close(tokens)
		if end != "/tokens:revoke" { // after which the secret goes on working
			for token := range tokens {
				before = append(before, token)
			}
		}
		for _, token := range before {
			if r := w.Do(bearer(w.get("ACTIVE"), token)); r.Status != 401 {
				t.Errorf("after %q a token still gets %d", end, r.Status)
			}
		}
	}
}

// TestManagementLimits: reads and writes have allowances of their own, per caller, and
// the Users API another one.
func TestManagementLimits(t *testing.T) {
	t.Parallel()
	limits := throttle.Settings{ManagementReadsPerMinute: 3, ManagementWritesPerMinute: 2, UsersPerMinute: 1}
	w := newWorld(t, versions[0], testkit.Options{Limits: limits})
	bridge := w.AddApplication(access.ListUsers)
	for i, s := range []struct {
		method, suffix, body string
		want                 int
	}{
		{"GET", "", "", 200}, {"HEAD", "/" + string(bridge.ID), "", 200}, {"GET", "/NOBODY", "", 404}, {"GET", "", "", 429},
		{"PATCH", "/" + string(bridge.ID), `{"nonsense":1}`, 400}, {"POST", "/" + string(bridge.ID) + ":disable", "", 200},
		{"POST", "/" + string(bridge.ID) + ":enable", "", 429}, {"DELETE", "/" + string(bridge.ID), "", 429}, {"POST", "", "", 429},
	} {
		if got := w.Do(w.send(s.method, s.suffix, s.body)); got.Status != s.want {
			t.Errorf("step %d, %s %s: got %d %s, want %d", i, s.method, s.suffix, got.Status, got.Body, s.want)
		}
	}
	expect(t, w.Do(w.get("ACTIVE")), 200)
	other := w.Token(w.AddApplication())
	expect(t, w.Do(bearer(w.send("GET", "", ""), other)), 200)
	w.Clock.Advance(time.Minute)
	expect(t, w.Do(w.send("GET", "", "")), 200)
	expect(t, w.Do(w.send("POST", "/"+string(bridge.ID)+":enable", "")), 200)
}

// TestOnlyV1Manages: the preview never had this.
func TestOnlyV1Manages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	for _, path := range []string{"", "/payroll", "/payroll/tokens:revoke"} {
		r := w.Get(w.token, strings.Replace(clients(w.Account, path), "/v1/", "/v1beta1/", 1))
		if r.Status != 404 || !strings.Contains(r.Body, "Not Found") {
			t.Errorf("%s: got %d %s, want an unknown route", path, r.Status, r.Body)
		}
	}
}

// TestTooManySecrets: ten work at once; an eleventh needs an end of the others.
func TestTooManySecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	app := w.AddApplication(access.ListUsers)
	rotate := w.send("POST", "/"+string(app.ID)+":rotate-secret", `{"overlap":"604800s"}`)
	for range oauth.MaxSecrets - 1 {
		expect(t, w.Do(rotate), 200)
	}
	expect(t, w.Do(rotate), 400)
	rotate.Body = ""
	r := w.Do(rotate)
	expect(t, r, 200)
	if n := len(client(r).Secrets); n != 1 {
		t.Errorf("secrets after a rotation without overlap: got %d, want 1", n)
	}
}
