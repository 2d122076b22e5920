package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// phase is where a connection stands between requests; the drain needs to know which connections hold part of one.
type phase int32

const (
	phaseFresh   phase = iota // accepted, not a byte received
	phaseReading              // a handshake or a request header is under way
	phaseServing              // a handler runs: net/http itself waits for it
	phaseIdle                 // answered, waiting for the next request
	phaseHTTP2                // many requests at once: GOAWAY does what phases do for HTTP/1
	phaseClosed               // closed by the drain
)

// trackedConn is an accepted connection, below TLS if there is TLS.
type trackedConn struct {
	net.Conn
	set   *connSet
	peer  netip.Addr // the key of the per-address count; invalid when exempt
	phase atomic.Int32
	http1 atomic.Bool // known to speak HTTP/1, so that the protocol is looked up once
	gone  sync.Once

	keeping sync.Mutex
	coming  int     // bytes of an answer that are still to be written; see Whole
	kept    *[]byte // those that wait for them; nil = none
}

// Read marks the connection as busy from the first byte of a request on.
func (c *trackedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.move(phaseIdle, phaseReading) {
		c.move(phaseFresh, phaseReading)
	}
	return n, err
}

// CloseWrite lets net/http linger after a refusal, so that the client reads the answer before the reset.
func (c *trackedConn) CloseWrite() error {
	c.letGo()
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close releases the connection's place, once.
func (c *trackedConn) Close() error {
	c.gone.Do(func() { c.set.remove(c) })
	return c.Conn.Close()
}

func (c *trackedConn) move(from, to phase) bool {
	return c.phase.CompareAndSwap(int32(from), int32(to))
}

// closeQuiet closes the connection if it holds no part of a request.
func (c *trackedConn) closeQuiet() {
	if c.move(phaseIdle, phaseClosed) || c.move(phaseFresh, phaseClosed) {
		_ = c.Close()
	}
}

// connSet knows every open public connection and admits new ones up to the limits.
type connSet struct {
	limits  Limits
	exempt  []netip.Prefix
	metrics *metrics

	draining atomic.Bool   // answers ask the client to leave
	sweeping atomic.Bool   // a connection that falls quiet is closed
	changed  chan struct{} // capacity 1: something a drain waits for may have happened

	mu      sync.Mutex
	open    map[*trackedConn]struct{}
	perPeer map[netip.Addr]int
}

func newConnSet(limits Limits, exempt []netip.Prefix, m *metrics) *connSet {
	return &connSet{
		limits: limits, exempt: exempt, metrics: m,
		changed: make(chan struct{}, 1),
		open:    map[*trackedConn]struct{}{},
		perPeer: map[netip.Addr]int{},
	}
}

// admit gives the connection a place, or returns nil when there is none.
func (s *connSet) admit(conn net.Conn) *trackedConn {
	c := &trackedConn{Conn: conn, set: s, peer: s.peerKey(conn.RemoteAddr())}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= s.limits.Connections {
		s.metrics.refused.WithLabelValues(limitTotal).Inc()
		return nil
	}
	if c.peer.IsValid() && s.perPeer[c.peer] >= s.limits.ConnectionsPerAddr {
		s.metrics.refused.WithLabelValues(limitAddress).Inc()
		return nil
	}
	if c.peer.IsValid() {
		s.perPeer[c.peer]++
	}
	s.open[c] = struct{}{}
	s.metrics.accepted.Inc()
	s.metrics.open.Set(float64(len(s.open)))
	return c
}

func (s *connSet) remove(c *trackedConn) {
	s.mu.Lock()
	delete(s.open, c)
	s.metrics.open.Set(float64(len(s.open)))
	if c.peer.IsValid() {
		if s.perPeer[c.peer]--; s.perPeer[c.peer] == 0 {
			delete(s.perPeer, c.peer)
		}
	}
	s.mu.Unlock()
	s.notify()
}

// peerKey is what a connection is counted under: the IPv4 address, or the IPv6 /64, which is what one subscriber gets.
func (s *connSet) peerKey(remote net.Addr) netip.Addr {
	addr := parsePeer(remote.String())
	if !addr.IsValid() || addr.IsLoopback() || contains(s.exempt, addr) {
		return netip.Addr{}
	}
	if addr.Is4() {
		return addr
	}
	return netip.PrefixFrom(addr, 64).Masked().Addr()
}

func (s *connSet) notify() {
	if !s.draining.Load() {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// drainHeaders returns when no HTTP/1 connection is between requests or in the middle of a request header, or ctx ends. It
// comes before http.Server.Shutdown, which drops without an answer whatever header arrives after it was called. For the
// length of grace every connection stays, because a request may already be on its way to us over one that looks quiet, or
// whose answer did not yet say that it would be the last; then the quiet ones are closed.
func (s *connSet) drainHeaders(ctx context.Context, grace time.Duration) {
	s.draining.Store(true)
	graceCtx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	s.await(graceCtx, func(p phase) bool { return p != phaseHTTP2 })
	s.sweeping.Store(true)
	for _, c := range s.snapshot() {
		c.closeQuiet()
	}
	s.await(ctx, func(p phase) bool { return p == phaseReading })
}

// await returns when no connection is in a phase that holds, or ctx ends.
func (s *connSet) await(ctx context.Context, holds func(phase) bool) {
	held := func(c *trackedConn) bool { return holds(phase(c.phase.Load())) }
	for slices.ContainsFunc(s.snapshot(), held) {
		select {
		case <-s.changed:
		case <-ctx.Done():
			return
		}
	}
}

func (s *connSet) snapshot() []*trackedConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	conns := make([]*trackedConn, 0, len(s.open))
	for c := range s.open {
		conns = append(conns, c)
	}
	return conns
}

// observe is the http.Server's ConnState hook.
func (s *connSet) observe(conn net.Conn, state http.ConnState) {
	c := tracked(conn)
	if c == nil || phase(c.phase.Load()) == phaseHTTP2 {
		return
	}
	if !c.http1.Load() && (state == http.StateActive || state == http.StateIdle) {
		if speaksHTTP2(conn) {
			c.phase.Store(int32(phaseHTTP2))
			s.notify()
			return
		}
		c.http1.Store(true)
	}
	if state == http.StateIdle {
		c.letGo()
		c.phase.Store(int32(phaseIdle))
		if s.sweeping.Load() {
			c.closeQuiet()
		}
	}
}

func speaksHTTP2(conn net.Conn) bool {
	tlsConn, ok := conn.(*tls.Conn)
	return ok && tlsConn.ConnectionState().NegotiatedProtocol == "h2"
}

func tracked(conn net.Conn) *trackedConn {
	if tlsConn, ok := conn.(*tls.Conn); ok {
		conn = tlsConn.NetConn()
	}
	c, _ := conn.(*trackedConn)
	return c
}

type connKey struct{}

// withConn is the http.Server's ConnContext hook.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, tracked(conn))
}

// enterHandler notes that a request reached its handler: from here on Shutdown waits for it.
func enterHandler(ctx context.Context) {
	c, _ := ctx.Value(connKey{}).(*trackedConn)
	if c == nil {
		return
	}
	if c.move(phaseReading, phaseServing) || c.move(phaseIdle, phaseServing) {
		c.set.notify()
	}
}

// limitListener accepts into a connSet and closes at once what finds no place.
type limitListener struct {
	net.Listener
	conns *connSet
}

func (l limitListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.conns.admit(conn); c != nil {
			return c, nil
		}
		_ = conn.Close()
	}
}
