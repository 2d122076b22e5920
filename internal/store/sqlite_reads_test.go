package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// noGrant fails the test unless the store finds that there is no such token.
func noGrant(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.Grant(t.Context(), oauth.Hash{}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("got error %v, want that there is no such token", err)
	}
}

// TestSchemaMayChange: another program may change the schema, as an import does with indexes, under statements that
// are prepared already.
func TestSchemaMayChange(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	account := newAccount(t, s)
	id := crowd(t, s, account, 1)[0]
	for range 8 { // on each connection
		noGrant(t, s)
	}
	change(t, s, account, id)
	db := raw(t, file(s).path())
	for _, text := range []string{"DROP INDEX users_by_state", "CREATE TABLE other (a text)", "CREATE INDEX users_by_state ON users (account_id, state, create_time, id)"} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
		for range 8 {
			noGrant(t, s)
		}
		change(t, s, account, id)
	}
}

func change(t *testing.T, s *Store, account ident.AccountID, id ident.UserID) {
	t.Helper()
	before, err := s.User(t.Context(), account, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := toggle(t.Context(), s, account, id, morning); err != nil {
		t.Fatal(err)
	}
	if after, err := s.User(t.Context(), account, id); err != nil || (after.State == directory.Active) == (before.State == directory.Active) {
		t.Errorf("got %v and error %v, was %v", after, err, before)
	}
}

func TestClosedStoreAnswers(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	closeStore(t, s)
	_, err := s.Grant(t.Context(), oauth.Hash{})
	unavailable(t, err, retryBusy)
}

// fakeDriver is a driver whose connections do what they are told to with each statement.
type fakeDriver struct {
	do     func(query string) (driver.Value, error) // the one row's one column; nil = no row
	opened int
	closed int
	ran    []string
}

func (d *fakeDriver) open() (driver.Conn, error) {
	d.opened++
	return fakeConn{d}, nil
}

func (d *fakeDriver) run(query string) (driver.Value, error) {
	d.ran = append(d.ran, query)
	return d.do(query)
}

type fakeConn struct{ *fakeDriver }

func (c fakeConn) Prepare(query string) (driver.Stmt, error) { return fakeStmt{c, query}, nil }
func (c fakeConn) Close() error                              { c.closed++; return nil }
func (c fakeConn) Begin() (driver.Tx, error)                 { return nil, driver.ErrSkip }

type fakeStmt struct {
	fakeConn

	query string
}

func (s fakeStmt) Close() error                               { return nil }
func (s fakeStmt) NumInput() int                              { return -1 }
func (s fakeStmt) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }
func (s fakeStmt) Query([]driver.Value) (driver.Rows, error)  { return nil, driver.ErrSkip }
func (s fakeStmt) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	_, err := s.run(s.query)
	return driver.RowsAffected(0), err
}

func (s fakeStmt) QueryContext(context.Context, []driver.NamedValue) (driver.Rows, error) {
	v, err := s.run(s.query)
	return &fakeRows{v}, err
}

type fakeRows struct{ v driver.Value }

func (r *fakeRows) Columns() []string { return []string{"a"} }
func (r *fakeRows) Close() error      { return nil }
func (r *fakeRows) Next(into []driver.Value) error {
	if r.v == nil {
		return io.EOF
	}
	into[0], r.v = r.v, nil
	return nil
}

var errDriver = errors.New("broken")

// fakeReaders are connections of a driver that answers each statement with its text, but for "none", "broken",
// "number" and "panic".
func fakeReaders(n int) (*sqliteReaders, *fakeDriver) {
	d := &fakeDriver{do: func(query string) (driver.Value, error) {
		switch query {
		case "none":
			return nil, nil
		case "broken":
			return nil, errDriver
		case "number":
			return int64(1), nil
		case "panic":
			panic("broken off")
		}
		return query, nil
	}}
	return newSQLiteReaders(n, d.open), d
}

// reads runs statements at once, and returns the text each has found, or the error.
func reads(r *sqliteReaders, queries ...string) []string {
	got := make([]string, len(queries))
	batch := make([]*read, len(queries))
	for i, q := range queries {
		batch[i] = &read{query: q, columns: 1, row: func(_ int, columns []driver.Value) (err error) {
			got[i] = valueAs[string](columns[0], &err)
			return err
		}}
	}
	r.read(batch)
	for i, b := range batch {
		if b.err != nil {
			got[i] = b.err.Error()
		}
	}
	return got
}

func TestSQLiteReaders(t *testing.T) {
	t.Parallel()
	r, d := fakeReaders(1)
	wants := func(got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	wants(reads(r, "a"), "a")
	wants(d.ran, "a") // in no transaction
	d.ran = nil
	wants(reads(r, "a", "none", "broken", "number", "b"), "a", "", "broken", "a column is a int64 and not a string", "b")
	wants(d.ran, "BEGIN", "a", "none", "broken", "number", "b", "COMMIT")
	if d.opened != 1 || d.closed != 0 {
		t.Errorf("%d opened and %d closed, want one and none", d.opened, d.closed)
	}
	if err := errors.Join(r.close(), r.close()); err != nil || d.closed != 1 {
		t.Errorf("%d closed, error %v", d.closed, err)
	}
	wants(reads(r, "a"), errClosed.Error())
}

// TestSQLiteReadersReplace: a connection of no further use is closed, and another one opened.
func TestSQLiteReadersReplace(t *testing.T) {
	t.Parallel()
	r, d := fakeReaders(1)
	usual := d.do
	for i, bad := range []string{"BEGIN", "COMMIT", "panic", "open"} {
		d.do = func(query string) (driver.Value, error) {
			if query == bad {
				return usual("broken")
			}
			return usual(query)
		}
		want := []string{"a", "b"} // what was read before a commit failed was read
		switch bad {
		case "BEGIN":
			want = []string{"broken", "broken"}
		case "panic":
			d.do = usual
			func() {
				defer func() { _ = recover() }()
				reads(r, "a", "panic")
				t.Error("it went on")
			}()
		case "open":
			r.open = func() (driver.Conn, error) { return nil, errDriver }
			want = []string{"broken", "broken"}
			_ = r.discard()
		}
		if bad != "panic" {
			if got := reads(r, "a", "b"); !slices.Equal(got, want) {
				t.Errorf("%s fails: got %q, want %q", bad, got, want)
			}
		}
		d.do, r.open = usual, d.open
		if got := reads(r, "a", "b"); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("after a failing %s: got %q", bad, got)
		}
		if d.opened != i+2 || d.closed != i+1 {
			t.Errorf("after a failing %s: %d opened and %d closed, want %d and %d", bad, d.opened, d.closed, i+2, i+1)
		}
	}
}

// discard closes the one connection that is free.
func (r *sqliteReaders) discard() error {
	c := <-r.free
	defer func() { r.free <- c }()
	return c.close()
}
