package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// wholesale implements bulk.
func (e *postgresEngine) wholesale(ctx context.Context) (*sql.DB, error) {
	db := e.patient()
	return db, db.PingContext(ctx)
}

// snapshot implements bulk.
func (e *postgresEngine) snapshot() sql.IsolationLevel { return sql.LevelRepeatableRead }

// fill implements bulk, by PostgreSQL's COPY.
func (e *postgresEngine) fill(ctx context.Context, c *sql.Conn, table string, columns []string, next func() ([]any, error)) (n int64, err error) {
	err = c.Raw(func(driver any) error {
		own, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a connection of type %T", driver)
		}
		n, err = own.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(next))
		return err
	})
	if err != nil {
		return n, err
	}
	_, err = c.ExecContext(ctx, "ANALYZE "+table) // the server would come round to it later
	return n, err
}
