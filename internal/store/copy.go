package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Copied is one table that was copied.
type Copied struct {
	Table string
	Rows  int64
}

// bulk is what an engine does for copying whole databases: statements that take as long as
// they take, on connections of their own.
type bulk interface {
	// wholesale opens a pool for it, for the caller to close.
	wholesale(ctx context.Context) (*sql.DB, error)
	// snapshot is the isolation in which all reads of a transaction are of one moment.
	snapshot() sql.IsolationLevel
	// fill inserts rows until next returns none, and returns how many. It is called within
	// the connection's transaction.
	fill(ctx context.Context, c *sql.Conn, table string, columns []string, next func() ([]any, error)) (int64, error)
}

// ErrNotEmpty means that a database can't be copied to, because it holds other things.
var ErrNotEmpty = errors.New("it holds data already, which is not the same as what is to be copied: name an empty database")

// unmoved are tables that stay where they are: they are about the database itself, and
// the counts of limits about an hour that is over sooner.
var unmoved = []string{"marks", "limit_counts", "limit_runs"}

// createTable finds the tables of the migrations: those they refer to come before them.
var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)

// Tables returns the names of all tables that a copy moves, each after those it refers to.
func Tables() ([]string, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql") // in the order of their numbers
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		text, err := migrationFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range createTable.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(unmoved, m[1]) {
				names = append(names, m[1])
			}
		}
	}
	return names, nil
}

// Copy copies everything from one database to another, which must be empty, in one
// transaction: all of it, or nothing. If all of it is there already, it is left as it is.
// progress is told how many rows of how many are copied. Nobody may write to either
// meanwhile. The counts of both are compared in the end.
func Copy(ctx context.Context, from, to *Store, progress func(rows, total int64)) ([]Copied, error) {
	source, ok := from.engine.(bulk)
	target, also := to.engine.(bulk)
	if !ok || !also {
		return nil, errors.New("one of the databases can't be copied")
	}
	in, err := source.wholesale(ctx)
	if err != nil {
		return nil, err
	}
	defer in.Close() //nolint:errcheck // it only reads
	out, err := target.wholesale(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // what was committed is committed
	tx, err := in.BeginTx(ctx, &sql.TxOptions{Isolation: source.snapshot()})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	names, err := Tables()
	if err != nil {
		return nil, err
	}
	want, err := counts(ctx, tx, names)
	if err != nil {
		return nil, err
	}
	have, err := counts(ctx, out, names)
	if err != nil {
		return nil, err
	}
	switch {
	case slices.Equal(have, want):
		return want, nil
	case total(have) > 0:
		return nil, ErrNotEmpty
	}
	c := &copying{from: tx, to: target, all: total(want), progress: progress}
	if err := c.run(ctx, out, names); err != nil {
		return nil, err
	}
	if have, err = counts(ctx, out, names); err == nil && !slices.Equal(have, want) {
		err = fmt.Errorf("the copy does not hold what was copied: %v and not %v", have, want)
	}
	return want, err
}

// asker is a database or a transaction.
type asker interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func counts(ctx context.Context, db asker, names []string) ([]Copied, error) {
	list := make([]Copied, len(names))
	for i, name := range names {
		list[i].Table = name
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+name).Scan(&list[i].Rows); err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", name, err)
		}
	}
	return list, nil
}

func total(list []Copied) (sum int64) {
	for _, c := range list {
		sum += c.Rows
	}
	return sum
}

type copying struct {
	from     asker
	to       bulk
	rows     int64
	all      int64
	progress func(rows, total int64)
}

func (c *copying) run(ctx context.Context, out *sql.DB, names []string) error {
	conn, err := out.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the transaction is over
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	for _, name := range names {
		if err := c.table(ctx, conn, name); err != nil {
			_, undo := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
			return errors.Join(fmt.Errorf("copy %s: %w", name, err), undo)
		}
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

func (c *copying) table(ctx context.Context, conn *sql.Conn, name string) error {
	text := "SELECT * FROM " + name
	if name == wordsTable.name { // the largest one, and the one whose rows lie in no order on a server
		text += " ORDER BY " + strings.Join(wordsTable.columns, ", ")
	}
	rows, err := c.from.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // its error is that of Err
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	_, err = c.to.fill(ctx, conn, name, columns, func() ([]any, error) {
		if !rows.Next() {
			return nil, rows.Err()
		}
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if c.rows++; c.progress != nil {
			c.progress(c.rows, c.all)
		}
		err := rows.Scan(into...)
		for i := range values {
			if b, isBytes := values[i].([]byte); values[i] == nil || isBytes && b == nil { // no column is nullable: SQLite's driver gives nil for no bytes
				values[i] = []byte{}
			}
		}
		return values, err
	})
	return errors.Join(err, rows.Err())
}

// wholesale implements bulk.
func (e *sqliteEngine) wholesale(ctx context.Context) (*sql.DB, error) {
	return openWriter(ctx, e.path())
}

// snapshot implements bulk: every transaction of SQLite is.
func (e *sqliteEngine) snapshot() sql.IsolationLevel { return sql.LevelDefault }

// fill implements bulk.
func (e *sqliteEngine) fill(ctx context.Context, c *sql.Conn, table string, columns []string, next func() ([]any, error)) (n int64, err error) {
	text := insertText("INSERT", rowTable{name: table, columns: columns}, 1)
	stmt, err := c.PrepareContext(ctx, text)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for {
		values, err := next()
		if err != nil || values == nil {
			return n, err
		}
		if _, err := stmt.ExecContext(ctx, values...); err != nil {
			return n, err
		}
		n++
	}
}
