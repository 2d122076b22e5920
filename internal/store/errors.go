package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// How long a client is told to wait: a busy database frees up in a moment, a full
// disk needs a person.
const (
	retryBusy   = 1 * time.Second
	retryLost   = 2 * time.Second // a server that fails over needs some seconds
	retryBroken = 30 * time.Second
)

// classify turns a failure of the database into a fault by its code; a fault stays
// what it is. Whatever else comes out of a statement of ours, all of which are tested,
// means that what is stored is not what was written: rows that don't read as their type,
// a schema without our columns. That is damage, which is storage's failure and not a
// defect of ours; its text is for the log.
func classify(op string, err error) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	err = fmt.Errorf("store: %s: %w", op, err)
	if errors.Is(err, errClosed) || errors.Is(err, errBusy) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fault.Unavailable(retryBusy, err, "storage did not answer in time: try again shortly")
	}
	if fromPostgres(err) {
		return postgresFault(err)
	}
	switch primaryCode(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return fault.Unavailable(retryBusy, err, "storage is busy: try again shortly")
	}
	return fault.Unavailable(retryBroken, err, "storage can't be used at the moment: try again later")
}

// primaryCode returns SQLite's primary result code, 0 if err has none.
func primaryCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// isDuplicate tells whether a row was refused because its key is taken.
func isDuplicate(err error) bool {
	var e *sqlite.Error
	return sqlState(err) == stateDuplicate || errors.As(err, &e) &&
		(e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE)
}

// isOrphan tells whether a row was refused because what it refers to is not there.
func isOrphan(err error) bool {
	var e *sqlite.Error
	return sqlState(err) == stateOrphan || errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}
