package server

import (
	"net"
	"net/http"
	"sync"
)

// An answer that is longer than net/http's buffer of 4 KiB would leave in two parts, each at the price of a write to the
// system and, at times, of a packet. Whoever has the whole of it says so; then its first part waits for the second:
//
//	handler -Whole(n)-> conn    net/http -first part-> kept -second part-> both in one write
//
// Nothing waits for a part that does not come: the kept one leaves when the answer is over (see connSet.observe). If the
// handler dies, its answer is cut, as it would be without; only earlier.

const (
	// leastWhole is the shortest body of which it is sure that it comes in parts, in bytes.
	leastWhole = 4 << 10
	// mostKept bounds what waits for its second part, in bytes.
	mostKept = 16 << 10
)

var keptParts = sync.Pool{New: func() any { return new([]byte) }}

// Whole tells the request's connection that a body of n bytes is about to be written, without delay.
func Whole(r *http.Request, n int) {
	if n < leastWhole || r.ProtoMajor != 1 || r.Method == http.MethodHead {
		return
	}
	if c, _ := r.Context().Value(connKey{}).(*trackedConn); c != nil {
		c.keeping.Lock()
		c.coming = n
		c.keeping.Unlock()
	}
}

// Write keeps what has another part coming.
func (c *trackedConn) Write(p []byte) (int, error) {
	kept, keep := c.keep(p)
	switch {
	case keep:
		return len(p), nil
	case kept == nil:
		return c.Conn.Write(p)
	}
	parts := net.Buffers{*kept, p}
	first := int64(len(*kept))
	n, err := parts.WriteTo(c.Conn)
	*kept = (*kept)[:0]
	keptParts.Put(kept)
	return int(max(n-first, 0)), err
}

// keep keeps p, or else returns what was kept and is to be written before it.
func (c *trackedConn) keep(p []byte) (kept *[]byte, keep bool) {
	c.keeping.Lock()
	defer c.keeping.Unlock()
	if c.coming == 0 && c.kept == nil {
		return nil, false
	}
	c.coming = max(c.coming-len(p), 0)
	kept = c.kept
	if kept == nil && c.coming > 0 {
		kept, _ = keptParts.Get().(*[]byte)
	}
	if c.coming == 0 || len(*kept)+len(p) > mostKept {
		c.coming, c.kept = 0, nil
		return kept, false
	}
	*kept = append(*kept, p...)
	c.kept = kept
	return kept, true
}

// letGo writes what was kept for a part that has not come.
func (c *trackedConn) letGo() {
	c.keeping.Lock()
	kept := c.kept
	c.coming, c.kept = 0, nil
	c.keeping.Unlock()
	if kept != nil {
		_, _ = c.Conn.Write(*kept) // a client that has gone shows at the next read
	}
}
