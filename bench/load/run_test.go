package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// echo answers with the request's path, and with other things at paths that ask for them.
func echo(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/close"):
		w.Header().Set("Connection", "close")
	case strings.HasPrefix(r.URL.Path, "/hang"):
		<-r.Context().Done()
	}
	_, _ = fmt.Fprint(w, r.URL.Path)
}

// paths is a script that asks for /FIRST/client/i and wants that path back.
func paths(first string) Script {
	path := func(client, i int) string { return fmt.Sprintf("/%s/%d/%d", first, client, i) }
	return Script{
		Append: func(wire []byte, client, i int) []byte {
			return fmt.Appendf(wire, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path(client, i))
		},
		Check: func(client, i int, answer Answer) error {
			if want := path(client, i); answer.Status != 200 || string(answer.Body) != want {
				return fmt.Errorf("got %d %q, want %q", answer.Status, answer.Body, want)
			}
			return nil
		},
	}
}

func dialTest(t *testing.T, target Target, n int) []*Client {
	t.Helper()
	clients, err := DialAll(t.Context(), target, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CloseAll(clients) })
	return clients
}

func TestRun(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	count := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.URL.Path]++
		mu.Unlock()
		echo(w, r)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(count))
	srv.StartTLS()
	t.Cleanup(srv.Close)
	trust, ok := srv.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("no transport")
	}
	config := &tls.Config{RootCAs: trust.TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
	clients := dialTest(t, Target{Address: srv.Listener.Addr().String(), TLS: config}, 4)
	for run := 1; run <= 2; run++ {
		got, err := Run(t.Context(), clients, 25, paths("ok"))
		if err != nil {
			t.Fatalf("run %d: %v", run, err)
		}
		if got.Requests != 100 || len(got.Latencies) != 100 || !slices.IsSorted(got.Latencies) || got.Latencies[0] <= 0 {
			t.Errorf("run %d: got %d requests, latencies %v", run, got.Requests, got.Latencies)
		}
		for path, times := range seen {
			if times != run {
				t.Errorf("run %d: %s was asked %d times", run, path, times)
			}
		}
		if len(seen) != 100 {
			t.Errorf("run %d: %d paths were asked, want 100", run, len(seen))
		}
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	wrong := errors.New("wrong")
	refuse := paths("ok")
	refuse.Check = func(client, i int, _ Answer) error {
		if client == 1 && i == 3 {
			return wrong
		}
		return nil
	}
	tests := map[string]struct {
		script Script
		want   string
	}{
		"check":  {refuse, "client 1, request 3: wrong"},
		"closed": {paths("close"), "the server closes the connection"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(echo))
			t.Cleanup(srv.Close)
			clients := dialTest(t, Target{Address: srv.Listener.Addr().String()}, 2)
			_, err := Run(t.Context(), clients, 10, tt.script)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRunCancelled(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(srv.Close)
	clients := dialTest(t, Target{Address: srv.Listener.Addr().String()}, 2)
	ctx, cancel := context.WithCancel(t.Context())
	script := paths("hang")
	appendOne := script.Append
	script.Append = func(wire []byte, client, i int) []byte {
		cancel()
		return appendOne(wire, client, i)
	}
	if _, err := Run(ctx, clients, 1, script); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestDialRefused(t *testing.T) {
	t.Parallel()
	const nobody = "127.0.0.1:0" // no server can listen there
	if _, err := DialAll(t.Context(), Target{Address: nobody}, 2); err == nil || !strings.Contains(err.Error(), nobody) {
		t.Errorf("got %v, want an error that names %s", err, nobody)
	}
}
