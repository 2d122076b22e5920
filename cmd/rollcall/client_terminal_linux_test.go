package main

import (
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/client/clienttest"
)

// TestClientOnATerminal is not parallel: it sets variables.
func TestClientOnATerminal(t *testing.T) {
	srv := clienttest.Start(t, clienttest.WithUsers(30))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	login := []string{"login", "--base-url", srv.BaseURL, "--account", srv.AccountID, "--client-id", srv.ClientID}

	// The secret is asked for.
	screen, keyboard := pty(t)
	secret := srv.ClientSecret.Reveal()
	if _, err := keyboard.WriteString(secret + "\n"); err != nil {
		t.Fatal(err)
	}
	w, stdout, stderr := inMemory()
	w.stdin = screen
	if status := runContext(t.Context(), login, w); status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if !strings.HasPrefix(stderr.String(), "Client secret: \nProfile default is kept") || stdout.Len() > 0 || strings.Contains(stderr.String(), secret) {
		t.Errorf("printed %q and %q", stdout, stderr)
	}

	// Looking for somebody draws a bar; a bulk run asks, and does nothing without a yes.
	list := shown(t, "users", "list", "--limit", "1", "--output", "jsonl")
	_, rest, _ := strings.Cut(list, `"email":"`)
	email, _, _ := strings.Cut(rest, `"`)
	if got := shown(t, "users", "get", email); !strings.Contains(got, "looking for people") || !strings.Contains(got, email) {
		t.Errorf("want a bar and the person, got %q", got)
	}
	screen, keyboard = pty(t)
	if _, err := keyboard.WriteString("no\n"); err != nil {
		t.Fatal(err)
	}
	w, _, stderr = inMemory()
	w.stdin = screen
	status := runContext(t.Context(), []string{"users", "suspend", email, "NOBODY"}, w)
	if got := stderr.String(); status != exitError || !strings.Contains(got, "Type yes to go on: ") || !strings.Contains(got, "not confirmed: nothing was changed") {
		t.Errorf("status %d: %q", status, got)
	}
	if got := shown(t, "users", "get", email); !strings.Contains(got, "ACTIVE") {
		t.Errorf("want them active, got %q", got)
	}

	// A token on a screen is worth a warning.
	if got := shown(t, "token", "print"); !strings.Contains(got, "It is now on your screen") {
		t.Errorf("want a warning, got %q", got)
	}
}
