package store

import (
	"bytes"
	"context"
	"embed"
	"io"
	"io/fs"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// engine is what differs between databases: how they are opened, how a transaction
// begins and ends, and what their errors mean.
type engine interface {
	// reads is what reads go through: each statement by itself.
	reads() sqlgen.DBTX
	// read runs some of the reads that each request makes, at once, and sets the error of each. It
	// is called by at most limits().runs callers at once, with at most limits().together reads.
	read(ctx context.Context, batch []*read)
	// begin opens a transaction. It is called by at most limits().transactions callers at once.
	begin(ctx context.Context) (*tx, error)
	// ping fails unless the database answers and can be written to.
	ping(ctx context.Context) error
	// meaning says what a failure means for whoever met it.
	meaning(err error) meaning
	migrations(ctx context.Context) ([]Migration, error)
	limits() engineLimits
	// idle is called when nobody has written for a moment.
	idle()
	close() error
}

// engineLimits is what may go on at once.
type engineLimits struct {
	transactions int  // of any kind
	free         int  // of work that changes no account
	reads        int  // 0 = as many as are asked for
	runs         int  // of the reads that each request makes
	together     int  // reads of one run
	unheard      bool // whether a commit may be made that nobody hears of
}

// meaning is what a failure of the database calls for.
type meaning int

const (
	// final: it would fail again.
	final meaning = iota
	// clashed: it was undone because of what another transaction did, and may be done again.
	clashed
	// cut: the connection failed before anything was written, or while only reading.
	cut
	// unknown: the connection failed while committing: nobody can tell the outcome.
	unknown
)

// session is an open transaction of an engine.
type session interface {
	// now runs statements at once.
	now() sqlgen.DBTX
	// later runs statements at the latest before the next one of now, or at the commit. If
	// one fails then, the transaction fails, with what explain (if any) makes of the error.
	later(explain func(error) error) sqlgen.DBTX
	// foresee takes hold of an account and reads people of it at once; a nil head means that
	// nothing is gained by that here, and nothing was done.
	foresee(ctx context.Context, account ident.AccountID, people []ident.UserID) (*head, map[ident.UserID]sqlgen.GetStandingRow, error)
	// standing is GetStanding.
	standing(ctx context.Context, account ident.AccountID, id ident.UserID) (sqlgen.GetStandingRow, error)
	// insert adds rows to a table, as many at once as the database takes, and returns how many. Where a row is there
	// already, it stays if the table is patient; else that is the error, and so many of the rows before it are still
	// written. A row is the callee's until the next one is asked for; they may be asked for again.
	insert(ctx context.Context, table rowTable, rows iter.Seq[[]any]) (int, error)
	// load prepares for very many people, before each batch of them: so many were added in this transaction, so many
	// are coming, and more. What it puts off is done by loaded, which must be called before the commit.
	load(ctx context.Context, added, coming int) error
	loaded(ctx context.Context) error
	// flush runs what was put off.
	flush(ctx context.Context) error
	// cause returns why the transaction failed, for somebody who only met that it had.
	cause(err error) error
	commit(ctx context.Context) error
	rollback()
}

//go:embed migrations/*.sql
var migrationFiles embed.FS

var (
	// sqliteOnly marks text that SQLite is to read and other databases are to skip. It
	// says what only SQLite needs to be told: that a table lies in the order of its primary
	// key, which saves every write and every look-up by key a second tree.
	sqliteOnly = regexp.MustCompile(`/\* sqlite: (.*?) \*/`)
	// notSQLite marks lines that SQLite is to skip: it can't take a part of a table away, and gets another table instead.
	notSQLite = regexp.MustCompile(`(?m)^.* -- not sqlite$`)
	// textColumn finds a column of text. SQLite sorts text by its bytes; PostgreSQL by the
	// language of the database, unless it is told for each column.
	textColumn = regexp.MustCompile(`\btext(\s+NOT NULL)`)
)

// sqliteFiles returns the migrations as SQLite reads them.
func sqliteFiles() (fs.FS, error) {
	return migrationsAs(func(text []byte) []byte {
		return sqliteOnly.ReplaceAll(notSQLite.ReplaceAll(text, nil), []byte("$1"))
	})
}

// plainFiles returns the migrations as they are, for engines that speak PostgreSQL's
// language, sort text by its bytes anyway, and know no "C".
func plainFiles() (fs.FS, error) {
	return migrationsAs(func(text []byte) []byte { return text })
}

// postgresFiles returns the migrations as PostgreSQL reads them.
func postgresFiles() (fs.FS, error) {
	return migrationsAs(func(text []byte) []byte { return textColumn.ReplaceAll(text, []byte(`text COLLATE "C"$1`)) })
}

// forUpdate ends a statement whose rows nobody else may change before the transaction
// ends. SQLite's transactions have the whole database to themselves and no word for it.
const forUpdate = "FOR UPDATE"

// sqliteText is a statement as SQLite reads it.
func sqliteText(query string) string {
	return unnamed(strings.TrimSuffix(strings.TrimRight(query, "\n"), forUpdate))
}

var place = regexp.MustCompile(`\$\d+`)

// unnamed takes the numbers from the places of a statement that has each once and in order. SQLite's
// driver looks up what each is named, for each run.
func unnamed(query string) string {
	n := 0
	for _, name := range place.FindAllString(query, -1) {
		if n++; name != "$"+strconv.Itoa(n) {
			return query
		}
	}
	return place.ReplaceAllLiteralString(query, "?")
}

func migrationsAs(edit func([]byte) []byte) (fs.FS, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	return dialectFS{files, edit}, err
}

// dialectFS shows files as a database reads them.
type dialectFS struct {
	fs.FS

	edit func([]byte) []byte
}

// Open implements fs.FS.
func (d dialectFS) Open(name string) (fs.File, error) {
	file, err := d.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		return file, err
	}
	text, err := io.ReadAll(file)
	return &dialectFile{File: file, text: bytes.NewReader(d.edit(text))}, err
}

type dialectFile struct {
	fs.File
	text *bytes.Reader
}

// Read implements fs.File.
func (f *dialectFile) Read(p []byte) (int, error) { return f.text.Read(p) }
