package store

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rollcall-id/rollcall/internal/admit"
)

// impatientConn gives up a connection whose other end is silent for too long, however the
// wait came about: watching a context would cost a goroutine a statement. What is done on
// it for a request is over when the request's time is: silences do not add up.
type impatientConn struct {
	net.Conn

	told  atomic.Bool  // somebody else has set a deadline
	until atomic.Int64 // when the time of whom it serves is over, since processStart; 0 = never
}

// processStart is what times are counted from that must not move with the system's clock.
var processStart = time.Now()

func dialImpatiently(ctx context.Context, d *net.Dialer, network, address string) (net.Conn, error) {
	at, ok := admit.Until(ctx)
	if ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, at)
		defer cancel()
	}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	own := &impatientConn{Conn: c}
	own.serve(at, ok)
	return own, nil
}

// takeInHand is called when a connection of a pool is going to serve somebody. It tells
// whether to ask first if anybody is at the other end, as pgx would by itself.
func takeInHand(ctx context.Context, p stdlib.ShouldPingParams) bool {
	c := p.Conn.PgConn().Conn()
	if wrapped, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = wrapped.NetConn()
	}
	if own, ok := c.(*impatientConn); ok {
		own.serve(admit.Until(ctx))
	}
	return p.IdleDuration > time.Second
}

// serve says until when waits on the connection may last from now on.
func (c *impatientConn) serve(at time.Time, ok bool) {
	var until int64
	if ok {
		until = max(1, int64(at.Sub(processStart)))
	}
	c.until.Store(until)
}

// deadline returns until when the wait that begins may last.
func (c *impatientConn) deadline() time.Time {
	now := time.Now()
	most := now.Add(statementTimeout)
	if until := c.until.Load(); until != 0 {
		if at := processStart.Add(time.Duration(until)); at.Before(most) {
			return at
		}
	}
	return most
}

// Read implements net.Conn.
func (c *impatientConn) Read(p []byte) (int, error) {
	if !c.told.Load() {
		if err := c.Conn.SetReadDeadline(c.deadline()); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *impatientConn) Write(p []byte) (int, error) {
	if !c.told.Load() {
		if err := c.Conn.SetWriteDeadline(c.deadline()); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// SetDeadline implements net.Conn: a deadline that is set stands until it is taken back.
func (c *impatientConn) SetDeadline(t time.Time) error {
	c.told.Store(!t.IsZero())
	return c.Conn.SetDeadline(t)
}
