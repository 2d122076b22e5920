package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// A transaction on a server is a conversation, and each turn of it costs more than most
// statements do. So statements whose outcome nobody waits for are kept and sent together
// with the next one that somebody waits for, or with the commit:
//
//	--> BEGIN, its bounds, read the account's row and hold it, read everybody who is to change
//	--> write them, their entries and links, the chain's end, COMMIT
//
// The transaction has the isolation level that the database has by default. The
// account's row, held from the start, is what keeps decisions apart at any level.

// bounds are set in a transaction that holds an account: what it may wait for, and how long
// others may have to wait for it if this process stops. In milliseconds.
var bounds = []statement{
	{query: "SET LOCAL lock_timeout = 4000"},
	{query: "SET LOCAL idle_in_transaction_session_timeout = 15000"},
}

// mostPending bounds how many statements are kept.
const mostPending = 256

// postgresSession is an open transaction. It is one goroutine's.
type postgresSession struct {
	conn    *sql.Conn
	pending []statement
	begun   bool  // something was sent
	hidden  error // the failure of what was pending, before a query that could not tell it
}

type statement struct {
	query   string
	args    []any
	explain func(error) error
	row     func(pgx.Row) error // reads the one row it returns; nil = it returns none
}

// begin implements engine. Nothing is sent before the first statement.
func (e *postgresEngine) begin(ctx context.Context) (*tx, error) {
	latest := time.Now().Add(statementTimeout)
	if at, ok := admit.Until(ctx); ok && at.Before(latest) {
		latest = at
	}
	ctx, cancel := context.WithDeadline(ctx, latest)
	defer cancel()
	conn, err := e.writes.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &postgresSession{conn: conn, pending: make([]statement, 0, 16)}
	s.pending = append(s.pending, statement{query: "BEGIN"})
	return newTx(s), nil
}

func (s *postgresSession) now() sqlgen.DBTX { return immediate{s} }

func (s *postgresSession) later(explain func(error) error) sqlgen.DBTX { return deferred{s, explain} }

// flush implements session.
func (s *postgresSession) flush(ctx context.Context) error {
	_, err := s.send(ctx)
	return err
}

// send sends what is pending at once, and returns what the last statement did.
func (s *postgresSession) send(ctx context.Context) (last pgconn.CommandTag, err error) {
	if len(s.pending) == 0 {
		return last, nil
	}
	s.begun = true
	pending := s.pending
	s.pending = s.pending[:0]
	err = s.raw(func(c *pgx.Conn) error {
		batch := &pgx.Batch{}
		for _, p := range pending {
			batch.Queue(p.query, p.args...)
		}
		results := c.SendBatch(ctx, batch)
		for _, p := range pending {
			if last, err = p.run(results); err != nil {
				err = p.failed(err)
				break
			}
		}
		if closing := results.Close(); err == nil {
			err = closing
		}
		return err
	})
	clear(pending) // what was sent need not be kept
	return last, err
}

// run reads what a statement did.
func (p statement) run(results pgx.BatchResults) (pgconn.CommandTag, error) {
	if p.row == nil {
		return results.Exec()
	}
	return pgconn.CommandTag{}, p.row(results.QueryRow())
}

// foresee implements session: it takes hold of the account and reads the people in one go.
func (s *postgresSession) foresee(ctx context.Context, account ident.AccountID, people []ident.UserID) (*head, map[ident.UserID]sqlgen.GetStandingRow, error) {
	s.pending = append(s.pending, bounds...)
	h := &head{}
	s.pending = append(s.pending, statement{query: sqlgen.LockHead, args: []any{string(account)}, row: func(row pgx.Row) error {
		var seq int64
		var hash []byte
		read, err := headOf(row.Scan(&seq, &hash), &seq, &hash)
		if err == nil {
			*h = *read
		}
		return err
	}})
	found := make(map[ident.UserID]sqlgen.GetStandingRow, len(people))
	for _, id := range people {
		s.pending = append(s.pending, statement{query: sqlgen.GetStanding, args: []any{string(account), string(id)}, row: func(row pgx.Row) error {
			var r sqlgen.GetStandingRow
			err := row.Scan(&r.Email, &r.DisplayName, &r.State, &r.Type, &r.CreateTime, &r.Provisioning, &r.Ownership, &r.SignedIn)
			if err == nil {
				found[id] = r
			}
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			return err
		}})
	}
	err := s.flush(ctx)
	return h, found, err
}

