package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// shared holds the servers that the tests of this process share: one of each version.
var shared sync.Map // Version to func() (*Server, error)

// Shared returns the process's server of a version, started when it is first asked for
// and ended with the process. It does not wait for the disk. Whoever kills a server, or
// changes its settings, starts their own with Own.
func Shared(tb testing.TB, v Version) *Server {
	tb.Helper()
	start, _ := shared.LoadOrStore(v, sync.OnceValues(func() (*Server, error) {
		return Launch(context.Background(), Options{Version: v})
	}))
	s, err := start.(func() (*Server, error))()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// End ends the servers and poolers of the process before it ends itself, for a TestMain
// that looks for what was left. Nothing may use them any more.
func End() {
	shared.Range(func(_, start any) bool {
		if s, err := start.(func() (*Server, error))(); err == nil {
			_ = s.Close()
		}
		return true
	})
	poolers.Range(func(_, start any) bool {
		if p, err := start.(func() (*Pooler, error))(); err == nil {
			_ = p.Close()
		}
		return true
	})
}

// Own starts a server for one test, and ends it with it.
func Own(tb testing.TB, o Options) *Server {
	tb.Helper()
	s, err := Launch(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("end PostgreSQL: %v", err)
		}
	})
	return s
}

// Create makes an empty database, owned by Role, and returns its name. Each setting is
// as in ALTER DATABASE: "default_transaction_isolation = serializable".
func (s *Server) Create(ctx context.Context, settings ...string) (string, error) {
	return s.create(ctx, "template0", settings)
}

func (s *Server) create(ctx context.Context, template string, settings []string) (string, error) {
	name := "t" + strings.ToLower(rand.Text())
	statements := []string{fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE %s", name, Role, template)}
	for _, set := range settings {
		statements = append(statements, "ALTER DATABASE "+name+" SET "+set)
	}
	return name, s.Admin(ctx, superuser, statements...)
}

// Drop removes a database, whoever uses it.
func (s *Server) Drop(ctx context.Context, name string) error {
	return s.Admin(ctx, superuser, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

// Database makes an empty database for a test, removed with it, and returns its name.
func (s *Server) Database(tb testing.TB, settings ...string) string {
	tb.Helper()
	return s.database(tb, "template0", settings)
}

// template is a database that others are copies of.
type template struct {
	once sync.Once
	name string
	err  error
}

// DatabaseLike makes a database as Database does, with everything in it that fill put
// into the first one of the same kind, which is then copied: that is much faster. fill
// gets that one's URL, and leaves no connection open.
func (s *Server) DatabaseLike(tb testing.TB, kind string, fill func(ctx context.Context, url string) error, settings ...string) string {
	tb.Helper()
	return s.database(tb, s.model(tb, kind, fill), settings)
}

func (s *Server) model(tb testing.TB, kind string, fill func(ctx context.Context, url string) error) string {
	tb.Helper()
	t, _ := s.templates.LoadOrStore(kind, &template{})
	model := t.(*template)
	model.once.Do(func() {
		ctx := context.Background() // the template outlives the test that comes first
		if model.name, model.err = s.Create(ctx); model.err == nil {
			model.err = fill(ctx, s.URL(model.name))
		}
	})
	if model.err != nil {
		tb.Fatalf("make the database %s: %v", kind, model.err)
	}
	return model.name
}

// Recycled makes a database as DatabaseLike does, for tests that come in dozens: making one
// takes a good part of a second. When the test is over its tables are emptied, but for those
// in keep, and the next test gets it.
func (s *Server) Recycled(tb testing.TB, kind string, fill func(ctx context.Context, url string) error, keep []string, settings ...string) string {
	tb.Helper()
	free, _ := s.used.LoadOrStore(strings.Join(append(settings, kind), "\n"), &spares{})
	pool := free.(*spares)
	name := pool.take()
	if name == "" {
		model := s.model(tb, kind, fill)
		var err error
		if name, err = s.create(tb.Context(), model, settings); err != nil {
			tb.Fatalf("make a database: %v", err)
		}
	}
	tb.Cleanup(func() {
		if err := s.empty(context.Background(), name, keep); err == nil {
			pool.put(name)
		}
	})
	return name
}

// spares are databases that are empty again.
type spares struct {
	mu    sync.Mutex
	names []string
}

func (s *spares) take() (name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.names); n > 0 {
		name, s.names = s.names[n-1], s.names[:n-1]
	}
	return name
}

func (s *spares) put(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names = append(s.names, name)
}

// empty deletes all rows of a database, in a moment or not at all.
func (s *Server) empty(ctx context.Context, name string, keep []string) error {
	return s.admin(ctx, name, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL ($1)", keep)
		if err != nil {
			return err
		}
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		batch.Queue("SET session_replication_role = replica") // no order among the tables
		batch.Queue("SET lock_timeout = 1000")
		for _, t := range tables {
			batch.Queue("DELETE FROM " + pgx.Identifier{t}.Sanitize())
		}
		return c.SendBatch(ctx, batch).Close()
	})
}

func (s *Server) database(tb testing.TB, template string, settings []string) string {
	tb.Helper()
	name, err := s.create(tb.Context(), template, settings)
	if err != nil {
		tb.Fatalf("make a database: %v", err)
	}
	tb.Cleanup(func() {
		if s.Pid() == 0 {
			return
		}
		if err := s.Drop(context.Background(), name); err != nil {
			tb.Errorf("remove a database: %v", err)
		}
	})
	return name
}
