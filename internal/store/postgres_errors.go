package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// Codes of PostgreSQL (SQLSTATE): https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	stateDuplicate = "23505"
	stateOrphan    = "23503"
	stateReadOnly  = "25006" // the server is a standby
	stateLocked    = "55P03" // a lock could not be had in time
)

// clashes are undone because of what another transaction did.
var clashes = []string{
	"40001", // serialization failure
	"40P01", // deadlock
	"0A000", // a cached plan of before a migration; pgx forgets it
	"26000", // a prepared statement the server does not know; the same
}

// cuts end the connection, or call for another one. Class 08 is of them too.
var cuts = []string{
	"57P01", "57P02", "57P03", // the server is told to end, has crashed, is starting
	"57P05",       // the session was idle too long
	"25P03",       // the transaction was
	stateReadOnly, // it was the primary, or we reached the wrong one
}

// unsettled say that a transaction may have been committed.
var unsettled = []string{"40003", "08007"}

// sqlState returns the code of a server's error, "" if err is none.
func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// commitError is a failure of a commit that the server did not refuse.
type commitError struct{ error }

// Unwrap implements the interface that errors.As looks for.
func (e *commitError) Unwrap() error { return e.error }

// settled tells whether a failure while committing says that nothing was committed: the
// server refused and is still there, or nothing was sent.
func settled(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return pgconn.SafeToRetry(err)
	}
	return e.SeverityUnlocalized == "ERROR" && !slices.Contains(unsettled, e.Code)
}

// meaning implements engine.
func (e *postgresEngine) meaning(err error) meaning {
	var commit *commitError
	var company *companyError
	switch state := sqlState(err); {
	case err == nil:
		return final
	case state != "" && errors.As(err, &company) && !isCut(state, err):
		return clashed // it may well do alone
	case errors.As(err, &commit):
		return unknown
	case slices.Contains(clashes, state):
		return clashed
	case isCut(state, err):
		return cut
	}
	return final
}

// isCut tells whether the way to the server failed, rather than the statement.
func isCut(state string, err error) bool {
	if state != "" {
		return slices.Contains(cuts, state) || slices.Contains(unsettled, state) || strings.HasPrefix(state, "08")
	}
	if fault.As(err) != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var network *net.OpError
	var connect *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connect) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

// fromPostgres tells whether err is of a PostgreSQL server or the way to it.
func fromPostgres(err error) bool {
	return sqlState(err) != "" || isCut("", err) || errors.Is(err, errUnknown)
}

// busyStates are what a server says that is only too busy at the moment.
var busyStates = []string{
	stateLocked,
	"57014",          // the statement took too long
	"53300", "53400", // too many connections, or another limit of the configuration
}

// postgresFault turns an error of a PostgreSQL server into what a client is told.
func postgresFault(err error) error {
	state := sqlState(err)
	switch {
	case errors.Is(err, errUnknown):
		return fault.Unavailable(retryBusy, err, "storage failed before it could confirm: look whether it happened, or do it again")
	case slices.Contains(busyStates, state) || slices.Contains(clashes, state):
		return fault.Unavailable(retryBusy, err, "storage is busy: try again shortly")
	case isCut(state, err):
		return fault.Unavailable(retryLost, err, "storage can't be reached: try again shortly")
	}
	return fault.Unavailable(retryBroken, err, "storage can't be used at the moment: try again later")
}

// explainPostgres says what a failure to open means and what to do about it.
func explainPostgres(name string, err error) error {
	if err == nil {
		return nil
	}
	say := func(words string) error { return fmt.Errorf("%s: %s: %w", name, words, err) }
	switch state := sqlState(err); state {
	case "28P01", "28000":
		return say("the server refuses this user: check the user, the password (a file named by PGPASSFILE, or PGPASSWORD) and the server's pg_hba.conf")
	case "3D000":
		return say("there is no such database: make it with 'createdb', or name another one in --database")
	case "42501", "3F000": // no right to the schema, which is then none
		return say("this user lacks a right: make it the owner of the database (ALTER DATABASE ... OWNER TO ...)")
	case "53300":
		return say("the server has no connection left: lower --database-connections or raise the server's max_connections")
	case "42P01", "42703":
		return say("a table or column is missing: a migration was cut short or undone; restore a copy, or ask for help before you change anything")
	case stateReadOnly:
		return say("the server only reads, as a standby does: name the primary in --database")
	default:
		if isCut(state, err) {
			return say("the server can't be reached: check host, port and sslmode in --database, and that it runs")
		}
	}
	return fmt.Errorf("%s: %w", name, err)
}
