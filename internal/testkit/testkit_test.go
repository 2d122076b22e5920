package testkit_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServer(t *testing.T) {
	t.Parallel()
	for _, tls := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%t", tls), func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{TLS: tls})
			s.AddUser(directory.User{ID: "ada", Groups: []string{directory.Owners}})
			token := s.Token(s.AddApplication())
			if r := s.Get(token, s.UserPath("ada", "")); r.Status != http.StatusOK || !strings.Contains(r.Body, `"id":"ada"`) {
				t.Errorf("get ada: got %d %s", r.Status, r.Body)
			}
			if n := s.ActiveOwners(testkit.Account); n != 1 {
				t.Errorf("active owners: got %d, want 1", n)
			}
			s.Restart()
			if r := s.Get(token, s.ListPath()); r.Status != http.StatusOK {
				t.Errorf("list after a restart: got %d %s", r.Status, r.Body)
			}
			s.Clock.Advance(15 * time.Minute)
			if r := s.Get(token, s.ListPath()); r.Status != http.StatusUnauthorized {
				t.Errorf("list with an expired token: got %d %s", r.Status, r.Body)
			}
		})
	}
}

func TestEntriesHoldWhatWasNoted(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	app := s.AddApplication()
	app.Secret = "wrong"
	s.Form(app, "/v1/oauth/token", nil)
	refused := func(e audit.Entry) bool { return e.Outcome == audit.Refused }
	if entries := s.Entries(testkit.Account); !slices.ContainsFunc(entries, refused) {
		t.Errorf("entries: got %v, want a refusal among them", entries)
	}
}

// recorder is a testing.TB that only remembers that it failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (*recorder) Helper()                 {}

// TestCheckedNotices breaks a good answer in each way that must be noticed.
func TestCheckedNotices(t *testing.T) {
	t.Parallel()
	const user = `{"id":"U","email":"a@example.com","display_name":"A","state":"ACTIVE","create_time":"2024-01-15T10:30:00Z","path":"accounts/A/users/U"}`
	cases := map[string]struct {
		path, header, body string
		status             int
		ok                 bool
	}{
		"good":                {status: 200, body: user, ok: true},
		"seventh field":       {status: 200, body: strings.Replace(user, "{", `{"x":1,`, 1)},
		"undocumented status": {status: 409, body: user},
		"no request id":       {status: 200, body: user, header: "X-Request-Id:"},
		"cookie":              {status: 200, body: user, header: "Set-Cookie: a=b"},
		"banner":              {status: 200, body: user, header: "Server: x"},
		"cors":                {status: 200, body: user, header: "Access-Control-Allow-Origin: *"},
		"sniffable":           {status: 200, body: user, header: "X-Content-Type-Options:"},
		"no policy":           {status: 200, body: user, header: "Content-Security-Policy:"},
		"cacheable":           {status: 200, body: user, header: "Cache-Control:"},
		"hsts without tls":    {status: 200, body: user, header: "Strict-Transport-Security: max-age=1"},
		"redirect":            {status: 301, body: ""},
		"unknown route":       {path: "/v1/nothing", status: 404, body: `{"code":5,"message":"Not Found","details":[]}`, ok: true},
		"unknown route, text": {path: "/v1/nothing", status: 404, body: "404 page not found"},
		"unknown route, code": {path: "/v1/nothing", status: 404, body: `{"code":7,"message":"Not Found","details":[]}`},
		"unknown route, 200":  {path: "/v1/nothing", status: 200, body: `{}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				for _, good := range []string{
					"X-Request-Id: r", "X-Content-Type-Options: nosniff", "Content-Security-Policy: default-src 'none'",
					"Cache-Control: no-store", "Content-Type: application/json", c.header,
				} {
					field, value, _ := strings.Cut(good, ":")
					if h.Del(field); value != "" {
						h.Set(field, value[1:])
					}
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(srv.Close)
			path := c.path
			if path == "" {
				path = "/v1/accounts/A/users/U"
			}
			r := &recorder{TB: t}
			resp, err := testkit.Checked(r, srv.Client().Transport).Get(srv.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if r.failed == c.ok {
				t.Errorf("noticed: got %t, want %t", r.failed, !c.ok)
			}
		})
	}
}