// standing implements session.
func (s *postgresSession) standing(ctx context.Context, account ident.AccountID, id ident.UserID) (sqlgen.GetStandingRow, error) {
	return sqlgen.New(s.now()).GetStanding(ctx, string(account), string(id))
}

// cause implements session.
func (s *postgresSession) cause(err error) error {
	if s.hidden != nil {
		return s.hidden
	}
	return err
}

// failed says what the failure of a statement means that was put off.
func (p statement) failed(err error) error {
	if sqlState(err) == "" {
		return err
	}
	if p.explain != nil {
		err = p.explain(err)
	}
	return &lateError{err}
}

// raw uses the connection below database/sql.
func (s *postgresSession) raw(fn func(*pgx.Conn) error) error { return rawConn(s.conn, fn) }

// rawConn uses a connection below database/sql.
func rawConn(conn *sql.Conn, fn func(*pgx.Conn) error) error {
	return conn.Raw(func(c any) error {
		own, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a connection of type %T", c)
		}
		return fn(own.Conn())
	})
}

// commit implements session.
func (s *postgresSession) commit(ctx context.Context) error {
	if !s.begun && len(s.pending) == 1 {
		return s.conn.Close() // nobody had anything to do
	}
	s.pending = append(s.pending, statement{query: "COMMIT"})
	tag, err := s.send(ctx)
	switch {
	case err != nil && settled(err):
		return err
	case err != nil:
		return &commitError{err}
	case tag.String() != "COMMIT":
		return fmt.Errorf("the server answers COMMIT with %q", tag)
	}
	return s.conn.Close()
}

// rollback implements session: it gives the connection back, or gives it up.
func (s *postgresSession) rollback() {
	if s.begun {
		err := s.raw(func(c *pgx.Conn) error {
			if c.IsClosed() {
				return driver.ErrBadConn
			}
			if _, err := c.Exec(context.Background(), "ROLLBACK"); err != nil {
				return driver.ErrBadConn
			}
			return nil
		})
		_ = err // the connection is dropped, and with it the transaction
	}
	_ = s.conn.Close()
}

// immediate runs statements at once, after what is pending.
type immediate struct{ s *postgresSession }

// ExecContext implements sqlgen.DBTX.
func (i immediate) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	i.s.pending = append(i.s.pending, statement{query: query, args: args})
	tag, err := i.s.send(ctx)
	return driver.RowsAffected(tag.RowsAffected()), err
}

// QueryContext implements sqlgen.DBTX. Whoever calls it closes the rows.
func (i immediate) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := i.s.flush(ctx); err != nil {
		return nil, err
	}
	return i.s.conn.QueryContext(ctx, query, args...)
}

// QueryRowContext implements sqlgen.DBTX. A Row can't be made with an error in it: if what
// is pending fails, the transaction is over and the query fails too; cause knows why.
func (i immediate) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := i.s.flush(ctx); err != nil && i.s.hidden == nil {
		i.s.hidden = err
	}
	return i.s.conn.QueryRowContext(ctx, query, args...)
}

// PrepareContext implements sqlgen.DBTX; pgx prepares by itself.
func (i immediate) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return i.s.conn.PrepareContext(ctx, query)
}

// deferred keeps statements for later.
type deferred struct {
	s       *postgresSession
	explain func(error) error
}

// ExecContext implements sqlgen.DBTX.
func (d deferred) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	d.s.pending = append(d.s.pending, statement{query: query, args: args, explain: d.explain})
	if len(d.s.pending) < mostPending {
		return driver.RowsAffected(0), nil
	}
	return driver.RowsAffected(0), d.s.flush(ctx)
}

// QueryContext implements sqlgen.DBTX.
func (d deferred) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return immediate{d.s}.QueryContext(ctx, query, args...)
}

// QueryRowContext implements sqlgen.DBTX.
func (d deferred) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return immediate{d.s}.QueryRowContext(ctx, query, args...)
}

// PrepareContext implements sqlgen.DBTX.
func (d deferred) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return d.s.conn.PrepareContext(ctx, query)
}
