package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestRequestIDs: a client's id is kept if it is fit to be shown, else replaced.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	for id, kept := range map[string]bool{
		"a": true, "0f-8_A.z~": true, `"<'&>"`: true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "tab\there": false, "caf\xc3\xa9": false, "\xff": false,
	} {
		for _, path := range []string{"/v1/nothing", w.ListPath(), "/docs"} {
			r := with(testkit.Request{Path: path}, "X-Request-Id", id)
			got := w.Do(r).Header.Values("X-Request-Id")
			if len(got) != 1 || got[0] == "" || (got[0] == id) != kept {
				t.Errorf("X-Request-Id %q on %s: got %q, kept: want %t", id, path, got, kept)
			}
		}
	}
	a, b := w.Do(testkit.Request{Path: "/"}), w.Do(testkit.Request{Path: "/"})
	if a.Header.Get("X-Request-Id") == b.Header.Get("X-Request-Id") {
		t.Errorf("two requests have one id: %v", a.Header)
	}
}

// TestUserAgents: none is refused.
func TestUserAgents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	for _, agent := range []string{"", "Company/1.0", "\"' OR 1=1 --", "\xff\xfe", strings.Repeat("x", 20000)} {
		expect(t, w.Do(with(w.get("ACTIVE"), "User-Agent", agent)), http.StatusOK)
		expect(t, w.Do(with(w.post("ACTIVE:suspend"), "User-Agent", agent)), http.StatusOK)
	}
}

// TestHead: HEAD has status and headers of GET, and no body, on every route.
func TestHead(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		for _, path := range []string{
			w.users(w.Account), w.users(w.Account) + "?max_page_size=2", w.users(w.Account) + "?filter=x", w.users(elsewhere),
			w.user(w.Account, "ACTIVE"), w.user(w.Account, "UNKNOWN"), w.user(w.Account, "ACTIVE:suspend"), w.oauth + "/token",
			"/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource", "/openapi.yaml", "/docs", "/nothing",
		} {
			get := with(testkit.Request{Path: path, Token: w.token}, "X-Request-Id", "r")
			head := get
			head.Method = http.MethodHead
			a, b := w.Do(get), w.Do(head)
			a.Header.Del("Date")
			b.Header.Del("Date")
			if diff := cmp.Diff(a.Header, b.Header); a.Status != b.Status || diff != "" {
				t.Errorf("%s: GET %d, HEAD %d; headers (-GET +HEAD):\n%s", path, a.Status, b.Status, diff)
			}
			if b.Body != "" {
				t.Errorf("HEAD %s: got a body %q", path, b.Body)
			}
		}
	})
}

// TestTransportSecurity: over TLS, in both versions of HTTP, and behind a proxy that
// says so, clients are told to stay with it. The client checks the header itself.
func TestTransportSecurity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{TLS: true})
	r := w.Do(w.get("ACTIVE"))
	expect(t, r, http.StatusOK)
	if got := r.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=31536000") {
		t.Errorf("Strict-Transport-Security: got %q", got)
	}
	plain := newWorld(t, versions[0], testkit.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	for proto, want := range map[string]bool{"https": true, "http": false, "": false, "https, http": false} {
		got := plain.Do(with(plain.get("ACTIVE"), "X-Forwarded-Proto", proto)).Header.Get("Strict-Transport-Security") != ""
		if got != want {
			t.Errorf("X-Forwarded-Proto %q of a trusted proxy: got HSTS %t, want %t", proto, got, want)
		}
	}
	open := newWorld(t, versions[0], testkit.Options{})
	if got := open.Do(with(open.get("ACTIVE"), "X-Forwarded-Proto", "https")).Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("X-Forwarded-Proto of a stranger: got HSTS %q", got)
	}
}

// TestBrowsers: a preflight is an unknown method like any other, and grants nothing.
func TestBrowsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	r := w.list("")
	r.Method = http.MethodOptions
	r = with(with(r, "Origin", "https://evil.example"), "Access-Control-Request-Method", "GET")
	expect(t, w.Do(r), http.StatusMethodNotAllowed)
	expect(t, w.Do(with(w.list(""), "Origin", "https://evil.example")), http.StatusOK)
}

// TestCaching: tokens and people are for no cache.
func TestCaching(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		for _, c := range []struct {
			request testkit.Request
			pragma  string
		}{
			{w.form("/token", grant), "no-cache"},
			{w.form("/token", ""), "no-cache"},
			{anonymous(w.form("/revoke", "")), "no-cache"},
			{w.form("/revoke", "token=x"), "no-cache"},
			{w.list(""), ""},
			{w.get("ACTIVE"), ""},
			{w.post("ACTIVE:suspend"), ""},
		} {
			h := w.Do(c.request).Header
			if h.Get("Cache-Control") != "no-store" || h.Get("Pragma") != c.pragma {
				t.Errorf("%s: got Cache-Control %q, Pragma %q", c.request.Path, h.Get("Cache-Control"), h.Get("Pragma"))
			}
		}
	})
}

// TestMetadata: base URLs are the configured one, or the request's own.
func TestMetadata(t *testing.T) {
	t.Parallel()
	public := testkit.Start(t, testkit.Options{PublicURL: "https://users.example.com/"})
	local := testkit.Start(t, testkit.Options{TLS: true})
	for base, s := range map[string]*testkit.Server{"https://users.example.com": public, local.BaseURL: local} {
		var as api.AuthorizationServerMetadata
		if err := json.Unmarshal([]byte(s.Get("", "/.well-known/oauth-authorization-server").Body), &as); err != nil {
			t.Fatal(err)
		}
		if as.Issuer != base || as.TokenEndpoint != base+"/v1/oauth/token" || as.RevocationEndpoint != base+"/v1/oauth/revoke" {
			t.Errorf("authorization server: got %+v, want %s", as, base)
		}
		var pr api.ProtectedResourceMetadata
		if err := json.Unmarshal([]byte(s.Get("", "/.well-known/oauth-protected-resource").Body), &pr); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{base}, pr.AuthorizationServers); pr.Resource != base || diff != "" {
			t.Errorf("protected resource: got %+v, want %s", pr, base)
		}
	}
}

// TestDocuments: the contract and its reference page are served as they are.
func TestDocuments(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	if r := s.Get("", "/openapi.yaml"); r.Body != string(api.OpenAPI()) {
		t.Errorf("/openapi.yaml: got %d with %d bytes, want the document", r.Status, len(r.Body))
	}
	if r := s.Get("", "/docs"); r.Body != string(api.DocsHTML()) {
		t.Errorf("/docs: got %d with %d bytes, want the page", r.Status, len(r.Body))
	}
}

// TestWithoutV1Beta1: a version that is switched off is no route at all.
func TestWithoutV1Beta1(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{WithoutV1Beta1: true})
	expect(t, w.Do(w.get("ACTIVE")), http.StatusOK)
	off := versions[1]
	for _, r := range []testkit.Request{
		{Path: off.users(w.Account), Token: w.token},
		{Path: off.user(w.Account, "ACTIVE"), Token: w.token},
		{Path: off.user(w.Account, "ACTIVE:suspend"), Token: w.token, Method: http.MethodPost},
		{Path: off.oauth + "/token", App: w.app, Method: http.MethodPost},
		{Path: off.oauth + "/revoke", App: w.app, Method: http.MethodPost},
	} {
		if got := w.Do(r); got.Status != http.StatusNotFound || status(got).Message != api.MessageRouteNotFound {
			t.Errorf("%s: got %d %s, want an unknown route", r.Path, got.Status, got.Body)
		}
	}
}
