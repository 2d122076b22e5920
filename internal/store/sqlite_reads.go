package store

import (
	"database/sql/driver"
	"errors"
)

// sqliteReaders are connections for the reads that each request makes.
type sqliteReaders struct {
	open func() (driver.Conn, error)
	free chan *driverConn // not in use, opened or not; closed with the store
}

func newSQLiteReaders(n int, open func() (driver.Conn, error)) *sqliteReaders {
	r := &sqliteReaders{open: open, free: make(chan *driverConn, n)}
	for range n {
		r.free <- &driverConn{}
	}
	return r
}

// read runs reads on one connection. It is called by no more callers at once than there are connections.
func (r *sqliteReaders) read(batch []*read) {
	c, ok := <-r.free
	if !ok {
		failAll(batch, errClosed)
		return
	}
	whole := false
	defer func() {
		if !whole { // it broke off within the driver, or can't be used: the next one opens another
			_ = c.close()
		}
		r.free <- c
	}()
	if c.Conn == nil {
		opened, err := r.open()
		if err != nil {
			failAll(batch, err)
			return
		}
		c.Conn = opened
	}
	whole = c.readAll(batch) == nil
}

// close waits for those in use, and closes all.
func (r *sqliteReaders) close() error {
	var errs []error
	for range cap(r.free) {
		c, ok := <-r.free
		if !ok {
			return nil // closed before
		}
		errs = append(errs, c.close())
	}
	close(r.free)
	return errors.Join(errs...)
}

// readAll runs reads, several in one transaction, which finds its place in the log once. It sees
// what was committed when the first of them begins. The error says that the connection is of no
// further use; what became of each read it says itself.
func (c *driverConn) readAll(batch []*read) error {
	if len(batch) == 1 {
		batch[0].err = c.read(batch[0])
		return nil
	}
	if _, err := c.exec("BEGIN", nil); err != nil {
		failAll(batch, err)
		return err
	}
	for _, r := range batch {
		r.err = c.read(r)
	}
	_, err := c.exec("COMMIT", nil)
	return err
}

// read runs one read.
func (c *driverConn) read(r *read) error {
	columns := make([]driver.Value, r.columns)
	return c.rows(r.query, columns, r.args, func(n int) error { return r.row(n, columns) })
}
