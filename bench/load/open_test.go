package load

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func serveTest(t *testing.T, h http.HandlerFunc) Target {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return Target{Address: strings.TrimPrefix(server.URL, "http://")}
}

// TestOpen: each request that is due is answered, refused or lost, and refused ones are sent again.
func TestOpen(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	target := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		echo(w, r)
	})
	o, err := Open(t.Context(), dialTest(t, target, 3), Offer{Rate: 2000, For: 200 * time.Millisecond, Seed: 1}, paths("a"))
	if err != nil {
		t.Fatal(err)
	}
	right, refusals := len(o.Latencies), len(o.Refusals)
	if right == 0 || refusals == 0 || right+refusals+o.Unsent != o.Offered || o.Refused != refusals || len(o.Lags) != right+refusals {
		t.Errorf("got %d due, %d right, %d refused, %d unsent, %d lags", o.Offered, right, refusals, o.Unsent, len(o.Lags))
	}
}

// TestOpenDoesNotWait: a server that does not answer does not slow the schedule down.
func TestOpenDoesNotWait(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	target := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		<-release
		echo(w, r)
	})
	time.AfterFunc(300*time.Millisecond, func() { close(release) }) // after the last request is due
	o, err := Open(t.Context(), dialTest(t, target, 2), Offer{Rate: 1000, For: 200 * time.Millisecond, Seed: 1}, paths("a"))
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Latencies) != 2 || o.Served != 0 || o.Unsent != o.Offered-2 {
		t.Errorf("got %d answers, %d in time, %d of %d unsent; want two, none, all others", len(o.Latencies), o.Served, o.Unsent, o.Offered)
	}
}

func TestOpenWrongAnswer(t *testing.T) {
	t.Parallel()
	target := serveTest(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "nonsense") })
	_, err := Open(t.Context(), dialTest(t, target, 2), Offer{Rate: 1000, For: time.Second, Seed: 1}, paths("a"))
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("got error %v, want the wrong answer", err)
	}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	var asked atomic.Int64
	target := serveTest(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 50 {
			stop()
		}
		echo(w, r)
	})
	o, err := Flood(ctx, dialTest(t, target, 2), paths("a"))
	if err != nil || o.Served < 50 || o.Served != len(o.Latencies) {
		t.Errorf("got %d answers, %v, want 50 or a few more", o.Served, err)
	}
}
