package store

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

const (
	// rowsAtOnce is how many rows a statement of SQLite inserts into a table where a row that is there already stays:
	// enough that what a statement costs besides is little. For other tables it would write down what each page held
	// before, to undo a part of the statement.
	rowsAtOnce = 100
	// rowsACopy is how many rows one COPY takes. PostgreSQL has to answer for all of them within statementTimeout, also
	// when it is busy.
	rowsACopy = 5_000
)

// insert implements session.
func (s sqliteSession) insert(ctx context.Context, table rowTable, rows iter.Seq[[]any]) (int, error) {
	verb, many := "INSERT", 1
	if table.patient {
		verb, many = "INSERT OR IGNORE", rowsAtOnce
	}
	text := insertText(verb, table, many)
	values := make([]any, 0, many*len(table.columns))
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
	rest := len(values) / len(table.columns)
	_, err := s.e.conn.ExecContext(ctx, insertText(verb, table, rest), values...)
	return n + rest, err
}

// insertText is a statement that inserts so many rows. Its places have no names: SQLite's driver looks a named one up
// among all values of the statement.
func insertText(verb string, table rowTable, rows int) string {
	row := "(" + strings.Repeat("?, ", len(table.columns)-1) + "?)"
	return verb + " INTO " + table.name + " (" + strings.Join(table.columns, ", ") + ") VALUES " + strings.Repeat(row+", ", rows-1) + row
}

// insert implements session, by PostgreSQL's COPY: all rows or, where one is there already, none of them.
func (s *postgresSession) insert(ctx context.Context, table rowTable, rows iter.Seq[[]any]) (n int, err error) {
	s.pending = append(s.pending, statement{query: "SAVEPOINT rows"})
	if err := s.flush(ctx); err != nil {
		return 0, err
	}
	if n, err = s.copyIn(ctx, table, rows); !isDuplicate(err) {
		s.pending = append(s.pending, statement{query: "RELEASE SAVEPOINT rows"})
		return n, err
	}
	s.pending = append(s.pending, statement{query: "ROLLBACK TO SAVEPOINT rows"})
	if failed := s.flush(ctx); failed != nil { // by itself: before it the server would prepare nothing else
		return 0, failed
	}
	if !table.patient {
		return 0, err
	}
	return s.oneByOne(ctx, table, rows)
}

// oneByOne inserts the rows that are not there yet.
func (s *postgresSession) oneByOne(ctx context.Context, table rowTable, rows iter.Seq[[]any]) (n int, err error) {
	var text strings.Builder
	text.WriteString("INSERT INTO " + table.name + " (" + strings.Join(table.columns, ", ") + ") VALUES (")
	for i := range table.columns {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString("$" + strconv.Itoa(i+1))
	}
	text.WriteString(") ON CONFLICT DO NOTHING")
	for row := range rows {
		if _, err := s.later(nil).ExecContext(ctx, text.String(), append([]any(nil), row...)...); err != nil {
			return n, err
		}
		n++
	}
	return n, s.flush(ctx)
}

// load implements session: PostgreSQL's own caches are large enough.
func (s *postgresSession) load(context.Context, int, int) error { return nil }

// loaded implements session.
func (s *postgresSession) loaded(context.Context) error { return nil }

func (s *postgresSession) copyIn(ctx context.Context, table rowTable, rows iter.Seq[[]any]) (n int, err error) {
	next, stop := iter.Pull(rows)
	defer stop()
	for more := true; more && err == nil; {
		last := n + rowsACopy
		err = s.raw(func(c *pgx.Conn) error {
			_, err := c.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, pgx.CopyFromFunc(func() (row []any, err error) {
				if n == last {
					return nil, nil // no row ends it
				}
				if row, more = next(); more {
					n++
				}
				return row, nil
			}))
			return err
		})
	}
	return n, err
}
