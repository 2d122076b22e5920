package httpapi_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestVerbs is the nine probes on which routers fail: which operation answers is seen
// by the answer, and whether the wrong one ran by the user's state.
func TestVerbs(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		probes := []struct {
			method, path string
			status       int
			state        api.State // of the user in the answer
			message      string    // of the error
		}{
			{"GET", "", 200, "", ""},
			{"GET", "/ACTIVE", 200, api.StateActive, ""},
			{"POST", "/ACTIVE:suspend", 200, api.StateSuspended, ""},
			{"POST", "/ACTIVE:reactivate", 200, api.StateActive, ""},
			{"POST", "/ACTIVE%3Asuspend", 200, api.StateSuspended, ""},
			{"POST", "/ACTIVE%3areactivate", 200, api.StateActive, ""},
			{"GET", "/ACTIVE:suspend", 405, "", api.MessageMethodNotAllowed},
			{"GET", "/ACTIVE%3Asuspend", 405, "", api.MessageMethodNotAllowed},
			{"POST", "/ACTIVE:bogus", 404, "", api.MessageRouteNotFound},
			{"GET", "/ACTIVE:bogus", 404, "", api.MessageRouteNotFound},
			{"POST", "/ACTIVE:Suspend", 404, "", api.MessageRouteNotFound},
			{"POST", "/ACTIVE:", 404, "", api.MessageRouteNotFound},
			{"POST", "/ACTIVE", 405, "", api.MessageMethodNotAllowed},
			{"POST", "/a:b:suspend", 404, "", api.MessageNotFound},
			{"POST", "/ACTIVE:suspend:suspend", 404, "", api.MessageNotFound},
			{"POST", ":suspend", 404, "", api.MessageRouteNotFound},
			{"POST", "/:suspend", 404, "", api.MessageRouteNotFound},
			{"GET", "/ACTIVE", 200, api.StateActive, ""},
		}
		for _, p := range probes {
			r := w.Do(testkit.Request{Method: p.method, Path: w.users(w.Account) + p.path, Token: w.token})
			if r.Status != p.status || user(r).State != p.state || status(r).Message != p.message {
				t.Errorf("%s %s: got %d %s, want %d %s%s", p.method, p.path, r.Status, r.Body, p.status, p.state, p.message)
			}
		}
	})
}

// TestOddPaths sends request targets as they are, where an HTTP client would tidy them
// up: none redirects, none finds anything, and every answer is JSON.
func TestOddPaths(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		users := w.users(w.Account)
		missing, unknown := api.MessageNotFound, api.MessageRouteNotFound
		cases := []struct{ target, message string }{
			{users + "/", unknown},
			{users + "/ACTIVE/", unknown},
			{"/" + users, unknown},
			{strings.Replace(users, "/users", "//users", 1), unknown},
			{users + "//ACTIVE", unknown},
			{users + "/./ACTIVE", unknown},
			{users + "/../users/ACTIVE", unknown},
			{users + "/%2e%2e", missing},
			{users + "/.", missing},
			{users + "/ACTIVE%2F", missing},
			{users + "%2FACTIVE", unknown},
			{users + "/ACTIVE%00", missing},
			{users + "/ACTIVE%20", missing},
			{users + "/%FF", missing},
			{users + "/active", missing},
			{users + "/*", missing},
			{users + "/" + strings.Repeat("x", 8000), missing},
			{strings.Replace(users, w.Account, "", 1), unknown},
			{"/" + strings.ToUpper(w.name) + users[len(w.name)+1:], unknown},
			{users + ";x=y", unknown},
			{strings.Repeat("/x", 5000), unknown},
			{"/", unknown},
			{"*", unknown},
			{"/%2F", unknown},
			{"/" + w.name, unknown},
			{w.BaseURL + users + "/UNKNOWN", missing}, // absolute form (RFC 9112 section 3.2.2)
			{"http://another.example/" + w.name, unknown},
		}
		for _, c := range cases {
			r := w.raw(t, "GET "+c.target+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.token+"\r\nConnection: close\r\n\r\n")
			if r.Status != http.StatusNotFound || status(r).Message != c.message {
				t.Errorf("GET %.80s: got %d %s, want 404 %s", c.target, r.Status, r.Body, c.message)
			}
		}
		r := w.raw(t, "GET "+w.BaseURL+users+"/ACTIVE HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.token+"\r\nConnection: close\r\n\r\n")
		expect(t, r, http.StatusOK)
	})
}

// TestForeignAccountInPath: an odd account is no better than another existing one.
func TestForeignAccountInPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	want := w.raw(t, "GET /v1/accounts/"+elsewhere+"/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.token+"\r\nX-Request-Id: r\r\nConnection: close\r\n\r\n")
	expect(t, want, http.StatusForbidden)
	for _, account := range []string{"*", "%00", "..", "a%2Fb", "a:b", strings.Repeat("x", 8000), strings.ToLower(w.Account), w.Account + "%20"} {
		r := w.raw(t, "GET /v1/accounts/"+account+"/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.token+"\r\nX-Request-Id: r\r\nConnection: close\r\n\r\n")
		if r.Status != want.Status || r.Body != want.Body {
			t.Errorf("account %.40q: got %d %s, want %d %s", account, r.Status, r.Body, want.Status, want.Body)
		}
	}
}

// TestOddMethods: methods nobody has are refused like any other wrong one.
func TestOddMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	for _, c := range []struct {
		line   string
		status int
		allow  string
	}{
		{"OPTIONS *", http.StatusNotFound, ""},
		{"OPTIONS " + w.ListPath(), http.StatusMethodNotAllowed, "GET, HEAD"},
		{"TRACE " + w.ListPath(), http.StatusMethodNotAllowed, "GET, HEAD"},
		{"get " + w.ListPath(), http.StatusMethodNotAllowed, "GET, HEAD"},
		{"PATCH /v1/oauth/token", http.StatusMethodNotAllowed, "POST"},
		{"GET /v1/oauth/revoke", http.StatusMethodNotAllowed, "POST"},
		{"CONNECT example.com:443", http.StatusNotFound, ""},
	} {
		r := w.raw(t, c.line+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if r.Status != c.status || r.Header.Get("Allow") != c.allow {
			t.Errorf("%s: got %d, Allow %q, want %d, %q", c.line, r.Status, r.Header.Get("Allow"), c.status, c.allow)
		}
	}
}

// raw sends bytes as they are and reads the answer. It is JSON and no redirect, or the test fails.
func (w *world) raw(t *testing.T, request string) testkit.Response {
	t.Helper()
	conn, err := net.Dial("tcp", w.Address) //nolint:noctx // ends with the test
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	if !json.Valid(body) || resp.Header.Get("Content-Type") != "application/json" || resp.StatusCode/100 == 3 {
		t.Errorf("%.80q: got %d %s, want JSON", request, resp.StatusCode, body)
	}
	return testkit.Response{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
}
