package store

import (
	"context"
	"errors"
	"time"
)

// ErrOwnClock means that the database has no clock but this machine's.
var ErrOwnClock = errors.New("the database is on this machine's clock")

// Clock asks the database's server what time it is. What is asked takes a while: what it says lies between
// the moments before and after on the caller's clock.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	server, ok := s.engine.(interface {
		clock(ctx context.Context) (time.Time, error)
	})
	if !ok {
		return time.Time{}, ErrOwnClock
	}
	t, err := server.clock(ctx)
	return t, classify("read the clock", err)
}

// clock reads the time of the server, and not that of the transaction's beginning.
func (e *postgresEngine) clock(ctx context.Context) (t time.Time, err error) {
	err = e.reader.QueryRowContext(bounded(ctx), "SELECT clock_timestamp()").Scan(&t)
	return t.UTC(), err
}
