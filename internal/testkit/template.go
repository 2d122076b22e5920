package testkit

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/store"
)

// template is a new database file. It is made once for all tests of a process: the
// migrations take longer than most tests.
var template = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "rollcall-testkit-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := store.Open(context.Background(), store.Options{Dir: dir, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.File))
})

// prepare puts a new database into a folder that has none.
func prepare(dir string) error {
	switch exists, err := store.Exists(dir); {
	case err != nil:
		return err
	case exists:
		return nil
	}
	file, err := template()
	if err != nil {
		return fmt.Errorf("make a new database: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, store.File), file, 0o600)
}

// PostgresDatabase returns the URL of a new database, for Options.DatabaseURL, on a server of that
// version that all tests of the process share.
func PostgresDatabase(t testing.TB, v pgtest.Version) string {
	t.Helper()
	s := pgtest.Shared(t, v)
	return s.URL(s.Recycled(t, "rollcall", func(ctx context.Context, url string) error {
		st, err := store.Open(ctx, store.Options{URL: url, Rand: rand.Reader})
		if err != nil {
			return err
		}
		return st.Close()
	}, []string{"rollcall_migrations", "rollcall_migration_lock"}))
}
