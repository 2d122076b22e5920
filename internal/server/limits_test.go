package server

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// short is a limit small enough to wait for.
const short = 30 * time.Millisecond

func TestSlowClientsAreCut(t *testing.T) {
	t.Parallel()
	long := Limits{ReadHeader: time.Hour, Read: time.Hour, Write: time.Hour, Idle: time.Hour}
	with := func(change func(*Limits)) Limits { l := long; change(&l); return l }
	tests := map[string]struct {
		limits Limits
		send   string
	}{
		"silence from the start": {with(func(l *Limits) { l.ReadHeader = short }), ""},
		"half a header":          {with(func(l *Limits) { l.ReadHeader = short }), "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "},
		"half a body":            {with(func(l *Limits) { l.Read = short }), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"},
		"half a chunk":           {with(func(l *Limits) { l.Read = short }), "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhal"},
		"idle after an answer":   {with(func(l *Limits) { l.Idle = short }), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			overBoth(t, func(t *testing.T, useTLS bool) {
				c := start(t, Config{Handler: echo, Limits: test.limits}, useTLS).dial(t, "http/1.1")
				c.send(test.send)
				c.wantClosed()
			})
		})
	}
}

func TestSlowHandshakeIsCut(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: echo, Limits: Limits{ReadHeader: short}}, true)
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte{0x16, 0x03, 0x01, 0x02}); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("want the connection closed, got %d bytes and %v", n, err)
	}
}

// A reader that takes nothing must not hold a handler for longer than Write.
func TestSlowReaderIsCut(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	flood := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				failed <- err
				return
			}
		}
	})
	overBoth(t, func(t *testing.T, useTLS bool) {
		// The limit holds for a handshake too, which a busy machine needs some time for.
		c := start(t, Config{Handler: flood, Limits: Limits{Write: 20 * short}}, useTLS).dial(t, "http/1.1")
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		select {
		case <-failed:
		case <-time.After(patience):
			t.Error("the handler still writes")
		}
	})
}

// http2Preface is the client's preface and an empty SETTINGS frame (RFC 9113 section 3.4).
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

func TestStalledHTTP2IsCut(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		limits Limits
		send   string
	}{
		"inside a frame":              {Limits{Ping: short, PingReply: short}, http2Preface + "\x00\x00\xff\x01\x04\x00\x00\x00\x01half"},
		"between header and the rest": {Limits{Ping: short, PingReply: short}, http2Preface + "\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"},
		"no request at all":           {Limits{Idle: short}, http2Preface},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, Config{Handler: echo, Limits: test.limits}, true).dial(t, "h2")
			c.send(test.send)
			c.wantClosed()
		})
	}
}

func TestHeaderLimitLeavesRoomForThePipeline(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, useTLS bool) {
		s := start(t, Config{Handler: echo}, useTLS)
		request := func(header int) string {
			return "GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + strings.Repeat("a", header) + "\r\n\r\n"
		}
		for header, want := range map[int]int{200 << 10: http.StatusOK, 300 << 10: http.StatusRequestHeaderFieldsTooLarge} {
			c := s.dial(t, "http/1.1")
			c.send(request(header))
			if res, _ := c.answer(); res.StatusCode != want {
				t.Errorf("header of %d bytes: want %d, got %d", header, want, res.StatusCode)
			}
		}
	})
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Handler: echo, Limits: Limits{Connections: 2}}, false)
	held := []*rawConn{s.dial(t, ""), s.dial(t, "")}
	for _, c := range held {
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		c.answer()
	}
	s.dial(t, "").wantClosed()
	if got := sum(t, s.config.Registry, "rollcall_connections_refused_total"); got != 1 {
		t.Errorf("want 1 refusal counted, got %v", got)
	}

	// A place that becomes free is given again.
	_ = held[0].Close()
	for {
		c := s.dial(t, "")
		if _, err := io.WriteString(c.Conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			continue
		}
		if _, err := http.ReadResponse(c.r, nil); err == nil {
			return
		}
	}
}

// fakeConn comes from wherever a test wants.
type fakeConn struct {
	net.Conn
	from string
	bytes.Buffer
}

func (c *fakeConn) Read(p []byte) (int, error)  { return c.Buffer.Read(p) }
func (c *fakeConn) Write(p []byte) (int, error) { return c.Buffer.Write(p) }
func (c *fakeConn) Close() error                { return nil }
func (c *fakeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}

func TestConnectionsPerAddress(t *testing.T) {
	t.Parallel()
	set := newConnSet(Limits{Connections: 100, ConnectionsPerAddr: 1}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, newMetrics())
	tests := []struct {
		from  string
		admit bool
	}{
		{"192.0.2.1:1", true},
		{"192.0.2.1:2", false},
		{"[::ffff:192.0.2.1]:3", false},
		{"192.0.2.2:1", true},
		{"[2001:db8:0:1::1]:1", true},
		{"[2001:db8:0:1:ffff::2]:1", false},
		{"[2001:db8:0:2::1]:1", true},
		{"10.1.1.1:1", true}, {"10.1.1.1:2", true},
		{"127.0.0.1:1", true}, {"127.0.0.1:2", true},
	}
	admitted := map[string]*trackedConn{}
	for _, test := range tests {
		c := set.admit(&fakeConn{from: test.from})
		if got := c != nil; got != test.admit {
			t.Errorf("%s: want admitted %t, got %t", test.from, test.admit, got)
		}
		admitted[test.from] = c
	}
	for range 2 { // closing twice must free one place only
		_ = admitted["192.0.2.1:1"].Close()
	}
	if set.admit(&fakeConn{from: "192.0.2.1:4"}) == nil || set.admit(&fakeConn{from: "192.0.2.1:5"}) != nil {
		t.Error("want exactly one place free after the close")
	}
}
