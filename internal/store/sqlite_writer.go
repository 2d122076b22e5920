package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// writerConn is the connection that writes. Most statements of a busy server change something:
// those go to the driver directly. Rows only database/sql can make.
type writerConn struct {
	*prepared

	conn   *sql.Conn
	direct driverConn // used within conn.Raw alone
}

func newWriterConn(c *sql.Conn) *writerConn { return &writerConn{prepared: newPrepared(c), conn: c} }

// raw runs f with the driver's connection.
func (w *writerConn) raw(f func(*driverConn) error) error {
	return w.conn.Raw(func(c any) error {
		var ok bool
		if w.direct.Conn, ok = c.(driver.Conn); !ok {
			return fmt.Errorf("the driver's connection is a %T", c)
		}
		return f(&w.direct)
	})
}

// ExecContext implements sqlgen.DBTX.
func (w *writerConn) ExecContext(_ context.Context, query string, args ...any) (r sql.Result, err error) {
	err = w.raw(func(c *driverConn) error {
		r, err = c.exec(query, args)
		return err
	})
	return r, err
}

// close ends the statements.
func (w *writerConn) close() error {
	return errors.Join(w.raw((*driverConn).finalize), w.prepared.close())
}

// standing implements session.
func (s sqliteSession) standing(_ context.Context, account ident.AccountID, id ident.UserID) (row sqlgen.GetStandingRow, err error) {
	var v [8]driver.Value
	err = s.e.stmt.raw(func(c *driverConn) error {
		return c.row(sqlgen.GetStanding, v[:], []any{string(account), string(id)})
	})
	if err != nil {
		return row, err
	}
	row = sqlgen.GetStandingRow{
		Email: valueAs[string](v[0], &err), DisplayName: valueAs[string](v[1], &err), State: valueAs[string](v[2], &err),
		Type: valueAs[string](v[3], &err), CreateTime: valueAs[int64](v[4], &err), Provisioning: valueAs[string](v[5], &err),
		Ownership: valueAs[int64](v[6], &err), SignedIn: valueAs[int64](v[7], &err),
	}
	return row, err
}
