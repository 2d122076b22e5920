package store

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"
)

// rowsAtOnce is how many rows a statement inserts into a table that takes any: enough that what a statement costs besides
// is little. For other tables SQLite would write down what each page held before, to undo a part of the statement.
const rowsAtOnce = 50

// insert implements session.
func (s sqliteSession) insert(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (int, error) {
	many := 1
	if s.e.large != nil && table == wordsTable {
		table, many = addedWords, rowsAtOnce
	}
	text := insertText(table, columns, many)
	values := make([]any, 0, many*len(columns))
	n := 0
	for row := range rows {
		if values = append(values, row...); len(values) < cap(values) {
			continue
		}
		if _, err := s.e.stmt.ExecContext(ctx, text, values...); err != nil {
			return n, err
		}
		values, n = values[:0], n+many
	}
	if len(values) == 0 {
		return n, nil
	}
	rest := len(values) / len(columns)
	_, err := s.e.conn.ExecContext(ctx, insertText(table, columns, rest), values...)
	return n + rest, err
}

// insertText is a statement that inserts so many rows. Its places have no names: SQLite's driver looks a named one up
// among all values of the statement.
func insertText(table string, columns []string, rows int) string {
	row := "(" + strings.Repeat("?, ", len(columns)-1) + "?)"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.Repeat(row+", ", rows-1) + row
}

// insert implements session, by PostgreSQL's COPY. That does not tell which row is there already: then it is taken back,
// and they are inserted one by one.
func (s *postgresSession) insert(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (n int, err error) {
	s.pending = append(s.pending, statement{query: "SAVEPOINT rows"})
	if err := s.flush(ctx); err != nil {
		return 0, err
	}
	if n, err = s.copyIn(ctx, table, columns, rows); !isDuplicate(err) {
		s.pending = append(s.pending, statement{query: "RELEASE SAVEPOINT rows"})
		return n, err
	}
	s.pending = append(s.pending, statement{query: "ROLLBACK TO SAVEPOINT rows"})
	if err := s.flush(ctx); err != nil { // by itself: before it the server would prepare nothing else
		return 0, err
	}
	places := make([]string, len(columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	text := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
	n = 0
	for row := range rows {
		if _, err := s.now().ExecContext(ctx, text, row...); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// load implements session: PostgreSQL's own caches are large enough.
func (s *postgresSession) load(context.Context, int) error { return nil }

// loaded implements session.
func (s *postgresSession) loaded(context.Context) error { return nil }

func (s *postgresSession) copyIn(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (n int, err error) {
	next, stop := iter.Pull(rows)
	defer stop()
	err = s.raw(func(c *pgx.Conn) error {
		_, err := c.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
			row, more := next() // no row ends it
			if more {
				n++
			}
			return row, nil
		}))
		return err
	})
	return n, err
}
