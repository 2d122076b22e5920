package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the driver
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// File is the database's name within its folder.
const File = "rollcall.db"

// applicationID marks the file as ours ("rlcl"), so that no other program's database is written to.
const applicationID = 0x726c636c

// oldestSQLite is the first version without a defect in which a commit could be lost.
const oldestSQLite = "3.51.3"

// Exists tells whether the folder holds a database.
func Exists(dir string) (bool, error) {
	switch info, err := os.Stat(filepath.Join(dir, File)); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	default:
		return info.Size() > 0, nil
	}
}

// sqliteEngine is a database in a file of this machine, with one connection that writes.
type sqliteEngine struct {
	dir       string
	reader    *sql.DB
	readStmts *prepared
	quick     *sqliteReaders // of the reads that each request makes
	db        *sql.DB        // the one connection that writes
	conn      *sql.Conn
	stmt      *writerConn
	probe     *sql.DB // tries a write without waiting
	lock      *DirLock
	large     *sqliteLoad // of the open transaction; nil unless it adds very many rows
}

// openSQLite opens the database in a folder, makes it if there is none, and brings it up
// to this binary's version.
func openSQLite(ctx context.Context, o Options) (*sqliteEngine, error) {
	e := &sqliteEngine{dir: o.Dir, lock: o.Held}
	err := e.prepare(o)
	if err == nil {
		err = explain(e.path(), e.open(ctx, o))
	}
	if err != nil && e.lock != nil {
		err = errors.Join(err, e.lock.Release())
	}
	return e, err
}

// prepare sees to the folder before the database is opened.
func (e *sqliteEngine) prepare(o Options) error {
	if err := checkSQLite(); err != nil {
		return err
	}
	if err := prepareDir(o); err != nil {
		return err
	}
	if !o.Exclusive || e.lock != nil {
		return nil
	}
	lock, err := LockDir(o.Dir)
	e.lock = lock
	return err
}

func (e *sqliteEngine) open(ctx context.Context, o Options) error {
	db, err := openWriter(ctx, e.path())
	if err != nil {
		return err
	}
	// Of two that find the same step missing, only one may take it.
	if err := oneByOne(o.Dir, func() error { return migrateOnOpen(ctx, db, o) }); err != nil {
		return errors.Join(err, db.Close())
	}
	if e.conn, err = db.Conn(ctx); err != nil {
		return errors.Join(err, db.Close())
	}
	e.db, e.stmt = db, newWriterConn(e.conn)
	if e.reader, e.quick, err = openReaders(e.path()); err != nil {
		return errors.Join(err, e.closeWriter())
	}
	if e.probe, err = openProbe(e.path()); err != nil {
		return errors.Join(err, e.reader.Close(), e.closeWriter()) // quick has nothing open yet
	}
	e.readStmts = newPrepared(e.reader)
	if err := e.ping(ctx); err != nil {
		return errors.Join(err, e.closeReaders(), e.closeWriter())
	}
	return nil
}

func (e *sqliteEngine) path() string { return filepath.Join(e.dir, File) }

// reads implements engine.
func (e *sqliteEngine) reads() sqlgen.DBTX { return e.readStmts }

// read implements engine.
func (e *sqliteEngine) read(_ context.Context, batch []*read) { e.quick.read(batch) }

// meaning implements engine: SQLite waits by itself where waiting helps.
func (e *sqliteEngine) meaning(error) meaning { return final }

// limits implements engine: SQLite has one writer, and readers that never wait for it.
func (e *sqliteEngine) limits() engineLimits {
	return engineLimits{transactions: 1, free: 1, runs: cap(e.quick.free), together: 8}
}

func (e *sqliteEngine) closeReaders() error {
	return errors.Join(e.quick.close(), e.readStmts.close(), e.reader.Close(), e.probe.Close())
}

func (e *sqliteEngine) closeWriter() error {
	return errors.Join(e.stmt.close(), e.conn.Close(), e.db.Close())
}

// close implements engine. The readers go first: the connection that is closed last folds
// the log into the file, and one that may only read can't.
func (e *sqliteEngine) close() error {
	err := errors.Join(e.closeReaders(), e.closeWriter())
	if e.lock != nil {
		err = errors.Join(err, e.lock.Release())
	}
	return err
}

// ping implements engine. SQLite also opens a file that it may not write, and says so
// only when it is written to. That somebody else is writing at the moment, as in a long
// import, is no failure and not waited for: it is no reason to send readers away.
func (e *sqliteEngine) ping(ctx context.Context) error {
	if _, err := sqlgen.New(e.readStmts).ListPageKeys(bounded(ctx)); err != nil {
		return err
	}
	_, err := e.probe.ExecContext(ctx, tryWrite)
	if primaryCode(err) == sqlite3.SQLITE_BUSY {
		return nil
	}
	return err
}

// begin implements engine.
func (e *sqliteEngine) begin(ctx context.Context) (*tx, error) {
	if _, err := e.stmt.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	return newTx(sqliteSession{e}), nil
}

