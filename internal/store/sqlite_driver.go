package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// driverConn runs statements on a connection of the driver, each prepared once, for one caller
// at a time. What database/sql adds takes about a tenth as long as most of our statements: columns
// of any type, rows without end, contexts, statements that several connections share. The texts
// are the constants sqlc generated, so the map is bounded by them.
type driverConn struct {
	driver.Conn // nil until it is open

	stmts map[string]driverStmt
	args  []driver.NamedValue
}

// driverStmt is what SQLite's driver prepares.
type driverStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// stmt returns a prepared statement, with its arguments in args.
func (c *driverConn) stmt(query string, args []any) (driverStmt, error) {
	stmt := c.stmts[query]
	if stmt == nil {
		made, err := c.Prepare(sqliteText(query))
		if err != nil {
			return nil, err
		}
		var ok bool
		if stmt, ok = made.(driverStmt); !ok {
			return nil, fmt.Errorf("the driver prepares a %T, which takes no context", made)
		}
		if c.stmts == nil {
			c.stmts = map[string]driverStmt{}
		}
		c.stmts[query] = stmt
	}
	c.args = c.args[:0]
	for i, a := range args {
		if !driver.IsValue(a) {
			var err error
			if a, err = driver.DefaultParameterConverter.ConvertValue(a); err != nil {
				return nil, err
			}
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return stmt, nil
}

// exec runs a statement. It is not to be stopped.
func (c *driverConn) exec(query string, args []any) (sql.Result, error) {
	stmt, err := c.stmt(query, args)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(context.Background(), c.args)
}

// row reads the one row of a statement into columns, as many as it has.
func (c *driverConn) row(query string, columns []driver.Value, args []any) error {
	found := false
	err := c.rows(query, columns, args, func(int) error {
		found = true
		return nil
	})
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return err
}

// rows reads one row after the other into columns, as many as the statement has, and calls each for
// it, with its place from 0 on. An error of each ends it.
func (c *driverConn) rows(query string, columns []driver.Value, args []any, each func(n int) error) (err error) {
	stmt, err := c.stmt(query, args)
	if err != nil {
		return err
	}
	rows, err := stmt.QueryContext(context.Background(), c.args)
	if err != nil {
		return err
	}
	defer func() {
		if closing := rows.Close(); err == nil { // otherwise it says the same
			err = closing
		}
	}()
	for n := 0; ; n++ {
		if err = rows.Next(columns); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = each(n)
		}
		if err != nil {
			return err
		}
	}
}

// close ends the connection, if it is open.
func (c *driverConn) close() error {
	if c.Conn == nil {
		return nil
	}
	err := errors.Join(c.finalize(), c.Conn.Close())
	c.Conn = nil
	return err
}

// finalize ends the statements.
func (c *driverConn) finalize() error {
	var errs []error
	for query, stmt := range c.stmts {
		errs = append(errs, stmt.Close())
		delete(c.stmts, query)
	}
	return errors.Join(errs...)
}

// valueAs is a column of that type.
func valueAs[T any](v driver.Value, err *error) T {
	t, ok := v.(T)
	if !ok && *err == nil {
		*err = fmt.Errorf("a column is a %T and not a %T", v, t)
	}
	return t
}
