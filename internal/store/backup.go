package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrNotEmbedded means that the database is a server's, which has its own ways.
var ErrNotEmbedded = errors.New("the database is a PostgreSQL server's: copy it with pg_dump or pg_basebackup, and restore it with pg_restore")

// Backup writes a consistent copy of the live database to a new file that only its
// owner can read. It refuses to overwrite. Writers and readers go on meanwhile.
func (s *Store) Backup(ctx context.Context, to string) error {
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		return ErrNotEmbedded
	}
	if err := newPrivateFile(to); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already: name a new file", to)
	} else if err != nil {
		return fmt.Errorf("make the copy: %w", err)
	}
	if err := vacuumInto(ctx, e.path(), to); err != nil {
		return errors.Join(fmt.Errorf("copy the database to %s: %w", to, err), os.Remove(to))
	}
	return errors.Join(syncFile(to), syncFile(filepath.Dir(to)))
}

// newPrivateFile makes an empty file that only its owner can read; fs.ErrExist if there is one.
func newPrivateFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// vacuumInto copies in one read transaction, so the copy is of one moment.
func vacuumInto(ctx context.Context, from, to string) error {
	db, err := sql.Open("sqlite", dsn(from, "busy_timeout(5000)"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", to)
	return errors.Join(err, db.Close())
}

// Restore puts a copy that Backup made in the place of the folder's database. The
// folder must not be in use. The copy is checked as a whole first; the database that
// was there is kept beside it, and its new name is returned ("" if there was none).
func Restore(ctx context.Context, dir, from string, now time.Time) (kept string, err error) {
	if err := check(ctx, from); err != nil {
		return "", fmt.Errorf("%s can't be restored: %w", from, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the data folder: %w", err)
	}
	lock, err := LockDir(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	path := filepath.Join(dir, File)
	incoming := path + ".incoming"
	if err := copyWhole(ctx, from, incoming); err != nil {
		return "", errors.Join(fmt.Errorf("copy into the data folder: %w", err), os.Remove(incoming))
	}
	if kept, err = setAside(ctx, path, now); err != nil {
		return "", err
	}
	if err := os.Rename(incoming, path); err != nil {
		return kept, fmt.Errorf("put the copy in place: %w", err)
	}
	return kept, syncFile(dir)
}

// check opens a copy read-only and goes through all of it.
func check(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // it only reads
	version, err := schemaVersion(ctx, db)
	if err != nil {
		return explain(path, err)
	}
	if version == 0 {
		return errors.New("it holds no rollcall database")
	}
	m, err := migrator(db)
	if err != nil {
		return err
	}
	sources := m.ListSources()
	if newest := sources[len(sources)-1].Version; version > newest {
		return fmt.Errorf("%w (it is at version %d, this one knows %d)", ErrNewer, version, newest)
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return explain(path, err)
	}
	if verdict != "ok" {
		return fmt.Errorf("it is damaged: %s", verdict)
	}
	return nil
}

// setAside renames the present database after folding its log into it.
func setAside(ctx context.Context, path string, now time.Time) (string, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	// A damaged database is replaced all the same: that is what restoring is for.
	if db, err := openWriter(ctx, path); err == nil {
		_, _ = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		_ = db.Close()
	}
	kept := path + ".replaced-" + now.UTC().Format("20060102T150405.000000Z")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, kept+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("set the present database aside: %w", err)
		}
	}
	return kept, nil
}

// copyWhole copies a database with what its log still holds: from may be one that is in
// use, whose file alone is some way behind.
func copyWhole(ctx context.Context, from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // left by a restore that was cut short
	}
	if err := newPrivateFile(to); err != nil {
		return err
	}
	if err := vacuumInto(ctx, from, to); err != nil {
		return err
	}
	return syncFile(to)
}

// syncFile brings a file, or a folder's list of files, to the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