// idle implements engine: it copies the log into the database while nobody waits. Until
// then every reader looks for each page in the log first, which makes a read half as dear
// again. A failure is of no consequence: the next commit meets it, and tells somebody.
func (e *sqliteEngine) idle() {
	_, _ = e.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
}

// sqliteSession is the one transaction that may be open. Nothing is put off in it: a
// statement costs no way to a server.
type sqliteSession struct{ e *sqliteEngine }

func (s sqliteSession) now() sqlgen.DBTX { return s.e.stmt }

func (s sqliteSession) later(explain func(error) error) sqlgen.DBTX {
	if explain == nil {
		return s.e.stmt
	}
	return explained{s.e.stmt, explain}
}

func (s sqliteSession) foresee(context.Context, ident.AccountID, []ident.UserID) (*head, map[ident.UserID]sqlgen.GetStandingRow, error) {
	return nil, nil, nil
}

func (s sqliteSession) flush(context.Context) error { return nil }

func (s sqliteSession) cause(err error) error { return err }

func (s sqliteSession) commit(ctx context.Context) error {
	defer s.unload()
	_, err := s.e.stmt.ExecContext(ctx, "COMMIT")
	return err
}

func (s sqliteSession) rollback() {
	defer s.unload()
	// Fails where SQLite has rolled back by itself, as on a full disk: then all is well.
	_, _ = s.e.stmt.ExecContext(context.Background(), "ROLLBACK")
}

// explained says of a failed statement what the failure means.
type explained struct {
	sqlgen.DBTX

	explain func(error) error
}

// ExecContext implements sqlgen.DBTX.
func (x explained) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r, err := x.DBTX.ExecContext(ctx, query, args...)
	if err != nil {
		err = x.explain(err)
	}
	return r, err
}

// prepareDir makes the folder and the file so that only their owner reads them.
func prepareDir(o Options) error {
	path := filepath.Join(o.Dir, File)
	exists, err := Exists(o.Dir)
	switch {
	case err != nil:
		return fmt.Errorf("open the database: %w", err)
	case exists:
		return nil
	case o.MustExist:
		return fmt.Errorf("there is no database in %s: name the folder with --data, or make one with 'rollcall admin migrate --data %s'", o.Dir, o.Dir)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make the database file: %w", err)
	}
	return f.Close()
}

// openWriter opens the one connection that writes. Under load the log is folded into
// the database every 4000 pages: four times fewer folds than SQLite's own measure, and
// still within the first part of the log's index, so that readers pay no more. When
// nobody writes it is folded at once. The file's journal is the write-ahead
// log: migrateOnOpen sees to that, once the file is known to be ours.
func openWriter(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "busy_timeout(5000)", "synchronous(FULL)", "foreign_keys(1)",
		cacheUsual, "wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "temp_store("+tempStore()+")"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openReaders opens the connections that only read: half of them for the reads of each request,
// which are many and the same, and a pool for all others. Two connections more than cores are
// enough: a read holds one for microseconds. A page of their caches takes 8 KiB of memory, twice
// what is said here, as the allocator under SQLite rounds up to powers of two.
func openReaders(path string) (*sql.DB, *sqliteReaders, error) {
	name := dsn(path, "busy_timeout(5000)", "query_only(1)", "cache_size(-1000)", "temp_store(MEMORY)")
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, nil, err
	}
	n := runtime.GOMAXPROCS(0) + 2
	quick := newSQLiteReaders(n/2, func() (driver.Conn, error) { return db.Driver().Open(name) })
	db.SetMaxOpenConns(n - n/2)
	db.SetMaxIdleConns(n - n/2)
	return db, quick, nil
}

// openProbe opens the one connection that tries whether a write would be taken.
func openProbe(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "busy_timeout(0)", "cache_size(-100)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": pragmas}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func checkSQLite() error {
	if older(sqlite3.SQLITE_VERSION, oldestSQLite) {
		return fmt.Errorf("this binary was built with SQLite %s: versions before %s can lose commits; build it with a newer one",
			sqlite3.SQLITE_VERSION, oldestSQLite)
	}
	return nil
}

// older compares dotted versions of three numbers.
func older(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, _ := strconv.Atoi(as[i])
		y, _ := strconv.Atoi(bs[i])
		if x != y {
			return x < y
		}
	}
	return len(as) < len(bs)
}

// explain says what a failure to open means and what to do about it.
func explain(path string, err error) error {
	switch primaryCode(err) {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%s is not a SQLite database, or is damaged at its start: restore a copy with 'rollcall admin restore': %w", path, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR: // our statements are right: the schema is not
		return fmt.Errorf("%s is damaged: restore a copy with 'rollcall admin restore': %w", path, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%s is locked by another program: end that program and try again: %w", path, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%s can't be written: give this user write permission on the file and its folder: %w", path, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk that holds %s is full: free some space and try again: %w", path, err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%s could not be read or written: look at the disk that holds it, and at the space left there, and try again: %w", path, err)
	}
	return err
}
