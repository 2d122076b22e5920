package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/page"
)

// pragma sets something on the connection that writes.
func pragma(t *testing.T, s *Store, text string) {
	t.Helper()
	if _, err := file(s).conn.ExecContext(t.Context(), "PRAGMA "+text); err != nil {
		t.Fatal(err)
	}
}

// unavailable fails the test unless err tells clients to come back after that time, and
// hides from them what went wrong.
func unavailable(t *testing.T, err error, after time.Duration) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != fault.KindUnavailable || f.RetryAfter != after || f.Cause == nil {
		t.Fatalf("got error %#v, want Unavailable for %v with a cause", err, after)
	}
	if strings.Contains(f.Message, "SQL") || strings.Contains(f.Message, "/") {
		t.Errorf("the public words tell too much: %s", f.Message)
	}
}

// sickness is a way in which a database that serves can fail, and how it ends.
type sickness struct {
	after time.Duration
	begin func(t *testing.T, s *Store) (end func())
}

func sicknesses() map[string]sickness {
	return map[string]sickness{
		"full disk": {retryBroken, func(t *testing.T, s *Store) func() {
			// The smallest limit there is: the present size.
			pragma(t, s, "max_page_count = 1")
			return func() { pragma(t, s, "max_page_count = 1000000") }
		}},
		"read-only": {retryBroken, func(t *testing.T, s *Store) func() {
			only := func(value string) {
				pragma(t, s, "query_only = "+value)
				if _, err := file(s).probe.ExecContext(t.Context(), "PRAGMA query_only = "+value); err != nil {
					t.Error(err)
				}
			}
			only("1")
			return func() { only("0") }
		}},
		"locked by another process": {retryBusy, func(t *testing.T, s *Store) func() {
			pragma(t, s, "busy_timeout = 10")
			other := raw(t, file(s).path())
			if _, err := other.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
				t.Fatal(err)
			}
			return func() {
				if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
					t.Error(err)
				}
			}
		}},
	}
}

