package store

import (
	"context"
	"database/sql/driver"
	"time"

	"github.com/rollcall-id/rollcall/internal/admit"
)

// read is one of the reads that each request makes. It is run together with others' (see gatherer).
type read struct {
	query string
	args  []any
	// row takes the n-th row, from 0 on. Its columns are a string, an int64 or bytes each, and not to
	// be kept as a slice. A read that is run again begins at 0 again.
	row     func(n int, columns []driver.Value) error
	columns int       // how many the statement has
	until   time.Time // when its caller's time is over; zero = nobody has said
	err     error

	// Of the gatherer, under its lock.
	taken, done bool
	news        chan struct{} // told when there is something to see; nil while nobody sleeps
}

// tell wakes the one who waits for news, if somebody does.
func (r *read) tell() {
	select {
	case r.news <- struct{}{}:
	default: // nobody sleeps, or is told already
	}
}

// readTogether runs a read along with others, and where the database says that it would have
// worked a moment later, on another connection or alone, again by itself.
func (s *Store) readTogether(ctx context.Context, op string, r *read) error {
	r.until, _ = admit.Until(ctx)
	err := s.gatherer.do(r)
	if m := s.engine.meaning(err); m == clashed || m == cut {
		_, err = inTurn(s, func() (struct{}, error) {
			s.engine.read(bounded(ctx), []*read{r})
			return struct{}{}, r.err
		})
	}
	return classify(op, err)
}

// runReads is a run of the gatherer.
func (s *Store) runReads(batch []*read) {
	if s.turns != nil {
		if err := s.turn(); err != nil {
			failAll(batch, err)
			return
		}
		defer func() { <-s.turns }()
	}
	s.engine.read(contextOfReads(batch), batch)
}

// contextOfReads is what reads are run in: the time that the first of their callers has.
func contextOfReads(batch []*read) context.Context {
	var first time.Time
	for _, r := range batch {
		first = sooner(first, r.until)
	}
	return contextUntil(first)
}

func failAll(batch []*read, err error) {
	for _, r := range batch {
		r.err = err
	}
}
