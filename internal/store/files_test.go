package store

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

func everybody(t *testing.T, s *Store) []ident.UserID {
	t.Helper()
	var ids []ident.UserID
	if err := s.EachUser(t.Context(), "ACCOUNT", func(u directory.User) bool { ids = append(ids, u.ID); return true }); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestFolderIsHeldByOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := Options{Dir: dir, Rand: rand.Reader, Exclusive: true}
	s, err := Open(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), server); !errors.Is(err, ErrHeld) {
		t.Errorf("a second server: got error %v, want %v", err, ErrHeld)
	}
	beside := openDir(t, dir) // local administration
	newAccount(t, beside)
	closeStore(t, beside)
	if _, err := s.Account(t.Context(), "ACCOUNT"); err != nil {
		t.Errorf("what was made beside the server: %v", err)
	}
	closeStore(t, s)
	s, err = Open(t.Context(), server)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	closeStore(t, s)
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "data 100% #1?")
	s, err := Open(t.Context(), Options{Dir: dir, Rand: rand.Reader, Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	newAccount(t, s)
	got := map[string]fs.FileMode{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		got[filepath.Base(path)] = info.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{filepath.Base(dir): 0o700, File: 0o600, File + "-wal": 0o600, File + "-shm": 0o600, lockFile: 0o600}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
	closeStore(t, s)
}

// TestNoSecretOnDisk looks for everything secret in every byte that was written.
func TestNoSecretOnDisk(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	people, clients := services(t, s)
	ctx := t.Context()
	a, err := people.CreateAccount(ctx, operator, directory.Account{Name: "recognisable name"})
	if err != nil {
		t.Fatal(err)
	}
	given := oauth.GivenSecret("given-secret-of-a-seed-file")
	var secrets []string
	for _, secret := range []oauth.ClientSecret{{}, given} {
		app, clear, err := clients.Create(ctx, operator, oauth.Application{Account: a.ID, Name: "app", Permissions: 15}, secret)
		if err != nil {
			t.Fatal(err)
		}
		c, err := clients.AuthenticateClient(ctx, access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: clear.Reveal()}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			issued, err := clients.Issue(ctx, access.Caller{}, c)
			if err != nil {
				t.Fatal(err)
			}
			secrets = append(secrets, issued.AccessToken)
		}
		if err := clients.Revoke(ctx, access.Caller{}, c, secrets[len(secrets)-1]); err != nil {
			t.Fatal(err)
		}
		_, rotated, err := clients.Rotate(ctx, operator, a.ID, app.ID, oauth.MaxOverlap)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, clear.Reveal(), rotated.Reveal())
		// Mistakes people make: id and secret exchanged, the token as the id, the token sent on with a blank.
		for _, wrong := range []oauth.Credential{
			{ID: ident.ClientID(rotated.Reveal()), Secret: string(app.ID)}, {ID: ident.ClientID(secrets[0])}, {ID: app.ID, Secret: rotated.Reveal() + " "},
		} {
			if _, err := clients.AuthenticateClient(ctx, access.Caller{}, audit.TokenIssue, oauth.Credentials{wrong}); err == nil {
				t.Error("wrong credentials were accepted")
			}
		}
		if _, err := clients.Authenticate(ctx, access.Caller{}, secrets[len(secrets)-3], clients.Store); err == nil {
			t.Error("a client secret was accepted as a token")
		}
	}
	if err := clients.Journal.Close(ctx); err != nil {
		t.Fatal(err)
	}
	written := append(readFile(t, file(s).path()), readFile(t, file(s).path()+"-wal")...)
	if !bytes.Contains(written, []byte("recognisable name")) {
		t.Fatal("this test looks in the wrong place")
	}
	for _, secret := range secrets {
		if bytes.Contains(written, []byte(secret)) || bytes.Contains(written, []byte(secret[4:min(40, len(secret))])) {
			t.Errorf("%.8s... is on the disk in clear", secret)
		}
	}
}

func TestExists(t *testing.T) {
	t.Parallel()
	dir, path := databaseFile(t)
	if ok, err := Exists(dir); !ok || err != nil {
		t.Errorf("got %t and error %v, want true", ok, err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if ok, err := Exists(dir); ok || err != nil {
		t.Errorf("an empty file: got %t and error %v, want false", ok, err)
	}
	if ok, err := Exists(filepath.Join(dir, "nowhere")); ok || err != nil {
		t.Errorf("no folder: got %t and error %v, want false", ok, err)
	}
}
