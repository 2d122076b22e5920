package e2e

import (
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestDocuments runs the commands of README.md and of docs, each document's in order and in a copy of this repository
// like a fresh clone.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, name := range documents(t) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blocks, err := runnable(name, string(text))
			if err != nil {
				t.Fatal(err)
			}
			if name == "README.md" {
				promised(t, blocks)
			}
			if len(blocks) > 0 {
				if printed, err := runScript(t, clone(t), blocks); err != nil {
					t.Errorf("%v\n%s", err, printed)
				}
			}
		})
	}
}

// documents returns README.md and every Markdown file of docs.
func documents(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".md") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// promised asks that the two commands of the README are there, and that the one which can't be run from within itself is
// the one that CI runs.
func promised(t *testing.T, blocks []block) {
	t.Helper()
	var all []string
	for _, b := range blocks {
		all = append(all, b.lines...)
	}
	for _, command := range []string{"go run ./cmd/rollcall dev", "make test"} {
		if !slices.Contains(all, command) {
			t.Errorf("no block of README.md says just: %s", command)
		}
	}
	ci, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(ci), "\n  make test 2>&1") {
		t.Error(".ci/run does not run: make test")
	}
}

// clone copies the files of the working tree that are or could be committed.
func clone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v\n%s", err, stderrOf(err))
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(root, name), filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) { // it was removed
			t.Fatal(err)
		}
	}
	return dir
}

func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm()) //nolint:gosec // G703: the names are git's, of this very repository
}

// runScript runs the blocks in the folder and returns what is printed. The error is that of the first command that fails.
func runScript(t *testing.T, dir string, blocks []block) (printed string, err error) {
	t.Helper()
	cmd := exec.Command("bash", "-c", script(blocks))
	cmd.Dir, cmd.Env = dir, documentEnv(t)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := launch(t, cmd)
	// Before launch's own clean-up: servers that a command left behind.
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err = p.wait(t)
	return p.stdout.String() + p.stderr.String(), err
}

// documentEnv is the environment of somebody who has Go and this program's binary and nothing else of their own.
func documentEnv(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOPATH", "GOENV").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Split(strings.TrimSpace(string(out)), "\n")
	port := freePort(t)
	return append(cleanEnv(),
		"PATH="+filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+t.TempDir(), "TMPDIR="+t.TempDir(), "E2E_LOGS="+t.TempDir(), "E2E_PORT="+port, "ROLLCALL_LISTEN=127.0.0.1:"+port,
		"GOCACHE="+caches[0], "GOMODCACHE="+caches[1], "GOPATH="+caches[2], "GOENV="+caches[3])
}

// freePort is a port that nobody listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestDocumentsFail: what is wrong in a document is noticed.
func TestDocumentsFail(t *testing.T) {
	t.Parallel()
	makefile := "test:\n\ttouch made\n"
	tests := map[string]struct {
		lines []string
		fails string // what is printed; empty for a document that is in order
	}{
		"in order": {lines: []string{
			"A=1", "make test", "test ! -e made",
			"rollcall dev --env-file env --listen 127.0.0.1:8443", ". ./env", `test "$ROLLCALL_BASE_URL" = https://127.0.0.1:8443`,
			`curl -sS --fail --cacert "$ROLLCALL_CA_FILE" \`, `  "$ROLLCALL_BASE_URL/.well-known/oauth-authorization-server"`,
			`test $A = 1`,
		}},
		"a command that fails":         {lines: []string{"true", "false", "true"}, fails: "x.md:1: exit status 1 of: false"},
		"a command that is not there":  {lines: []string{"rolcall dev"}, fails: "exit status 127"},
		"a flag that is not there":     {lines: []string{"rollcall dev --sede x"}, fails: "unknown flag --sede"},
		"a target that is not there":   {lines: []string{"make tests"}, fails: "exit status 2"},
		"a pipe that fails":            {lines: []string{"false | true"}, fails: "exit status 1"},
		"a variable that is not there": {lines: []string{"echo $NOT_SET_HERE"}, fails: "NOT_SET_HERE"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(makefile), 0o600); err != nil {
				t.Fatal(err)
			}
			printed, err := runScript(t, dir, []block{{at: "x.md:1", lines: tt.lines}})
			if (err != nil) != (tt.fails != "") || !strings.Contains(printed, tt.fails) {
				t.Errorf("got %v, want failure %q in\n%s", err, tt.fails, printed)
			}
		})
	}
}
