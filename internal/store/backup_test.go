package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// busyWith changes people until the returned function is called, which tells the error.
func busyWith(s *Store, account ident.AccountID, ids []ident.UserID) (started <-chan struct{}, stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	begun, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			if err := toggle(context.Background(), s, account, ids[i%len(ids)], morning.Add(time.Duration(i)*time.Millisecond)); err != nil {
				done <- err
				return
			}
			if i == 10 {
				close(begun)
			}
		}
		done <- nil
	}()
	return begun, func() error { cancel(); return <-done }
}

func TestBackupOfALiveDatabase(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	account := newAccount(t, s)
	ids := crowd(t, s, account, 300)
	started, stop := busyWith(s, account, ids)
	<-started
	before, err := s.Head(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "it's a copy; really.db")
	if err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), file); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("got error %v, want a refusal to overwrite", err)
	}
	if err := stop(); err != nil {
		t.Errorf("writing meanwhile: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v (%v), want 0600", info.Mode(), err)
	}

	dir := filepath.Join(t.TempDir(), "new", "data")
	kept, err := Restore(t.Context(), dir, file, morning)
	if err != nil || kept != "" {
		t.Fatalf("got %q and error %v, want a restored folder", kept, err)
	}
	restored := openDir(t, dir)
	defer closeStore(t, restored)
	report, err := audit.Verify(t.Context(), restored, account)
	if err != nil || len(report.Problems) != 0 || report.Changes < before.Seq {
		t.Errorf("got %+v and error %v, want a sound record of at least %d changes", report, err, before.Seq)
	}
	if err := toggle(t.Context(), restored, account, ids[0], morning); err != nil {
		t.Errorf("writing to the restored database: %v", err)
	}
}

func TestBackupLeavesNothingHalfMade(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	if err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "nowhere", "copy.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want %v", err, fs.ErrNotExist)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file := filepath.Join(t.TempDir(), "copy.db")
	if err := s.Backup(ctx, file); err == nil {
		t.Error("a copy nobody waits for was made")
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was left: %v", err)
	}
}

// copied returns a copy made by Backup.
func copied(t *testing.T) string {
	t.Helper()
	s := openTemp(t)
	crowd(t, s, newAccount(t, s), 300)
	file := filepath.Join(t.TempDir(), "copy.db")
	if err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		make func(t *testing.T, file string)
		says string
	}{
		"nothing":          {func(t *testing.T, file string) { remove(t, file) }, "no such file"},
		"an empty file":    {func(t *testing.T, file string) { write(t, file, nil) }, "no rollcall database"},
		"a text":           {func(t *testing.T, file string) { write(t, file, bytes.Repeat([]byte("text "), 1000)) }, "not a SQLite database"},
		"a truncated copy": {func(t *testing.T, file string) { write(t, file, readFile(t, file)[:40960]) }, "damaged"},
		"a damaged copy": {func(t *testing.T, file string) {
			b := readFile(t, file)
			copy(b[40960:], bytes.Repeat([]byte{0x5a}, 4096))
			write(t, file, b)
		}, "damaged"},
		"a foreign copy": {func(t *testing.T, file string) { remove(t, file); exec(t, file, "CREATE TABLE songs (title text)") }, "another program"},
		"a copy of a newer": {func(t *testing.T, file string) {
			exec(t, file, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
		}, "newer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := copied(t)
			tt.make(t, file)
			dir, path := recorded(t)
			before := readFile(t, path)
			kept, err := Restore(t.Context(), dir, file, morning)
			if err == nil || kept != "" || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), file) {
				t.Errorf("got %q and error %v, want one that says %q", kept, err, tt.says)
			}
			if !bytes.Equal(before, readFile(t, path)) {
				t.Error("the present database was touched")
			}
			closeStore(t, openDir(t, dir))
		})
	}
}

// TestRestoreOfADatabaseInUse: what its log still holds comes along.
func TestRestoreOfADatabaseInUse(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	s := openDir(t, from)
	defer closeStore(t, s)
	account := newAccount(t, s)
	reading, err := file(s).reader.BeginTx(t.Context(), nil) // keeps the log from being folded
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Rollback() //nolint:errcheck // it only reads
	var n int
	if err := reading.QueryRowContext(t.Context(), "SELECT count(*) FROM users").Scan(&n); err != nil {
		t.Fatal(err)
	}
	ids := crowd(t, s, account, 3)
	dir := t.TempDir()
	if _, err := Restore(t.Context(), dir, filepath.Join(from, File), morning); err != nil {
		t.Fatal(err)
	}
	restored := openDir(t, dir)
	defer closeStore(t, restored)
	if _, err := restored.User(t.Context(), account, ids[2]); err != nil {
		t.Errorf("what was in the log is lost: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, File)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v (%v), want 0600", info.Mode(), err)
	}
}

func TestRestoreRefusesAHeldFolder(t *testing.T) {
	t.Parallel()
	file := copied(t)
	dir, path := recorded(t)
	s, err := Open(t.Context(), Options{Dir: dir, Rand: rand.Reader, Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	before := readFile(t, path)
	if _, err := Restore(t.Context(), dir, file, morning); !errors.Is(err, ErrHeld) {
		t.Errorf("got error %v, want %v", err, ErrHeld)
	}
	if !bytes.Equal(before, readFile(t, path)) {
		t.Error("the present database was touched")
	}
	closeStore(t, s)
}

func TestRestoreKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func([]byte) []byte{
		"sound":   func(b []byte) []byte { return b },
		"damaged": func(b []byte) []byte { copy(b, "damaged damaged damaged"); return b },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := copied(t)
			dir, path := recorded(t)
			before := spoil(readFile(t, path))
			write(t, path, before)
			kept, err := Restore(t.Context(), dir, file, morning)
			if err != nil || !strings.HasPrefix(kept, path+".replaced-2026") {
				t.Fatalf("got %q and error %v", kept, err)
			}
			if !bytes.Equal(before, readFile(t, kept)) {
				t.Error("what was there is not what was kept")
			}
			s := openDir(t, dir)
			if n := len(everybody(t, s)); n != 300 {
				t.Errorf("got %d people, want the copy's 300", n)
			}
			closeStore(t, s)
		})
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
