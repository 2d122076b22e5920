package envfile

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestQuoteRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if got := unquote(Quote(s)); got != s {
			t.Fatalf("got %q, want %q", got, s)
		}
	})
}

func TestShellReadsWhatIsQuoted(t *testing.T) {
	t.Parallel()
	words := []string{"", "plain", "it's", "'", "''", `"$HOME" $(date) \n` + "`date`", "a b\tc", "-n", "é", `\'`, "*", "!x"}
	script := "printf '%s\\0'"
	for _, w := range words {
		script += " " + Quote(w)
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

func TestOtherLinesStay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.env")
	old := "# mine\nOTHER=1\nROLLCALL_BASE_URL='https://x'\nexport ROLLCALL_CLIENT_ID='old'\nROLLCALL_CLIENT_SECRET=old\nLAST=no-newline"
	if err := os.WriteFile(path, []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := Begin(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Finish([]Assignment{{AccountID, "A"}, {ClientID, "C"}, {ClientSecret, "s'3"}}); err != nil {
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
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v; want 0600", info.Mode(), err)
	}
	if read := Read(path); read[ClientID] != "C" || read[ClientSecret] != "s'3" || read[BaseURL] != "https://x" {
		t.Errorf("read again: %v", read)
	}
	leavesOnly(t, path)
}

// leavesOnly checks that nothing else is left in the file's folder.
func leavesOnly(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("the folder holds %v, error %v; want %s alone", entries, err, filepath.Base(path))
	}
}

func TestDiscardLeavesAllAsItWas(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.env")
	if err := os.WriteFile(path, []byte("OTHER=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := Begin(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Discard(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "OTHER=1\n" {
		t.Errorf("got %q, error %v", text, err)
	}
	leavesOnly(t, path)
}

func TestBeginRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"a pipe": pipe, "a device": "/dev/null", "too large": large, "a folder": dir, "in no folder": filepath.Join(dir, "none", "x.env")} {
		if _, err := Begin(path); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if Read(filepath.Join(dir, "none")) != nil {
		t.Error("no file: got variables")
	}
}

// TestFinishFails: what could not be put in place leaves nothing behind.
func TestFinishFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.env")
	file, err := Begin(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil { // something is in the way
		t.Fatal(err)
	}
	if err := file.Finish([]Assignment{{ClientSecret, "hush"}}); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("got error %v", err)
	}
	leavesOnly(t, path)
}

// TestLinksAreFollowed: the file that a link leads to is replaced, not the link.
func TestLinksAreFollowed(t *testing.T) {
	t.Parallel()
	target, link := filepath.Join(t.TempDir(), "app.env"), filepath.Join(t.TempDir(), "link.env")
	if err := os.WriteFile(target, []byte("OTHER=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	file, err := Begin(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Finish([]Assignment{{ClientID, "C"}}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(target); err != nil || string(text) != "OTHER=1\nROLLCALL_CLIENT_ID='C'\n" {
		t.Errorf("got %q, error %v", text, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
}
