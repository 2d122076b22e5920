package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rollcall-id/rollcall/internal/terminal"
)

// pty opens a pseudo-terminal: what is written to screen can be read from keyboard,
// and what is typed into keyboard can be read from screen.
func pty(t *testing.T) (screen, keyboard *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	return screen, keyboard
}

// shown runs a command with standard output and error on a terminal and returns what it drew.
func shown(t *testing.T, args ...string) string {
	t.Helper()
	screen, keyboard := pty(t)
	drawn := make(chan string)
	go func() {
		var b bytes.Buffer
		_, _ = io.Copy(&b, keyboard) // ends with an error when the screen is closed
		drawn <- b.String()
	}()
	w, _, _ := inMemory()
	w.stdout, w.stderr = screen, screen
	status := runContext(t.Context(), args, w)
	screen.Close()
	text := <-drawn
	if status != exitOK {
		t.Fatalf("%q ended with status %d:\n%s", args, status, text)
	}
	return text
}

// TestTerminal is not parallel: it sets variables.
func TestTerminal(t *testing.T) {
	data := filepath.Join(t.TempDir(), "d")
	t.Setenv("TERM", "xterm-256color")
	shown(t, "admin", "account", "create", "Example", "--data", data)
	list := []string{"admin", "account", "list", "--data", data}

	t.Setenv("NO_COLOR", "")
	if got := shown(t, list...); !strings.Contains(got, "╭") || !strings.Contains(got, "\x1b[1;36m") {
		t.Errorf("want a coloured table, got %q", got)
	}
	t.Setenv("NO_COLOR", "1")
	if got := shown(t, list...); !strings.Contains(got, "╭") || strings.Contains(got, "36m") {
		t.Errorf("NO_COLOR: want a table without colour, got %q", got)
	}

	people := filepath.Join(t.TempDir(), "people.csv")
	var text strings.Builder
	text.WriteString("email,display_name\n")
	for i := range 2500 {
		fmt.Fprintf(&text, "p%d@example.com,P\n", i)
	}
	if err := os.WriteFile(people, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, "admin", "user", "import", people, "--data", data); !strings.Contains(got, "adding people") || !strings.Contains(got, "/2500") {
		t.Errorf("want a progress bar, got %q", got)
	}
}

func TestConfirmOnATerminal(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]error{"yes\n": nil, " yes \n": nil, "y\n": terminal.ErrDeclined, "\n": terminal.ErrDeclined, "YES\n": terminal.ErrDeclined, "\x04": terminal.ErrDeclined} {
		t.Run(fmt.Sprintf("%q", typed), func(t *testing.T) {
			t.Parallel()
			screen, keyboard := pty(t)
			if _, err := keyboard.WriteString(typed); err != nil {
				t.Fatal(err)
			}
			w, _, stderr := inMemory()
			w.stdin = screen
			if err := terminal.Confirm(t.Context(), w.stdin, w.stderr, false, "All is lost."); err != want { //nolint:errorlint // the very same
				t.Errorf("got error %v, want %v", err, want)
			}
			if got := stderr.String(); got != "All is lost.\nType yes to go on: " {
				t.Errorf("asked %q", got)
			}
		})
	}
}

func TestConfirmEndsWhenToldTo(t *testing.T) {
	t.Parallel()
	screen, _ := pty(t)
	w, _, _ := inMemory()
	w.stdin = screen
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := terminal.Confirm(ctx, w.stdin, w.stderr, false, "All is lost."); err != terminal.ErrDeclined { //nolint:errorlint // the very same
		t.Errorf("got error %v, want %v", err, terminal.ErrDeclined)
	}
}