func TestSickDatabaseRecovers(t *testing.T) {
	t.Parallel()
	for name, sick := range sicknesses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTemp(t)
			account := newAccount(t, s)
			ids := crowd(t, s, account, 3)
			head, err := s.Head(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			end := sick.begin(t, s)
			for range 3 {
				unavailable(t, writeMuch(t, s), sick.after)
			}
			// Where there is room for nothing there is room for no change; and a lock that
			// somebody holds for a while keeps no reader away.
			if err := s.Ping(t.Context()); name != "read-only" && err != nil {
				t.Errorf("ready: got error %v, want none", err)
			} else if name == "read-only" {
				unavailable(t, err, sick.after)
			}
			users, err := s.Page(t.Context(), account, filter.Any, page.Position{}, 10)
			if err != nil || len(users) != len(ids) || users[0].State != directory.Active {
				t.Errorf("reading meanwhile: got %v and error %v, want all, unchanged", users, err)
			}
			end()
			if now, err := s.Head(t.Context(), account); err != nil || now != head {
				t.Errorf("got head %v (%v), want %v: something was half written", now, err, head)
			}
			if err := writeMuch(t, s); err != nil {
				t.Errorf("after it is well again: %v", err)
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// writeMuch changes somebody in one transaction with more than fits the pages there are.
func writeMuch(t *testing.T, s *Store) error {
	t.Helper()
	return s.free(t.Context(), "test", func(ctx context.Context, tx *tx) error {
		if err := tx.SetUserState(ctx, "ACCOUNT", "U00000", string(directory.Suspended)); err != nil {
			return err
		}
		for i := range 200 {
			if err := tx.InsertPageKey(ctx, int64(i), bytes.Repeat([]byte{7}, 1000), 1); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestNobodyPaysForOthersWaiting: when the database can't be had, all who wait are told
// at once, not each after a busy timeout of their own.
func TestNobodyPaysForOthersWaiting(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	pragma(t, s, "busy_timeout = 0")
	other := raw(t, file(s).path())
	if _, err := other.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	blamed, err := s.writer.transact([]*job{
		{done: make(chan struct{}), run: func(context.Context, *tx) error { t.Error("ran"); return nil }},
	})
	if err == nil || blamed {
		t.Errorf("got error %v and blamed = %t, want an error that is nobody's work's", err, blamed)
	}
}

func refusedToOpen(t *testing.T, dir string, words ...string) error {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Rand: rand.Reader, Exclusive: true})
	if err == nil {
		_ = s.Close()
		t.Fatal("it was opened")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not say %q: %v", w, err)
		}
	}
	// The folder is free again.
	lock, lockErr := LockDir(dir)
	if lockErr != nil {
		t.Fatal(lockErr)
	}
	return errors.Join(err, lock.Release())
}

// databaseFile makes a database with people in it and returns its folder and file.
func databaseFile(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	s := openDir(t, dir)
	crowd(t, s, newAccount(t, s), 500)
	closeStore(t, s)
	return dir, filepath.Join(dir, File)
}

func TestDamagedDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func([]byte) []byte{
		"header":           func(b []byte) []byte { copy(b, "not a database!!"); return b },
		"page size":        func(b []byte) []byte { b[16] = 3; return b },
		"schema":           func(b []byte) []byte { copy(b[100:], bytes.Repeat([]byte{0xff}, 200)); return b },
		"first page alone": func(b []byte) []byte { return b[:4096] },
		"half a page":      func(b []byte) []byte { return b[:2000] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, path := databaseFile(t)
			spoilt := spoil(readFile(t, path))
			if err := os.WriteFile(path, spoilt, 0o600); err != nil {
				t.Fatal(err)
			}
			_ = refusedToOpen(t, dir, path, "rollcall admin restore")
			if !bytes.Equal(spoilt, readFile(t, path)) {
				t.Error("the damaged file was written to")
			}
		})
	}
}

// TestDamageWithin: what is not read at the start shows when it is read, as a storage
// failure and not as a defect or as a wrong answer.
func TestDamageWithin(t *testing.T) {
	t.Parallel()
	dir, path := databaseFile(t)
	var root int64
	err := raw(t, path).QueryRowContext(t.Context(), "SELECT rootpage FROM sqlite_master WHERE name = 'users_listed'").Scan(&root)
	if err != nil {
		t.Fatal(err)
	}
	b := readFile(t, path)
	copy(b[(root-1)*4096:root*4096], bytes.Repeat([]byte{0xa5}, 4096))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s := openDir(t, dir)
	_, err = s.Page(t.Context(), "ACCOUNT", filter.Any, page.Position{}, 10)
	unavailable(t, err, retryBroken)
	if _, err := s.User(t.Context(), "ACCOUNT", "U00007"); err != nil {
		t.Errorf("what is sound can't be read: %v", err)
	}
	closeStore(t, s)
}

func TestOtherFilesAreRefused(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(t *testing.T, path string){
		"tables of another program": func(t *testing.T, path string) {
			exec(t, path, "CREATE TABLE songs (title text)", "INSERT INTO songs VALUES ('Blue')")
		},
		"migrations of another program": func(t *testing.T, path string) {
			exec(t, path, "CREATE TABLE goose_db_version (id integer PRIMARY KEY, version_id int, is_applied int, tstamp timestamp)",
				"INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, 1)")
		},
		"another application's mark": func(t *testing.T, path string) {
			exec(t, path, "PRAGMA application_id = 7")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, File)
			make(t, path)
			before := readFile(t, path)
			_ = refusedToOpen(t, dir, "another program", "--data")
			if !bytes.Equal(before, readFile(t, path)) {
				t.Error("the other program's file was written to")
			}
		})
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	dir, path := databaseFile(t)
	exec(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	if err := refusedToOpen(t, dir, "version 99"); !errors.Is(err, ErrNewer) {
		t.Errorf("got error %v, want %v", err, ErrNewer)
	}
}

func TestLockedWhileOpening(t *testing.T) {
	t.Parallel()
	err := explain("/data/rollcall.db", busy(t))
	if err == nil || !strings.Contains(err.Error(), "/data/rollcall.db is locked by another program") {
		t.Errorf("got error %v, want one that says what to do", err)
	}
}

// busy returns what SQLite says of a database that another connection holds.
func busy(t *testing.T) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	if _, err := raw(t, path).ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	_, err := raw(t, path).ExecContext(t.Context(), "BEGIN EXCLUSIVE")
	return err
}

func TestOpenRefusesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if s, err := Open(t.Context(), Options{Dir: dir, Rand: rand.Reader, MustExist: true}); err == nil || !strings.Contains(err.Error(), dir) {
		_ = s.Close()
		t.Errorf("got error %v, want one that names the folder", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), Options{Dir: file, Rand: rand.Reader}); err == nil || !strings.Contains(err.Error(), file) {
		_ = s.Close()
		t.Errorf("got error %v, want one that names the file", err)
	}
}

// TestOpenedByManyAtOnce: whoever comes first makes the schema, the others find it.
func TestOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	for range 5 {
		dir := t.TempDir()
		errs := make(chan error, 8)
		for range cap(errs) {
			go func() {
				s, err := Open(context.Background(), Options{Dir: dir, Rand: rand.Reader})
				if err == nil {
					err = s.Close()
				}
				errs <- err
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
}

func TestSchemaIsMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Open(t.Context(), Options{Dir: dir, Rand: rand.Reader, NoMigrate: true}); !errors.Is(err, ErrOutdated) {
		t.Errorf("got error %v, want %v", err, ErrOutdated)
	}
	// A migration that was cut short before its first step.
	exec(t, filepath.Join(dir, File), fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	s := openDir(t, dir)
	steps, err := s.Migrations(t.Context())
	if err != nil || len(steps) == 0 || steps[0].Version != 1 || steps[0].Applied.IsZero() {
		t.Errorf("got steps %+v and error %v, want the first, applied", steps, err)
	}
	closeStore(t, s)
	schema := func() (text string, steps int) {
		db := raw(t, filepath.Join(dir, File))
		defer db.Close()
		err := db.QueryRowContext(t.Context(),
			"SELECT (SELECT group_concat(sql) FROM sqlite_master), (SELECT count(*) FROM goose_db_version)").Scan(&text, &steps)
		if err != nil {
			t.Fatal(err)
		}
		return text, steps
	}
	text, n := schema()
	closeStore(t, openDir(t, dir))
	again, m := schema()
	if diff := cmp.Diff([]any{text, n}, []any{again, m}); diff != "" {
		t.Errorf("opening again changed the schema (-first +second):\n%s", diff)
	}
}
