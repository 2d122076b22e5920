package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the driver
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// File is the database's name within its folder.
const File = "rollcall.db"

// applicationID marks the file as ours ("rlcl"), so that no other program's database is written to.
const applicationID = 0x726c636c

// oldestSQLite is the first version without a defect in which a commit could be lost.
const oldestSQLite = "3.51.3"

// Options says how to open a database. Rand is required.
type Options struct {
	Dir  string
	Rand io.Reader // for entry ids
	// Exclusive holds the folder for this process alone: a server does, local
	// administration does not and works beside it.
	Exclusive bool
	// Held is a lock on the folder that the caller has taken already; the store
	// releases it when it closes, or when it can't be opened. Exclusive is implied.
	Held *DirLock
	// MustExist refuses to make a new database.
	MustExist bool
	// NoMigrate refuses a database that needs a migration instead of migrating it.
	NoMigrate bool
}

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

// Open opens the database in a folder, makes it if there is none, and brings it up
// to this binary's version. It refuses a folder another server holds, a database
// newer than this binary, and a file that is not ours; the error says which and
// what to do.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{dir: o.Dir, rand: o.Rand, lock: o.Held}
	err := s.prepare(o)
	if err == nil {
		err = explain(s.path(), s.open(ctx, o))
	}
	if err != nil && s.lock != nil {
		err = errors.Join(err, s.lock.Release())
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// prepare sees to the folder before the database is opened.
func (s *Store) prepare(o Options) error {
	if err := checkSQLite(); err != nil {
		return err
	}
	if err := prepareDir(o); err != nil {
		return err
	}
	if !o.Exclusive || s.lock != nil {
		return nil
	}
	lock, err := LockDir(o.Dir)
	s.lock = lock
	return err
}

func (s *Store) open(ctx context.Context, o Options) error {
	path := filepath.Join(o.Dir, File)
	db, err := openWriter(ctx, path)
	if err != nil {
		return err
	}
	// Of two that find the same step missing, only one may take it.
	if err := oneByOne(o.Dir, func() error { return migrateOnOpen(ctx, db, o) }); err != nil {
		return errors.Join(err, db.Close())
	}
	if s.writer, err = newWriter(ctx, db); err != nil {
		return errors.Join(err, db.Close())
	}
	if s.reader, err = openReaders(path); err != nil {
		return errors.Join(err, s.writer.close())
	}
	if s.probe, err = openProbe(path); err != nil {
		return errors.Join(err, s.writer.close(), s.reader.Close())
	}
	s.readStmts = newPrepared(s.reader)
	s.reads = sqlgen.New(s.readStmts)
	if err := s.tryOut(ctx); err != nil {
		return errors.Join(err, s.readStmts.close(), s.reader.Close(), s.probe.Close(), s.writer.close())
	}
	return nil
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
// nobody writes the writer folds it at once. The file's journal is the write-ahead
// log: migrateOnOpen sees to that, once the file is known to be ours.
func openWriter(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "busy_timeout(5000)", "synchronous(FULL)", "foreign_keys(1)",
		"cache_size(-10000)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "temp_store(MEMORY)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openReaders opens the pool that only reads. A handful of connections serves every
// core: a read holds one for microseconds.
func openReaders(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "busy_timeout(5000)", "query_only(1)", "cache_size(-1500)", "temp_store(MEMORY)"))
	if err != nil {
		return nil, err
	}
	n := runtime.GOMAXPROCS(0) + 4
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
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
