package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/client"
)

// memory is a keyring; broken by an error.
type memory struct {
	secrets map[string]string
	broken  error
}

func (m *memory) Get(_ context.Context, name string) (string, error) {
	if secret, ok := m.secrets[name]; ok && m.broken == nil {
		return secret, nil
	}
	return "", errors.Join(m.broken, errors.New("none"))
}

func (m *memory) Set(_ context.Context, name, secret string) error {
	if m.broken == nil {
		m.secrets[name] = secret
	}
	return m.broken
}

func (m *memory) Delete(_ context.Context, name string) error {
	delete(m.secrets, name)
	return m.broken
}

var example = profile{BaseURL: "https://a.example", AccountID: "A", ClientID: "C"}

func TestSecretIsKept(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ring    Keyring
		wanted  bool
		inFile  bool
		message string
	}{
		"keyring":        {&memory{secrets: map[string]string{}}, true, false, "in the keyring"},
		"unwanted":       {&memory{secrets: map[string]string{}}, false, true, "as was asked for"},
		"none":           {nil, true, true, "for there is no keyring here"},
		"broken keyring": {&memory{broken: errors.New("locked")}, true, true, "did not take it (locked)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := testEnv(t)
			e.Keyring = tt.ring
			where, err := e.keep(t.Context(), "p", example, client.NewSecret("hush"), tt.wanted)
			if err != nil || !strings.Contains(where, tt.message) || strings.Contains(where, "hush") {
				t.Errorf("said %q, error %v; want %q", where, err, tt.message)
			}
			path, _ := e.profilePath("p")
			text, err := os.ReadFile(path)
			if err != nil || strings.Contains(string(text), "hush") != tt.inFile {
				t.Errorf("error %v, in the file:\n%s", err, text)
			}
			c, err := e.connection(t.Context(), Target{Profile: "p"})
			if err != nil || c.secret.Reveal() != "hush" || c.account != "A" {
				t.Errorf("got %s of account %s, error %v", c.secret.Reveal(), c.account, err)
			}
			if left, err := e.forget(t.Context(), "p"); err != nil || left {
				t.Fatalf("left behind: %t, error %v", left, err)
			}
			if _, err := e.connection(t.Context(), Target{Profile: "p"}); err == nil || !strings.Contains(err.Error(), "there is no profile p") {
				t.Errorf("forgotten: got error %v", err)
			}
			if m, ok := tt.ring.(*memory); ok && len(m.secrets) > 0 {
				t.Error("the keyring still has it")
			}
		})
	}
}

func TestKeyringThatIsGone(t *testing.T) {
	t.Parallel()
	e, _ := testEnv(t)
	ring := &memory{secrets: map[string]string{}}
	e.Keyring = ring
	if _, err := e.keep(t.Context(), "p", example, client.NewSecret("hush"), true); err != nil {
		t.Fatal(err)
	}
	ring.broken = errors.New("locked")
	if _, err := e.connection(t.Context(), Target{Profile: "p"}); err == nil || !strings.Contains(err.Error(), "or log in again with 'rollcall login --profile p'") {
		t.Errorf("locked: got error %v", err)
	}
	e.Keyring = nil
	if _, err := e.connection(t.Context(), Target{Profile: "p"}); err == nil || !strings.Contains(err.Error(), "--no-keyring") {
		t.Errorf("none: got error %v", err)
	}
}

// TestSecretStaysInALockedKeyring: what can't be removed is told of.
func TestSecretStaysInALockedKeyring(t *testing.T) {
	t.Parallel()
	e, _ := testEnv(t)
	ring := &memory{secrets: map[string]string{}}
	e.Keyring = ring
	if _, err := e.keep(t.Context(), "p", example, client.NewSecret("hush"), true); err != nil {
		t.Fatal(err)
	}
	ring.broken = errors.New("locked")
	if left, err := e.forget(t.Context(), "p"); err == nil || !left {
		t.Errorf("forgotten: left %t, error %v; want an error, and that the profile stays", left, err)
	}
	where, err := e.keep(t.Context(), "p", example, client.NewSecret("hush"), true)
	if err != nil || !strings.Contains(where, leftInKeyring) {
		t.Errorf("said %q, error %v; want %q", where, err, leftInKeyring)
	}
	where, err = e.keep(t.Context(), "q", example, client.NewSecret("hush"), true)
	if err != nil || strings.Contains(where, leftInKeyring) {
		t.Errorf("where there was none: said %q, error %v", where, err)
	}
	ring.broken = nil
	if _, err := e.keep(t.Context(), "p", example, client.NewSecret("hush"), true); err != nil {
		t.Fatal(err)
	}
	e.Keyring = nil
	if left, err := e.forget(t.Context(), "p"); err != nil || !left {
		t.Errorf("elsewhere: left %t, error %v; want it forgotten and told of", left, err)
	}
}

// TestSecretMovesOut: a secret that is kept in a file from now on is not left in the keyring.
func TestSecretMovesOut(t *testing.T) {
	t.Parallel()
	e, _ := testEnv(t)
	ring := &memory{secrets: map[string]string{}}
	e.Keyring = ring
	for _, inKeyring := range []bool{true, false} {
		if _, err := e.keep(t.Context(), "p", example, client.NewSecret("hush"), inKeyring); err != nil {
			t.Fatal(err)
		}
		if _, kept := ring.secrets["p"]; kept != inKeyring {
			t.Errorf("wanted in the keyring: %t, there: %t", inKeyring, kept)
		}
	}
}

// TestInterruptedAtTheKeyring is no success: the program takes context.Canceled for one.
func TestInterruptedAtTheKeyring(t *testing.T) {
	t.Parallel()
	e, _ := testEnv(t)
	ring := &memory{secrets: map[string]string{}}
	e.Keyring = ring
	if _, err := e.keep(t.Context(), defaultProfile, example, client.NewSecret("hush"), true); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ring.broken = ctx.Err()
	var ended *interruption
	err := (&Whoami{}).Run(ctx, e)
	if !errors.As(err, &ended) || errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}

// TestNoKeyringIsLookedFor: without a session bus, none is started.
func TestNoKeyringIsLookedFor(t *testing.T) {
	t.Parallel()
	if got := SystemKeyring(func(string) string { return "" }); got != nil {
		t.Errorf("got %v", got)
	}
	if SystemKeyring(func(string) string { return "unix:path=/x" }) == nil {
		t.Error("with a bus: got none")
	}
}

func TestProfileTellsNoSecret(t *testing.T) {
	t.Parallel()
	p := example
	p.Secret = "hush"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, p); strings.Contains(got, "hush") {
			t.Errorf("%s: %s", verb, got)
		}
	}
	c := connection{secret: client.NewSecret("hush")}
	if got := fmt.Sprintf("%v %+v", c, c); strings.Contains(got, "hush") {
		t.Errorf("connection: %s", got)
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	variables := map[string]string{"HOME": "/h"}
	e := &Env{Getenv: func(name string) string { return variables[name] }}
	got := func() [2]string {
		config, _ := e.configDir()
		state, _ := e.stateDir()
		return [2]string{config, state}
	}
	if diff := cmp.Diff([2]string{"/h/.config/rollcall", "/h/.local/state/rollcall"}, got()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	variables["XDG_CONFIG_HOME"], variables["XDG_STATE_HOME"] = "/c", "relative is not taken"
	if diff := cmp.Diff([2]string{"/c/rollcall", "/h/.local/state/rollcall"}, got()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	delete(variables, "HOME")
	if _, err := e.stateDir(); err == nil {
		t.Error("without a home: got no error")
	}
}
