package server

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waits that only a defect would exhaust.
const patience = 20 * time.Second

// running is a server under test.
type running struct {
	*Server
	roots *x509.CertPool // nil for plain HTTP
	stop  context.CancelFunc
	done  chan error // Run's result
}

// start runs a server on free loopback ports until the test ends.
func start(t *testing.T, config Config, useTLS bool) *running {
	t.Helper()
	r := &running{done: make(chan error, 1)}
	config.Addr, config.Admin.Addr = "127.0.0.1:0", "127.0.0.1:0"
	if config.QuietGrace == 0 {
		config.QuietGrace = time.Nanosecond
	}
	if useTLS {
		authority := newAuthority(t)
		config.Certificates = authority
		r.roots = pool(t, authority)
	}
	r.Server = mustNew(t, config)
	if err := r.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		r.done <- r.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-finished })
	return r
}

func mustNew(t *testing.T, config Config) *Server {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newAuthority(t *testing.T, hosts ...string) *LocalAuthority {
	t.Helper()
	authority, err := NewLocalAuthority(rand.Reader, time.Now(), hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func pool(t *testing.T, authority *LocalAuthority) *x509.CertPool {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority.CertificatePEM()) {
		t.Fatal("the authority's certificate is not PEM")
	}
	return roots
}

// url is the public address of path.
func (r *running) url(path string) string {
	scheme := "http://"
	if r.roots != nil {
		scheme = "https://"
	}
	return scheme + r.Addr().String() + path
}

// client speaks HTTP/2 or HTTP/1.1 only, trusting only the server's authority.
func (r *running) client(t *testing.T, http2 bool) *http.Client {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.roots}, Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// dial opens a raw connection, through TLS if the server speaks it, negotiating the given protocol.
func (r *running) dial(t *testing.T, protocol string) *rawConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", r.Addr().String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	if r.roots != nil {
		conn = tls.Client(conn, &tls.Config{RootCAs: r.roots, ServerName: "localhost", NextProtos: []string{protocol}})
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &rawConn{Conn: conn, r: bufio.NewReader(conn), t: t}
}

// rawConn is a client that can misbehave.
type rawConn struct {
	net.Conn
	r *bufio.Reader
	t *testing.T
}

func (c *rawConn) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatalf("send %q: %v", text, err)
	}
}

// answer reads one response with its body.
func (c *rawConn) answer() (*http.Response, string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("read an answer: %v", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("read the answer's body: %v", err)
	}
	return res, string(body)
}

// wantClosed fails unless the server ends the connection. It passes over whatever the server says before.
func (c *rawConn) wantClosed() {
	c.t.Helper()
	_, err := io.Copy(io.Discard, c.r)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Fatal("the connection is still open")
	}
}

// echo answers with the request's body.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(w, r.Body); err != nil {
		http.Error(w, "short body", http.StatusRequestTimeout)
	}
})

// overBoth runs a test on the plain and on the TLS listener.
func overBoth(t *testing.T, test func(t *testing.T, useTLS bool)) {
	t.Helper()
	for name, useTLS := range map[string]bool{"plain": false, "tls": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, useTLS)
		})
	}
}

// sum adds up all counters of a name.
func sum(t *testing.T, from prometheus.Gatherer, name string) (total float64) {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name {
				total += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return total
}

// logBuffer collects a log that several goroutines write.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
