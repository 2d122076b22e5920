package store

import (
	"context"
	"errors"
	"io"

	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// Options says how to open a database: a folder, or a server's. Rand is required, and
// one of Dir and URL.
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

	// URL names a PostgreSQL database: postgres://USER@HOST/DATABASE. What it leaves out
	// is taken from the variables and files that PostgreSQL's own programs read.
	URL string
	// Connections is how many connections to the server are open at most; 0 = DefaultConnections.
	Connections int
}

// Open opens a database, makes it if there is none, and brings it up to this binary's
// version. It refuses a folder another server holds, a database newer than this binary,
// and one that is not ours; the error says which and what to do.
func Open(ctx context.Context, o Options) (*Store, error) {
	e, err := openEngine(ctx, o)
	if err != nil {
		return nil, err
	}
	limits := e.limits()
	s := &Store{rand: o.Rand, engine: e, reads: sqlgen.New(e.reads()), writer: newWriter(e)}
	if limits.reads > 0 {
		s.turns = make(chan struct{}, limits.reads)
	}
	s.gatherer = newGatherer(limits.runs, limits.together, s.runReads)
	return s, nil
}

func openEngine(ctx context.Context, o Options) (engine, error) {
	switch {
	case o.URL != "" && o.Dir != "":
		return nil, errors.New("a folder and a database's URL are both named: name one")
	case o.URL != "":
		return openPostgres(ctx, o)
	}
	return openSQLite(ctx, o)
}
