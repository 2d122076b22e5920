package store_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/store/storetest"
)

// opened opens a database as a second process would, beside others.
func opened(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	o.Rand = rand.Reader
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// few is how many connections each handle of the suite has.
const few = 6

// migrated makes a database with nothing in it, ready for use.
func migrated(t *testing.T, server *pgtest.Server, settings ...string) string {
	t.Helper()
	return server.Recycled(t, "migrated", func(ctx context.Context, url string) error {
		s, err := store.Open(ctx, store.Options{URL: url, Rand: rand.Reader})
		if err != nil {
			return err
		}
		return s.Close()
	}, []string{"rollcall_migrations", "rollcall_migration_lock"}, settings...)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Opened {
		dir := t.TempDir()
		return storetest.Opened{Store: opened(t, store.Options{Dir: dir}), Peer: opened(t, store.Options{Dir: dir})}
	})
}

const serializable = "default_transaction_isolation = serializable"

func TestConformanceOfPostgres(t *testing.T) {
	t.Parallel()
	for _, version := range pgtest.Versions() {
		for name, settings := range map[string][]string{"": nil, " serializable": {serializable}} {
			t.Run(string(version)+name, func(t *testing.T) {
				t.Parallel()
				storetest.Run(t, func(t *testing.T) storetest.Opened {
					server := pgtest.Shared(t, version)
					o := store.Options{URL: server.URL(migrated(t, server, settings...)), Connections: few}
					return storetest.Opened{Store: opened(t, o), Peer: opened(t, o)}
				})
			})
		}
	}
}

// TestConformanceBehindAPooler: behind PgBouncer in transaction mode, a statement prepared
// on one connection is not there on the next.
func TestConformanceBehindAPooler(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_describe", "exec"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) storetest.Opened {
				server := pgtest.Shared(t, pgtest.Oldest)
				url := server.Pooler(t).URL(migrated(t, server)) + "&default_query_exec_mode=" + mode
				o := store.Options{URL: url, Connections: few}
				return storetest.Opened{Store: opened(t, o), Peer: opened(t, o)}
			})
		})
	}
}
