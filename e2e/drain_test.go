package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rollcall-id/rollcall/api"
)

// TestDrain ends the server by SIGTERM under load, with requests that are half sent: whoever was let in gets a whole
// answer, nobody else is let in, and the exit status is 0.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, tls := range []string{"on", "off"} {
		t.Run("tls "+tls, func(t *testing.T) {
			t.Parallel()
			drain(t, tls)
		})
	}
}

func drain(t *testing.T, tls string) {
	seeded := newSeed(t, 20)
	dir := filepath.Join(t.TempDir(), "data")
	s := start(t, append([]string{"--tls=" + tls, "--data=" + dir, "--seed=" + seeded.file}, noLimits...)...)
	bearer := s.issue(t)

	held := []func() (answer, error){
		holdInHeader(t, s, bearer, seeded.people[0]),
		holdInBody(t, s, bearer, seeded.people[1]),
	}
	if tls == "on" {
		held = append(held, holdStream(t, s, bearer, seeded.people[2]))
	}
	crowd := newCrowd(t, s, bearer, seeded.people[3:])
	s.signal(t, syscall.SIGTERM)
	eventually(t, "new connections are refused", func() bool { return !accepts(t, s) })
	for i, finish := range held {
		a, err := finish()
		if err != nil || a.status != http.StatusOK || decode[api.User](t, a).State != api.StateSuspended {
			t.Errorf("request %d, half sent before the end: %v, %v, want 200 and SUSPENDED", i, a, err)
		}
	}
	if err := s.wait(t); err != nil {
		t.Errorf("ended with %v, want exit status 0\n%s", err, &s.stderr)
	}
	s.calm(t)
	crowd.compare(t, readRecord(t, dir, seeded.account))
}

// accepts tells whether the server takes new connections.
func accepts(t *testing.T, s *server) bool {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr())
	if err == nil {
		_ = conn.Close()
		return true
	}
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a new connection: %v, want it refused", err)
	}
	return false
}

// wire is one connection for requests written by hand.
type wire struct {
	net.Conn
	r *bufio.Reader
}

// dialWire connects, through TLS if the server speaks it.
func dialWire(t *testing.T, s *server) wire {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if config := s.trust(t); config != nil {
		config.ServerName, config.NextProtos = "127.0.0.1", []string{"http/1.1"}
		conn = tls.Client(conn, config)
	}
	return wire{conn, bufio.NewReader(conn)}
}

func (w wire) write(t *testing.T, format string, args ...any) {
	t.Helper()
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		t.Errorf("write: %v", err)
	}
}

// read reads one answer.
func (w wire) read() (answer, error) {
	resp, err := http.ReadResponse(w.r, nil)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, body}, err
}

func suspendHead(s *server, bearer, person string) string {
	q := s.askAct(bearer, person, "suspend", "")
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n", q.path, s.addr(), bearer)
}

// holdInHeader sends half the header of a request, over a connection that has carried one before.
func holdInHeader(t *testing.T, s *server, bearer, person string) (finish func() (answer, error)) {
	t.Helper()
	w := dialWire(t, s)
	w.write(t, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", s.askUsers("", "/"+person).path, s.addr(), bearer)
	if a, err := w.read(); err != nil || a.status != http.StatusOK {
		t.Fatalf("before: %v, %v, want 200", a, err)
	}
	head := suspendHead(s, bearer, person)
	w.write(t, "%s", head[:len(head)/2])
	return func() (answer, error) {
		w.write(t, "%s\r\n", head[len(head)/2:])
		return w.read()
	}
}

// holdInBody sends a request but for the last byte of its body; that the server has read so far shows in its asking for it.
func holdInBody(t *testing.T, s *server, bearer, person string) (finish func() (answer, error)) {
	t.Helper()
	w := dialWire(t, s)
	w.write(t, "%sContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", suspendHead(s, bearer, person))
	if line, err := w.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("got %q, %v, want 100 Continue", line, err)
	}
	if _, err := w.r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	w.write(t, "{")
	return func() (answer, error) {
		w.write(t, "}")
		return w.read()
	}
}

