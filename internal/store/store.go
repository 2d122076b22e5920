// Package store keeps everything rollcall knows in one SQL database: accounts,
// people, applications, tokens, the audit record and usage. It implements the Store
// interfaces that the rule rooms declare, and nothing of a rule is decided here.
//
// Today the database is SQLite, embedded; the SQL text is written so that
// PostgreSQL takes it too (see migrations). Reads go to a small pool of read-only
// connections. Every write goes through one writer, which commits many callers'
// work together (see writer.go).
//
// What must always hold: when a write returns nil it is on disk; a change and its
// audit entry are in one transaction; errors that leave are faults, classified by
// the database's code and never by its message.
package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	dir       string
	rand      io.Reader
	reader    *sql.DB
	reads     *sqlgen.Queries
	readStmts *prepared
	writer    *writer
	probe     *sql.DB // tries a write without waiting
	lock      *DirLock
}

// Close ends the writer after the work it has taken and closes the database.
func (s *Store) Close() error {
	// The readers first: the connection that is closed last folds the log into the
	// file, and one that may only read can't.
	err := errors.Join(s.readStmts.close(), s.reader.Close(), s.probe.Close(), s.writer.close())
	if s.lock != nil {
		err = errors.Join(err, s.lock.Release())
	}
	return err
}

// Ping tells whether the database answers a read and can be written to; for readiness.
func (s *Store) Ping(ctx context.Context) error { return classify("ping", s.tryOut(ctx)) }

// tryOut reads, and tries a write that changes nothing but needs all that a change needs:
// SQLite also opens a file that it may not write, and says so only then. That somebody
// else is writing at the moment, as in a long import, is no failure and not waited for:
// it is no reason to send readers away.
func (s *Store) tryOut(ctx context.Context) error {
	if _, err := s.reads.ListPageKeys(bounded(ctx)); err != nil {
		return err
	}
	_, err := s.probe.ExecContext(ctx, "UPDATE accounts SET state = '' WHERE id = ''")
	if primaryCode(err) == sqlite3.SQLITE_BUSY {
		return nil
	}
	return err
}

// bounded drops the request's cancellation from reads that are bounded by
// themselves (a key, or a page of at most 1001 rows): watching it would cost a
// goroutine a statement and could only save microseconds.
func bounded(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// write runs fn in a transaction of the writer and names the operation in errors.
func (s *Store) write(ctx context.Context, op string, fn func(context.Context, *tx) error) error {
	return classify(op, s.writer.do(ctx, fn))
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
