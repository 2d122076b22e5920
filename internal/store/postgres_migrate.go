package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/jackc/pgx/v5/stdlib"
)

// The tables in which a server's database keeps its version, and whoever migrates it
// keeps others out. Their names mark the database as ours.
const (
	versionTable = "rollcall_migrations"
	lockTable    = "rollcall_migration_lock"
)

// stepSize is how many versions a major step of the schema has. Within a step each
// migration only adds what older binaries don't miss, so that old and new ones run side by
// side on one database. A migration that older ones can't live with is the first of a new
// step, and they refuse it: see docs/decisions/0013.
const stepSize = 1000

var errForeignServer = errors.New("the database holds tables of another program: name an empty database in --database")

var errNoTables = errors.New("there is no rollcall database here yet: make one with 'rollcall admin migrate --database URL'")

// patient opens a pool whose statements may take as long as they do: a migration of many
// rows is slow.
func (e *postgresEngine) patient() *sql.DB {
	config := e.config.Copy()
	config.DialFunc = dialer(config).DialContext
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(3) // one that migrates, one that says it is alive, one that asks
	return db
}

func (e *postgresEngine) migrator(db *sql.DB) (*goose.Provider, error) {
	read := postgresFiles
	if e.alike {
		read = plainFiles
	}
	files, err := read()
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresTableLocker(lock.WithTableName(lockTable), lock.WithTableLockTimeout(250*time.Millisecond, 480))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(database.DialectPostgres, db, files, goose.WithTableName(versionTable), goose.WithLocker(locker),
		goose.WithGoMigrations(wordsMigration()))
}

// migrate checks that the database is ours and of a version we know, and applies what is missing.
func (e *postgresEngine) migrate(ctx context.Context, o Options) (err error) {
	current, found, err := e.version(ctx)
	if err != nil {
		return err
	}
	db := e.patient()
	defer func() { err = errors.Join(err, db.Close()) }()
	m, err := e.migrator(db)
	if err != nil {
		return err
	}
	sources := m.ListSources()
	newest := sources[len(sources)-1].Version
	e.newest = newest
	switch {
	case !found && o.MustExist:
		return errNoTables
	case current/stepSize > newest/stepSize:
		return fmt.Errorf("%w (it is at version %d, this one knows %d)", ErrNewer, current, newest)
	case current >= newest:
		return nil
	case o.NoMigrate && found:
		return fmt.Errorf("%w (it is at version %d, this one wants %d)", ErrOutdated, current, newest)
	}
	up := func(ctx context.Context) error {
		_, err := m.Up(ctx)
		return err
	}
	if err := upPatiently(ctx, up, lockTries, lockPause); err != nil {
		return fmt.Errorf("migrate the database from version %d to %d: %w", current, newest, err)
	}
	return nil
}

const (
	// lockTries is how often a migration asks for a table that others use, and lockPause how long it then stands aside. It
	// waits for four seconds each time, for that long everybody else waits behind it.
	lockTries = 20
	lockPause = 3 * time.Second
)

// upPatiently applies what is missing, by up. Replicas that run meanwhile hold tables, an import for minutes: whoever waits
// for all of a table keeps everybody out who comes later.
func upPatiently(ctx context.Context, up func(context.Context) error, tries int, pause time.Duration) error {
	for {
		err := up(ctx)
		if tries--; tries == 0 || sqlState(err) != stateLocked {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// version returns the schema's version, and whether there is one, and refuses a database
// of another program.
func (e *postgresEngine) version(ctx context.Context) (version int64, found bool, err error) {
	var ours, others int64
	err = e.reader.QueryRowContext(ctx, `SELECT
		CAST(coalesce(sum(CASE WHEN tablename = $1 THEN 1 ELSE 0 END), 0) AS bigint),
		CAST(coalesce(sum(CASE WHEN tablename = $1 OR tablename = $2 THEN 0 ELSE 1 END), 0) AS bigint)
		FROM pg_catalog.pg_tables WHERE schemaname = current_schema()`, versionTable, lockTable).Scan(&ours, &others)
	switch {
	case err != nil:
		return 0, false, err
	case ours == 0 && others > 0:
		return 0, false, errForeignServer
	case ours == 0:
		return 0, false, nil
	}
	version, err = e.applied(ctx)
	return version, err == nil, err
}

func (e *postgresEngine) applied(ctx context.Context) (version int64, err error) {
	err = e.reader.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+versionTable+" WHERE is_applied").Scan(&version)
	return version, err
}

// checkStep fails when somebody has taken the database to a step that this binary does not know.
func (e *postgresEngine) checkStep(ctx context.Context) error {
	current, err := e.applied(ctx)
	if err != nil {
		return err
	}
	if current/stepSize > e.newest/stepSize {
		return fmt.Errorf("%w (it is at version %d, this one knows %d)", ErrNewer, current, e.newest)
	}
	return nil
}

// migrations implements engine.
func (e *postgresEngine) migrations(ctx context.Context) (list []Migration, err error) {
	db := e.patient()
	defer func() { err = errors.Join(err, db.Close()) }()
	m, err := e.migrator(db)
	if err != nil {
		return nil, err
	}
	return migrationsOf(ctx, m)
}
