package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"
	"testing/synctest"

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

// fakeConn is a driver's connection whose one row is a text, or that does what it is told.
type fakeConn struct {
	do     func() (driver.Value, error)
	closed *int
}

func (c fakeConn) Prepare(string) (driver.Stmt, error) { return fakeStmt{c}, nil }
func (c fakeConn) Close() error                        { *c.closed++; return nil }
func (c fakeConn) Begin() (driver.Tx, error)           { return nil, driver.ErrSkip }

type fakeStmt struct{ fakeConn }

func (s fakeStmt) Close() error                               { return nil }
func (s fakeStmt) NumInput() int                              { return -1 }
func (s fakeStmt) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }
func (s fakeStmt) Query([]driver.Value) (driver.Rows, error)  { return nil, driver.ErrSkip }
func (s fakeStmt) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return nil, driver.ErrSkip
}

func (s fakeStmt) QueryContext(context.Context, []driver.NamedValue) (driver.Rows, error) {
	v, err := s.do()
	return fakeRows{v}, err
}

type fakeRows struct{ v driver.Value }

func (r fakeRows) Columns() []string { return []string{"a"} }
func (r fakeRows) Close() error      { return nil }
func (r fakeRows) Next(into []driver.Value) error {
	if r.v == nil {
		return io.EOF
	}
	into[0] = r.v
	return nil
}

func TestTextReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opened, closed := 0, 0
		do := func() (driver.Value, error) { return "text", nil }
		r := newTextReaders(2, func() (driver.Conn, error) {
			opened++
			return fakeConn{func() (driver.Value, error) { return do() }, &closed}, nil
		})
		read := func() (string, error) {
			var into [1]string
			err := r.read("SELECT 1", into[:], nil)
			return into[0], err
		}
		wants := func(text string, want error) {
			t.Helper()
			if got, err := read(); got != text || !errors.Is(err, want) {
				t.Errorf("got %q, %v, want %q, %v", got, err, text, want)
			}
		}
		for range 5 {
			wants("text", nil)
		}
		broken := errors.New("broken")
		says := func(v driver.Value, err error) { do = func() (driver.Value, error) { return v, err } }
		says(nil, nil)
		wants("", sql.ErrNoRows)
		says("text", broken)
		wants("", broken)
		says(int64(1), nil)
		if got, err := read(); got != "" || err == nil {
			t.Errorf("got %q and no error for a number", got)
		}
		if opened != 2 || closed != 0 {
			t.Errorf("%d opened and %d closed, want 2 and none", opened, closed)
		}

		// One that breaks off is replaced.
		do = func() (driver.Value, error) { panic("broken off") }
		for range 3 {
			func() {
				defer func() { _ = recover() }()
				_, err := read()
				t.Errorf("it went on: %v", err)
			}()
		}
		do = func() (driver.Value, error) { return "text", nil }
		for range 5 {
			wants("text", nil)
		}
		if opened != 5 || closed != 3 {
			t.Errorf("%d opened and %d closed, want 5 and 3", opened, closed)
		}

		// Where all are in use somebody waits, but not for ever.
		a, _ := r.take()
		b, _ := r.take()
		wants("", errBusy)
		waits := make(chan string)
		go func() {
			text, _ := read()
			waits <- text
		}()
		synctest.Wait()
		r.free <- a
		if got := <-waits; got != "text" {
			t.Errorf("got %q after waiting", got)
		}
		r.free <- b
		if err := r.close(); err != nil || closed != 5 {
			t.Errorf("%d closed, error %v", closed, err)
		}
		wants("", errClosed)
	})
}
