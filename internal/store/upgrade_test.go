package store

import (
	"path/filepath"
	"testing"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// TestUpgrade: a database that is taken back to its first schema and upgraded again
// holds what it held: secrets work and tokens count.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openDir(t, dir)
	account := newAccount(t, s)
	_, clients := services(t, s)
	app, secret, err := clients.Create(t.Context(), operator, oauth.Application{Account: account, Name: "app", Permissions: 1}, oauth.ClientSecret{})
	if err != nil {
		t.Fatal(err)
	}
	creds := oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}}
	c, err := clients.AuthenticateClient(t.Context(), access.Caller{}, audit.TokenIssue, creds)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := clients.Issue(t.Context(), access.Caller{}, c)
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)

	db := raw(t, filepath.Join(dir, File))
	m, err := migrator(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.DownTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s = openDir(t, dir)
	defer closeStore(t, s)
	_, clients = services(t, s)
	if _, err := clients.Authenticate(t.Context(), access.Caller{}, issued.AccessToken, s); err != nil {
		t.Errorf("a token from before: %v", err)
	}
	if _, err := clients.AuthenticateClient(t.Context(), access.Caller{}, audit.TokenIssue, creds); err != nil {
		t.Errorf("a secret from before: %v", err)
	}
	if _, err := clients.RevokeTokens(t.Context(), operator, account, app.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Grant(t.Context(), oauth.HashOf(issued.AccessToken)); fault.KindOf(err) != fault.KindNotFound {
		t.Error("a token from before counts though all were ended")
	}
}
