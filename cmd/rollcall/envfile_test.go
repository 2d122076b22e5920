package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/config"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// leavesOnly checks that nothing else is left in the file's folder.
func leavesOnly(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("the folder holds %v, error %v; want %s alone", entries, err, filepath.Base(path))
	}
}

func TestSecretIsHandedOverOrNothingHappens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept.env")
	if err := os.WriteFile(kept, []byte("OTHER=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	t.Run("the file can't be written", func(t *testing.T) {
		t.Parallel()
		_, err := handOver(filepath.Join(dir, "none", "x.env"), func() (credentials, error) {
			t.Error("a secret was made")
			return credentials{}, nil
		})
		if err == nil {
			t.Error("got no error")
		}
	})
	t.Run("no secret is made", func(t *testing.T) {
		t.Parallel()
		refused := errors.New("refused")
		_, err := handOver(kept, func() (credentials, error) { return credentials{}, refused })
		if !errors.Is(err, refused) || errors.Is(err, errSecretLost) {
			t.Errorf("got error %v", err)
		}
		leavesOnly(t, kept)
	})
	t.Run("the secret is lost", func(t *testing.T) {
		t.Parallel()
		gone := filepath.Join(t.TempDir(), "gone")
		if err := os.Mkdir(gone, 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := handOver(filepath.Join(gone, "x.env"), func() (credentials, error) {
			return credentials{Secret: oauth.GivenSecret("lost")}, os.RemoveAll(gone)
		})
		if !errors.Is(err, errSecretLost) || strings.Contains(err.Error(), "lost\n") {
			t.Errorf("got error %v, want %v", err, errSecretLost)
		}
		d := &desk{command: &adminCmd{Database: config.Database{Data: "/d"}}}
		hint := d.afterHandOver(err, "A", "C").Error()
		if want := "'rollcall admin app rotate C --account A --data /d'"; !strings.HasSuffix(hint, want) {
			t.Errorf("got %q, want it to end in %s", hint, want)
		}
	})
}
