package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/config"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

func TestQuoteRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if got := unquote(quote(s)); got != s {
			t.Fatalf("got %q, want %q", got, s)
		}
	})
}

func TestShellReadsWhatIsQuoted(t *testing.T) {
	t.Parallel()
	words := []string{"", "plain", "it's", "'", "''", `"$HOME" $(date) \n` + "`date`", "a b\tc", "-n", "é", `\'`, "*", "!x"}
	script := "printf '%s\\0'"
	for _, w := range words {
		script += " " + quote(w)
	}
	out, err := exec.Command("sh", "-c", script).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if diff := cmp.Diff(words, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEnvFileKeepsWhatItDoesNotSet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.env")
	old := "# mine\nOTHER=1\nROLLCALL_BASE_URL='https://x'\nexport ROLLCALL_CLIENT_ID='old'\nROLLCALL_CLIENT_SECRET=old\nLAST=no-newline"
	if err := os.WriteFile(path, []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := beginEnvFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := credentials{Account: "A", Client: "C", Secret: oauth.GivenSecret("s'3")}
	if err := file.finish(c.applicationAssignments()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "# mine\nOTHER=1\nROLLCALL_BASE_URL='https://x'\nLAST=no-newline\n" +
		"ROLLCALL_ACCOUNT_ID='A'\nROLLCALL_CLIENT_ID='C'\nROLLCALL_CLIENT_SECRET='s'\\''3'\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if read := readEnvFile(path); read.Client != "C" || read.Secret.Reveal() != "s'3" {
		t.Errorf("read again: client %q, secret %q", read.Client, read.Secret.Reveal())
	}
	leavesOnly(t, path)
}

// leavesOnly checks that nothing else is left in the file's folder.
func leavesOnly(t *testing.T, paths ...string) {
	t.Helper()
	got, err := filepath.Glob(filepath.Join(filepath.Dir(paths[0]), "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := filepath.Glob(filepath.Join(filepath.Dir(paths[0]), ".*"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(paths, append(got, hidden...)); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
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
	t.Run("the file is none", func(t *testing.T) {
		t.Parallel()
		large := filepath.Join(t.TempDir(), "large")
		if err := os.WriteFile(large, make([]byte, maxEnvFile+1), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := beginEnvFile(large); err == nil {
			t.Error("a large file: got no error")
		}
		if _, err := beginEnvFile(dir); err == nil {
			t.Error("a folder: got no error")
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
