package store

import (
	"database/sql/driver"
	"errors"
	"runtime"
	"time"
)

// textReaders are connections for the reads that every request makes: one row of a text or two.
type textReaders struct {
	open func() (driver.Conn, error)
	free chan *textReader // not in use, opened or not; closed with the store
}

// textReader is one connection, used by one caller at a time.
type textReader struct {
	driverConn

	row [2]driver.Value
}

func newTextReaders(n int, open func() (driver.Conn, error)) *textReaders {
	r := &textReaders{open: open, free: make(chan *textReader, n)}
	for range n {
		r.free <- &textReader{}
	}
	return r
}

// read reads the one row of a statement into as many texts as it has columns, at most two.
func (r *textReaders) read(query string, into []string, args []any) error {
	c, err := r.take()
	if err != nil {
		return err
	}
	whole := false
	defer func() {
		if !whole { // it broke off within the driver, and is not fit for others
			_ = c.close()
		}
		r.free <- c
	}()
	err = c.read(r.open, query, into, args)
	whole = true
	return err
}

// take waits for a connection that is free. Each is in use for microseconds, by somebody who runs
// or is about to: to let them go first is quicker than to be woken by them, one after the other.
func (r *textReaders) take() (*textReader, error) {
	for range 3 {
		select {
		case c := <-r.free:
			return known(c)
		default:
			runtime.Gosched()
		}
	}
	patience := time.NewTimer(longestTurn)
	defer patience.Stop()
	select {
	case c := <-r.free:
		return known(c)
	case <-patience.C:
		return nil, errBusy
	}
}

func known(c *textReader) (*textReader, error) {
	if c == nil {
		return nil, errClosed
	}
	return c, nil
}

// close waits for those in use, and closes all.
func (r *textReaders) close() error {
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

func (c *textReader) read(open func() (driver.Conn, error), query string, into []string, args []any) (err error) {
	if c.Conn == nil {
		if c.Conn, err = open(); err != nil {
			return err
		}
	}
	row := c.row[:len(into)]
	if err := c.driverConn.row(query, row, args); err != nil {
		return err
	}
	for i := range into {
		into[i] = valueAs[string](row[i], &err)
	}
	clear(row)
	return err
}

// close ends the connection; the next read opens another.
func (c *textReader) close() error {
	if c.Conn == nil {
		return nil
	}
	err := errors.Join(c.finalize(), c.Conn.Close())
	c.Conn = nil
	return err
}
