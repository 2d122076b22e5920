package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// ErrNewer means that the database was written by a newer rollcall.
var ErrNewer = errors.New("the database is newer than this rollcall: use the version that wrote it, or a newer one")

// ErrOutdated means that the database needs a migration that was not allowed now.
var ErrOutdated = errors.New("the database needs a migration: run 'rollcall admin migrate'")

var errForeign = errors.New("the file is the database of another program: name another folder with --data")

// Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied time.Time // zero = not yet
}

func migrator(db *sql.DB) (*goose.Provider, error) {
	files, err := sqliteFiles()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(database.DialectSQLite3, db, files)
}

// migrateOnOpen checks that the file is ours and of a version we know, and applies
// what is missing.
func migrateOnOpen(ctx context.Context, db *sql.DB, o Options) error {
	current, err := schemaVersion(ctx, db)
	if err != nil {
		return err
	}
	// Only now: this writes to the file, and another program's is left as it is.
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	m, err := migrator(db)
	if err != nil {
		return err
	}
	sources := m.ListSources()
	newest := sources[len(sources)-1].Version
	switch {
	case current > newest:
		return fmt.Errorf("%w (it is at version %d, this one knows %d)", ErrNewer, current, newest)
	case current == newest:
		return nil
	case o.NoMigrate:
		return fmt.Errorf("%w (it is at version %d, this one wants %d)", ErrOutdated, current, newest)
	}
	// First of all: a file in which a migration was cut short is ours to go on with.
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	if _, err := m.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database from version %d to %d: %w", current, newest, err)
	}
	return nil
}

// schemaVersion returns the schema's version, 0 for an empty file, and refuses a
// database of another program. It reads goose's table itself: asking goose would
// make the table.
func schemaVersion(ctx context.Context, db *sql.DB) (int64, error) {
	var owner, tables int64
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&owner); err != nil {
		return 0, err
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return 0, err
	}
	if owner != applicationID && (owner != 0 || tables != 0) {
		return 0, errForeign
	}
	var versioned bool
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = 'goose_db_version'").Scan(&versioned)
	if err != nil || !versioned {
		return 0, err
	}
	var version int64
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&version)
	return version, err
}

// Migrations returns every step this binary knows and when it was applied.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	list, err := s.engine.migrations(ctx)
	return list, classify("read migrations", err)
}

// migrations implements engine.
func (e *sqliteEngine) migrations(ctx context.Context) ([]Migration, error) {
	db, err := openWriter(ctx, e.path())
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // it only reads
	m, err := migrator(db)
	if err != nil {
		return nil, err
	}
	return migrationsOf(ctx, m)
}

func migrationsOf(ctx context.Context, m *goose.Provider) ([]Migration, error) {
	status, err := m.Status(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Migration, len(status))
	for i, st := range status {
		list[i] = Migration{Version: st.Source.Version, Name: st.Source.Path, Applied: st.AppliedAt}
	}
	return list, nil
}