// holdStream does the same in HTTP/2; another stream that is answered shows that the server has read so far.
func holdStream(t *testing.T, s *server, bearer, person string) (finish func() (answer, error)) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: s.trust(t), Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	h2 := *s
	h2.client = &http.Client{Transport: transport}
	body, send := io.Pipe()
	q := s.askAct(bearer, person, "suspend", "")
	r, err := http.NewRequestWithContext(t.Context(), q.method, s.base+q.path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	var got answer
	done := make(chan error, 1)
	go func() {
		resp, err := transport.RoundTrip(r)
		if err == nil {
			got.status, got.header = resp.StatusCode, resp.Header
			got.body, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		done <- err
	}()
	if _, err := send.Write([]byte("{")); err != nil {
		t.Fatal(err)
	}
	h2.must(t, h2.askUsers(bearer, "/"+person))
	return func() (answer, error) {
		_, err := send.Write([]byte("}"))
		return got, errors.Join(err, send.Close(), <-done)
	}
}

// crowd is clients that ask without pause until nobody answers.
type crowd struct {
	wg       sync.WaitGroup
	answered atomic.Int64

	mu  sync.Mutex
	ids []string // of the requests that were answered
}

// newCrowd starts the clients, and returns when all are at it. Every other one makes a new connection for each request.
func newCrowd(t *testing.T, s *server, bearer string, people []string) *crowd {
	t.Helper()
	c := &crowd{}
	for i, person := range people[:10] {
		own := *s
		own.client = s.client
		if i%2 == 0 {
			transport := &http.Transport{TLSClientConfig: s.trust(t), DisableKeepAlives: true}
			own.client = &http.Client{Transport: transport}
		}
		c.wg.Go(func() { c.ask(t, &own, bearer, person) })
	}
	eventually(t, "200 requests are answered", func() bool { return c.answered.Load() >= 200 })
	return c
}

func (c *crowd) ask(t *testing.T, s *server, bearer, person string) {
	ctx := context.WithoutCancel(t.Context())
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s-%d", person, n)
		verb := []string{"suspend", "reactivate"}[n%2]
		a, err := s.do(ctx, s.askAct(bearer, person, verb, id))
		if err != nil && a.status == 0 {
			return // not accepted, or so it says: the record will tell
		}
		if err != nil || a.status != http.StatusOK {
			t.Errorf("request %s: %v, %v, want a whole answer of 200", id, a, err)
			return
		}
		c.answered.Add(1)
		c.mu.Lock()
		c.ids = append(c.ids, id)
		c.mu.Unlock()
	}
}

// compare asks that every request which left a trace was answered.
func (c *crowd) compare(t *testing.T, rec record) {
	t.Helper()
	c.wg.Wait()
	slices.Sort(c.ids)
	for id := range rec.byID {
		if _, answered := slices.BinarySearch(c.ids, id); !answered && strings.HasPrefix(id, "PERSON-") {
			t.Errorf("request %s was carried out and its client was cut", id)
		}
	}
	for _, id := range c.ids {
		if len(rec.byID[id]) != 1 {
			t.Errorf("request %s was answered and left %d audit entries, want 1", id, len(rec.byID[id]))
		}
	}
}

// TestSecondSignal: a drain that waits for a client ends at once by a second SIGTERM.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	seeded := newSeed(t, 1)
	s := start(t, "--tls=off", "--data="+t.TempDir(), "--seed="+seeded.file)
	holdInBody(t, s, s.issue(t), seeded.people[0])
	s.signal(t, syscall.SIGTERM)
	eventually(t, "new connections are refused", func() bool { return !accepts(t, s) })
	if !s.running() {
		t.Fatalf("ended with a request under way: %v\n%s", s.err, &s.stderr)
	}
	eventually(t, "the end after a further SIGTERM", func() bool {
		_ = s.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
		return !s.running()
	})
	status, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v, want by SIGTERM, the request still under way", s.cmd.ProcessState)
	}
	s.calm(t)
}
