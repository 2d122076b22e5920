package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// gate is a handler that says when a request has arrived and answers it when it is let go.
type gate struct{ arrived, release chan struct{} }

func newGate() gate { return gate{make(chan struct{}, 8), make(chan struct{})} }

func (g gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/held" {
		g.arrived <- struct{}{}
		<-g.release
	}
	_, _ = io.WriteString(w, "done")
}

// refused waits until nobody accepts at the public address any more.
func (r *running) refused(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		conn, err := net.Dial("tcp", r.Addr().String())
		if err != nil {
			return
		}
		_ = conn.Close()
	}
	t.Fatal("new connections are still accepted")
}

func TestDrainAnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"http/1.1": false, "h2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate()
			s := start(t, Config{Handler: g}, true)
			client := s.client(t, http2)
			status := make(chan int, 1)
			go func() {
				res, err := client.Get(s.url("/held"))
				if err != nil {
					t.Error(err)
					status <- 0
					return
				}
				defer res.Body.Close()
				if body, err := io.ReadAll(res.Body); string(body) != "done" {
					t.Errorf("want the whole answer, got %q, %v", body, err)
				}
				status <- res.StatusCode
			}()
			<-g.arrived
			s.stop()
			s.refused(t)
			close(g.release)
			if got := <-status; got != http.StatusOK {
				t.Errorf("want 200 for the request in flight, got %d", got)
			}
			if err := <-s.done; err != nil {
				t.Errorf("want a clean drain, got %v", err)
			}
		})
	}
}

// http.Server.Shutdown by itself drops this request: its header arrives after the drain began.
func TestDrainAnswersAHeaderUnderWay(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, useTLS bool) {
		s := start(t, Config{Handler: newGate()}, useTLS)
		fresh, kept := s.dial(t, "http/1.1"), s.dial(t, "http/1.1")
		kept.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		kept.answer()
		for _, c := range []*rawConn{fresh, kept} {
			c.send("GET / HTTP/1.1\r\nHo")
		}
		s.waitFor(t, phaseReading, 2)
		s.stop()
		s.refused(t)
		for _, c := range []*rawConn{fresh, kept} {
			c.send("st: a\r\n\r\n")
			if res, body := c.answer(); body != "done" || !res.Close {
				t.Errorf("want the answer and Connection: close, got %q, %v", body, res.Header)
			}
			c.wantClosed()
		}
		if err := <-s.done; err != nil {
			t.Errorf("want a clean drain, got %v", err)
		}
	})
}

// waitFor returns when exactly n connections are in the phase.
func (r *running) waitFor(t *testing.T, want phase, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		count := 0
		for _, c := range r.conns.snapshot() {
			if phase(c.phase.Load()) == want {
				count++
			}
		}
		if count == n {
			return
		}
	}
	t.Fatalf("never saw %d connections in phase %d", n, want)
}

func TestDrainClosesQuietConnections(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, useTLS bool) {
		s := start(t, Config{Handler: echo, ShutdownTimeout: time.Hour}, useTLS)
		c := s.dial(t, "http/1.1")
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		c.answer()
		s.stop()
		c.wantClosed()
		if err := <-s.done; err != nil {
			t.Errorf("want a clean drain, got %v", err)
		}
	})
}

// A request that was on its way when the drain began finds its kept connection open for a moment.
func TestQuietGraceAnswersATravellingRequest(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: newGate(), QuietGrace: time.Hour, ShutdownTimeout: 2 * time.Hour}, false)
	c := s.dial(t, "")
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	c.answer()
	s.stop()
	s.refused(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if res, body := c.answer(); body != "done" || !res.Close {
		t.Errorf("want the answer and Connection: close, got %q, %v", body, res.Header)
	}
	if err := <-s.done; err != nil {
		t.Errorf("want the drain to end with the last connection, got %v", err)
	}
}

func TestDrainSendsGoAwayToIdleHTTP2(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: echo, ShutdownTimeout: time.Hour}, true)
	c := s.dial(t, "h2")
	c.send(http2Preface)
	s.waitFor(t, phaseHTTP2, 1)
	s.stop()
	rest, err := io.ReadAll(c.r)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("want the connection closed, got %v", err)
	}
	if goAway := "\x00\x00\x08\x07\x00\x00\x00\x00\x00"; !strings.Contains(string(rest), goAway) {
		t.Errorf("want a GOAWAY frame in %q", rest)
	}
}

func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	g := newGate()
	s := start(t, Config{Handler: g, ShutdownTimeout: short}, false)
	t.Cleanup(func() { close(g.release) })
	c := s.dial(t, "")
	c.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
	<-g.arrived
	s.stop()
	c.wantClosed()
	if err := <-s.done; err == nil || !strings.Contains(err.Error(), "1 connections cut") {
		t.Errorf("want an error that counts what was cut, got %v", err)
	}
}

// While DrainDelay passes, readiness is red and requests are still accepted.
func TestDrainDelayTurnsReadinessFirst(t *testing.T) {
	t.Parallel()
	g := newGate()
	s := start(t, Config{Handler: g, PublicHealth: true, DrainDelay: time.Second}, false)
	c := s.dial(t, "")
	c.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
	<-g.arrived
	s.stop()
	client := s.client(t, false)
	status := func() int {
		res, err := client.Get(s.url("/readyz"))
		if err != nil {
			t.Fatalf("want new connections accepted during the delay: %v", err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	for status() != http.StatusServiceUnavailable {
		continue
	}
	close(g.release)
	c.answer()
	s.refused(t)
}

func TestRunReportsAFailingSource(t *testing.T) {
	t.Parallel()
	s := mustNew(t, Config{Addr: "127.0.0.1:0", Handler: echo, Certificates: brokenSource{}, Admin: AdminConfig{Addr: "off"}})
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no storage") {
		t.Errorf("want the source's error, got %v", err)
	}
	if err := s.Run(t.Context()); err == nil {
		t.Error("want a second Run refused")
	}
}

type brokenSource struct{ CertificateSource }

func (brokenSource) Protocols() []string                                           { return nil }
func (brokenSource) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }
func (brokenSource) Maintain(context.Context, net.Addr) error                      { return errors.New("no storage") }

func TestListenNamesTheTakenAddress(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, config := range []Config{
		{Addr: taken.Addr().String(), Handler: echo, Admin: AdminConfig{Addr: "off"}},
		{Addr: "127.0.0.1:0", Handler: echo, Admin: AdminConfig{Addr: taken.Addr().String()}},
	} {
		err := mustNew(t, config).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
			t.Errorf("want an error naming %s, got %v", taken.Addr(), err)
		}
	}
	unused := mustNew(t, Config{Addr: "127.0.0.1:0", Handler: echo, Admin: AdminConfig{Addr: "127.0.0.1:0"}})
	if err := unused.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := unused.Close(); err != nil {
		t.Errorf("close without run: %v", err)
	}
}
