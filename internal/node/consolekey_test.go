package node

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestConsoleKey: made once, for its owner alone, however many want it at once; what one
// process has sealed another opens.
func TestConsoleKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, keyFileName)
	sealed := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range sealed {
		wg.Go(func() {
			aead, err := (&consoleKey{path: path, rand: rand.Reader}).sealer()
			if err != nil {
				t.Error(err)
				return
			}
			sealed[i] = aead.Seal(nil, nil, []byte("secret"), []byte("account")) //nolint:gosec // the cipher makes its nonces itself
		})
	}
	wg.Wait()
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Fatal(info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v (%v)", left, err)
	}
	k := &consoleKey{path: path, rand: bytes.NewReader(nil)}
	for _, s := range sealed {
		aead, err := k.sealer()
		if err != nil {
			t.Fatal(err)
		}
		if clear, err := aead.Open(nil, nil, s, []byte("account")); err != nil || string(clear) != "secret" {
			t.Errorf("got %q, %v", clear, err)
		}
		if _, err := aead.Open(nil, nil, s, []byte("another")); err == nil {
			t.Error("opens for another account")
		}
	}
}

func TestConsoleKeyRefused(t *testing.T) {
	t.Parallel()
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("too short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{short, t.TempDir(), filepath.Join(t.TempDir(), "nowhere", "key")} {
		if _, err := (&consoleKey{path: path, rand: rand.Reader}).sealer(); err == nil {
			t.Errorf("%s serves as a key", path)
		}
	}
	path := filepath.Join(t.TempDir(), "key")
	if _, err := (&consoleKey{path: path, rand: bytes.NewReader(make([]byte, 5))}).sealer(); err == nil {
		t.Error("a key is made without chance")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("half a key is left")
	}
}
