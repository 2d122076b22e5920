package store

import (
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/pgtest"
)

// TestOneBadReadHarmsNobody: a read that the server refuses does not take along those that were sent with it.
func TestOneBadReadHarmsNobody(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t, pgtest.Oldest)
	s, err := Open(t.Context(), Options{URL: server.URL(server.Database(t)), Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	ask := func(query string, args ...any) (got string, err error) {
		err = s.readTogether(t.Context(), "test", &read{query: query, args: args, columns: 1, row: func(_ int, columns []driver.Value) (err error) {
			got = valueAs[string](columns[0], &err)
			return err
		}})
		return got, err
	}
	var callers sync.WaitGroup
	for i := range 200 {
		callers.Go(func() {
			switch i % 20 {
			case 7: // fails while it runs
				if got, err := ask("SELECT CAST(1 / (CAST($1 AS int) - CAST($1 AS int)) AS text)", i); sqlState(err) != "22012" {
					t.Errorf("divided: got %q and error %v, want that it divides by zero", got, err)
				}
			case 13: // can't be prepared
				if got, err := ask(fmt.Sprintf("SELECT nothing%d", i)); sqlState(err) != "42703" {
					t.Errorf("no column: got %q and error %v, want that there is no such column", got, err)
				}
			case 17: // not what was expected
				if got, err := ask("SELECT CAST($1 AS bigint)", i); err == nil {
					t.Errorf("number: got %q and no error", got)
				}
			default:
				if got, err := ask("SELECT CAST($1 AS text)", fmt.Sprint(i)); got != fmt.Sprint(i) || err != nil {
					t.Errorf("got %q, %v, want %d", got, err, i)
				}
			}
		})
	}
	callers.Wait()
}

// TestReadsMeanings: what failed in company is tried again alone only where it was the server that refused.
func TestReadsMeanings(t *testing.T) {
	t.Parallel()
	e := &postgresEngine{}
	for _, c := range []struct {
		err  error
		want meaning
	}{
		{&companyError{&pgconn.PgError{Code: "22012"}}, clashed},
		{&companyError{&pgconn.PgError{Code: "57P01"}}, cut},
		{&companyError{errors.New("a defect of ours")}, final},
		{&pgconn.PgError{Code: "22012"}, final},
	} {
		if got := e.meaning(fmt.Errorf("wrapped: %w", c.err)); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
}

// TestReadsHaveTheFirstsTime: reads that are run together are given the time of whoever has the least left.
func TestReadsHaveTheFirstsTime(t *testing.T) {
	t.Parallel()
	soon, late := morning, morning.Add(time.Second)
	for _, c := range []struct {
		of   []time.Time
		want time.Time
	}{
		{[]time.Time{{}, {}}, time.Time{}},
		{[]time.Time{{}, late, {}}, late},
		{[]time.Time{late, soon, late}, soon},
		{[]time.Time{soon, {}, late}, soon},
	} {
		var batch []*read
		for _, at := range c.of {
			batch = append(batch, &read{until: at})
		}
		if at, ok := admit.Until(contextOfReads(batch)); !at.Equal(c.want) || ok == c.want.IsZero() {
			t.Errorf("of %v: got %v, %v, want %v", c.of, at, ok, c.want)
		}
	}
}
