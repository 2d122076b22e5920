package testkit

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"

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
