// Package store keeps everything rollcall knows in one SQL database: accounts,
// people, applications, tokens, the audit record and usage. It implements the Store
// interfaces that the rule rooms declare, and nothing of a rule is decided here.
//
// The database is SQLite, embedded, or PostgreSQL, and the SQL text is the same for both:
//
//	Store     what is asked and changed          accounts directory oauth audit upkeep
//	gatherer  many callers' reads, one run       gather reads
//	writer    many callers' work, one commit     writer tx
//	engine    what truly differs                 dialect: sqlite... postgres...
//
// Reads go to a small pool of connections, those that each request makes several at a time. Every write goes through the writer, which
// commits many callers' work together (see writer.go).
//
// What must always hold: when a write returns nil it is on disk; a change and its
// audit entry are in one transaction, which holds the account's row from before it reads
// what it decides on; a write that may have been committed is never done a second time;
// errors that leave are faults, classified by the database's code and never by its message.
package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"time"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	rand   io.Reader
	engine engine
	reads  *sqlgen.Queries
	turns  chan struct{} // holds one for each read that is on; nil where reads need no turn
	writer *writer

	gatherer *gatherer // of the reads that each request makes
}

// Close ends the writer after the work it has taken and closes the database.
func (s *Store) Close() error {
	s.writer.close()
	return s.engine.close()
}

// Ping tells whether the database answers a read and can be written to; for readiness.
func (s *Store) Ping(ctx context.Context) error { return classify("ping", s.engine.ping(ctx)) }

// tryWrite changes nothing but needs all that a change needs.
const tryWrite = "UPDATE accounts SET state = '' WHERE id = ''"

// bounded drops the request's cancellation from reads that are bounded by
// themselves (a key, or a page of at most 1001 rows): watching it would cost a
// goroutine a statement and could only save microseconds. On a server each wait of a
// connection has a deadline besides.
func bounded(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// ask runs a read and names the operation in errors. Where the database says that it
// would have worked a moment later or on another connection, the read is tried again.
// That there is no such row is left for the caller to put into words (see missing).
func ask[T any](s *Store, op string, read func() (T, error)) (T, error) {
	v, err := inTurn(s, read)
	if errors.Is(err, sql.ErrNoRows) {
		return v, err
	}
	return v, classify(op, err)
}

func inTurn[T any](s *Store, read func() (T, error)) (T, error) {
	if s.turns == nil {
		return read()
	}
	if err := s.turn(); err != nil {
		var none T
		return none, err
	}
	defer func() { <-s.turns }()
	v, err := read()
	for again := newRetries(); err != nil && again.after(s.engine.meaning(err)); {
		v, err = read()
	}
	return v, err
}

// longestTurn bounds how long a read waits for a connection.
const longestTurn = 2 * time.Second

var errBusy = errors.New("all connections are in use")

// turn waits until there is a connection to read with.
func (s *Store) turn() error {
	select {
	case s.turns <- struct{}{}:
		return nil
	default:
	}
	patience := time.NewTimer(longestTurn)
	defer patience.Stop()
	select {
	case s.turns <- struct{}{}:
		return nil
	case <-patience.C:
		return errBusy
	}
}

// free runs work that changes no account's state: tokens, entries that are not changes,
// counters, purging. It waits for nobody's transaction.
func (s *Store) free(ctx context.Context, op string, fn func(context.Context, *tx) error) error {
	return classify(op, s.writer.do(ctx, &job{run: fn}))
}

// change runs work that changes an account, or anything in it, and decides on what it
// reads: while it runs, nobody else changes that account, on any replica.
func (s *Store) change(ctx context.Context, op string, account ident.AccountID, fn func(context.Context, *tx) error) error {
	return classify(op, s.writer.do(ctx, &job{run: forgetful(fn), account: account}))
}

// changeOnce is change by work that may leave no entry and must not happen twice.
func (s *Store) changeOnce(ctx context.Context, op string, account ident.AccountID, fn func(context.Context, *tx) error) error {
	return classify(op, s.writer.do(ctx, &job{run: forgetful(fn), account: account, runs: runs{mark: s.newMark()}}))
}

// forgetful is work that may make untrue what was read of people when its transaction
// began: somebody signs in, joins or goes.
func forgetful(fn func(context.Context, *tx) error) func(context.Context, *tx) error {
	return func(ctx context.Context, t *tx) error {
		clear(t.foreseen)
		return fn(ctx, t)
	}
}

// changePerson is change of one person, who is read with the account.
func (s *Store) changePerson(ctx context.Context, op string, account ident.AccountID, id ident.UserID, fn func(context.Context, *tx) error) error {
	return classify(op, s.writer.do(ctx, &job{run: fn, account: account, person: id}))
}

// missing turns "no row" into NotFound with the given words.
func missing(err error, words string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NotFound(words)
	}
	return err
}

// micros is a time as it is stored; the zero time, for "none", is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros reads a time that is always there: 0 is the first moment of 1970.
func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// fromOptional reads a time where 0 stands for "none".
func fromOptional(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return fromMicros(us)
}
