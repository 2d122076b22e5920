package store

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const (
	// runsTogether is how many runs of reads are at the server at once. More of them would be
	// smaller: what comes while so many are on their way is the next one.
	runsTogether = 2
	// mostTogether is how many reads a run has at most.
	mostTogether = 32
)

// read implements engine: several reads go to the server, and their rows come back, at once.
func (e *postgresEngine) read(ctx context.Context, batch []*read) {
	conn, err := e.reader.Conn(ctx)
	if err != nil {
		failAll(batch, err)
		return
	}
	defer func() { _ = conn.Close() }()
	reached := false
	err = rawConn(conn, func(c *pgx.Conn) error {
		reached = true
		if len(batch) == 1 {
			rows, err := c.Query(ctx, batch[0].query, batch[0].args...)
			batch[0].err = readRows(rows, err, batch[0])
		} else {
			sendReads(ctx, c, batch)
		}
		if c.IsClosed() {
			return driver.ErrBadConn
		}
		return nil
	})
	if !reached {
		failAll(batch, err)
	} // else a connection that is closed was dropped, and what became of each read it says itself
}

// sendReads sends reads at once. They are one transaction to the server: one that fails fails those
// after it too, and if it is one that can't be prepared, all.
func sendReads(ctx context.Context, c *pgx.Conn, batch []*read) {
	b := &pgx.Batch{}
	for _, r := range batch {
		b.Queue(r.query, r.args...)
	}
	results := c.SendBatch(ctx, b)
	defer func() { _ = results.Close() }() // each read has met its error
	for _, r := range batch {
		rows, err := results.Query()
		if r.err = readRows(rows, err, r); err != nil || rows.Err() != nil {
			r.err = &companyError{r.err}
		}
	}
}

// readRows reads all rows of a read.
func readRows(rows pgx.Rows, err error, r *read) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	columns := make([]driver.Value, r.columns)
	for n := 0; rows.Next(); n++ {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		if len(values) != len(columns) {
			return fmt.Errorf("the row has %d columns and not %d", len(values), len(columns))
		}
		for i, v := range values {
			columns[i] = v
		}
		if err = r.row(n, columns); err != nil {
			return err
		}
	}
	return rows.Err()
}

// companyError is the failure of a read that was sent with others: it may be another's.
type companyError struct{ error }

// Unwrap implements the interface that errors.As looks for.
func (e *companyError) Unwrap() error { return e.error }
