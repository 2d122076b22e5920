package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAdminAddressMustBeLoopback(t *testing.T) {
	t.Parallel()
	tests := []struct {
		config AdminConfig
		ok     bool
	}{
		{AdminConfig{}, true},
		{AdminConfig{Addr: "127.0.0.1:1"}, true},
		{AdminConfig{Addr: "127.8.8.8:1"}, true},
		{AdminConfig{Addr: "[::1]:1"}, true},
		{AdminConfig{Addr: "[::ffff:127.0.0.1]:1"}, true},
		{AdminConfig{Addr: "localhost:1"}, true},
		{AdminConfig{Addr: "off"}, true},
		{AdminConfig{Addr: ":9091"}, false},
		{AdminConfig{Addr: "0.0.0.0:1"}, false},
		{AdminConfig{Addr: "[::]:1"}, false},
		{AdminConfig{Addr: "192.0.2.1:1"}, false},
		{AdminConfig{Addr: "localhost.example.com:1"}, false},
		{AdminConfig{Addr: "127.0.0.1"}, false},
		{AdminConfig{Addr: ":9091", AllowRemote: true}, true},
	}
	for _, test := range tests {
		_, err := New(Config{Handler: echo, Admin: test.config})
		if got := err == nil; got != test.ok {
			t.Errorf("%+v: want allowed %t, got %v", test.config, test.ok, err)
		}
	}
}

// ask sends a request to the administrative listener, with a Host and headers of the caller's choice.
func (r *running) ask(t *testing.T, method, path, host string, header http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.AdminAddr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	if header != nil {
		req.Header = header
	}
	res, err := r.client(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestAdminRoutes(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: http.NotFoundHandler()}, false)
	for path, want := range map[string]string{
		"/livez":                  `{"status":"ok"}` + "\n",
		"/readyz":                 `{"status":"ok"}` + "\n",
		"/metrics":                "rollcall_connections_open 0\n",
		"/debug/pprof/":           "goroutine",
		"/debug/pprof/heap":       "",
		"/debug/pprof/cmdline":    "server.test",
		"/debug/pprof/symbol?0x1": "num_symbols",
	} {
		if status, body := s.ask(t, http.MethodGet, path, "", nil); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: want 200 with %q, got %d %.200q", path, want, status, body)
		}
	}
	for path, want := range map[string]int{"/": 404, "/v1/accounts": 404, "/debug/pprof/nothing": 404} {
		if status, _ := s.ask(t, http.MethodGet, path, "", nil); status != want {
			t.Errorf("%s: want %d, got %d", path, want, status)
		}
	}
	// Nothing of it on the public listener.
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/debug/pprof/"} {
		res, err := s.client(t, false).Get(s.url(path))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("public %s: want 404, got %d", path, res.StatusCode)
		}
	}
}

func TestAdminKeepsBrowsersOut(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: echo, Admin: AdminConfig{Hosts: []string{"metrics.internal"}}}, false)
	tests := []struct {
		host, header, value string
		want                int
	}{
		{"", "", "", 200},
		{"localhost:9091", "", "", 200},
		{"LOCALHOST", "", "", 200},
		{"[::1]:9091", "", "", 200},
		{"10.1.2.3", "", "", 200},
		{"metrics.internal:9091", "", "", 200},
		{"rebound.example", "", "", 421},
		{"localhost.example:9091", "", "", 421},
		{"127.0.0.1.example", "", "", 421},
		{"", "Sec-Fetch-Site", "none", 200},
		{"", "Sec-Fetch-Site", "same-origin", 200},
		{"", "Sec-Fetch-Site", "cross-site", 403},
		{"", "Sec-Fetch-Site", "same-site", 403},
		{"", "Origin", "https://evil.example", 403},
	}
	for _, test := range tests {
		header := http.Header{}
		if test.header != "" {
			header.Set(test.header, test.value)
		}
		if status, body := s.ask(t, http.MethodGet, "/livez", test.host, header); status != test.want {
			t.Errorf("host %q, %s %q: want %d, got %d %q", test.host, test.header, test.value, test.want, status, body)
		}
	}
}

func TestReadinessNamesTheFailureToTheOperatorOnly(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: http.NotFoundHandler(), PublicHealth: true, Ready: []Check{
		{Name: "clock", Run: func(context.Context) error { return nil }},
		{Name: "database", Run: func(context.Context) error { return errors.New("secret.db is locked") }},
	}}, false)
	status, body := s.ask(t, http.MethodGet, "/readyz", "", nil)
	if want := `{"status":"unavailable","failed":{"database":"secret.db is locked"}}` + "\n"; status != 503 || body != want {
		t.Errorf("admin: want 503 %q, got %d %q", want, status, body)
	}
	public := map[string]string{}
	for _, path := range []string{"/livez", "/readyz", "/other"} {
		res, err := s.client(t, false).Get(s.url(path))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		public[path] = res.Status + " " + string(text)
	}
	want := map[string]string{
		"/livez":  "200 OK {\"status\":\"ok\"}\n",
		"/readyz": "503 Service Unavailable {\"status\":\"unavailable\"}\n",
		"/other":  "404 Not Found 404 page not found\n",
	}
	if diff := cmp.Diff(want, public); diff != "" {
		t.Errorf("public (-want +got):\n%s", diff)
	}
	if status, _ := s.ask(t, http.MethodPost, "/livez", "", nil); status != http.StatusMethodNotAllowed {
		t.Errorf("POST: want 405, got %d", status)
	}
}

// A drain shows at once, even where a verdict is still fresh, and liveness does not follow.
func TestReadinessDuringDrain(t *testing.T) {
	t.Parallel()
	h := newHealth(nil, time.Now)
	if status, _ := h.assess(t.Context()); status != http.StatusOK {
		t.Fatalf("want ready, got %d", status)
	}
	h.draining.Store(true)
	if status, body := h.assess(t.Context()); status != http.StatusServiceUnavailable || body.Status != "draining" {
		t.Errorf("want draining, got %d %+v", status, body)
	}
}
