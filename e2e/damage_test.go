package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rollcall-id/rollcall/internal/store"
)

// nobody is the user and group that owns no files.
const nobody = 65534

// unprivileged makes the command run as a user whom permissions bind, which they don't bind root.
func unprivileged(cmd *exec.Cmd) *exec.Cmd {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

// publicDir is a temporary folder that every user reads.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// setModes sets the modes of a folder and of the files in it.
func setModes(t *testing.T, dir string, folder, file fs.FileMode) {
	t.Helper()
	files, err := os.ReadDir(dir)
	for _, f := range files {
		err = errors.Join(err, os.Chmod(filepath.Join(dir, f.Name()), file))
	}
	if err = errors.Join(err, os.Chmod(dir, folder)); err != nil {
		t.Fatal(err)
	}
}

// TestReadOnlyFolder: a folder that can't be written is refused by name, whether or not a database is in it.
func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	seeded := newSeed(t, 2)
	dirs := map[string]string{"empty": filepath.Join(publicDir(t), "data"), "with a database": filepath.Join(publicDir(t), "data")}
	if err := os.Mkdir(dirs["empty"], 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, "--tls=off", "--data="+dirs["with a database"], "--seed="+seeded.file).stop(t)
	for name, dir := range dirs {
		setModes(t, dir, 0o555, 0o444)
		t.Cleanup(func() { setModes(t, dir, 0o755, 0o644) })
		commands := map[string]*exec.Cmd{
			"dev":   devCommand("--tls=off", "--data="+dir),
			"serve": exec.Command(binary, "serve", "--tls=off", "--listen=127.0.0.1:0", "--admin-listen=off", "--data="+dir),
		}
		for command, cmd := range commands {
			cmd.Dir = "/" // one that this user may enter
			said := launch(t, unprivileged(cmd)).refusal(t)
			if !strings.Contains(said, dir) || !strings.Contains(said, "permission") {
				t.Errorf("%s on a read-only folder, %s: it says %q, want the folder, and that permission is missing", command, name, said)
			}
		}
	}
}

// damage is something that has happened to a database file.
type damage struct {
	name string
	do   func(content []byte) []byte
	// refused says that the server must not start; otherwise it may, and then answers with what it can still read and
	// with 503.
	refused bool
}

func damages() []damage {
	list := []damage{
		{"another program's file", func([]byte) []byte { return []byte("this is no database, it is a text\n") }, true},
		{"first page overwritten", func(b []byte) []byte { copy(b, make([]byte, 4096)); return b }, true},
		{"all but the first page gone", func(b []byte) []byte { return b[:4096] }, true},
		{"cut in half", func(b []byte) []byte { return b[:len(b)/2] }, false},
		{"cut within a page", func(b []byte) []byte { return b[:len(b)-1000] }, false},
		{"header of every page but the first overwritten", func(b []byte) []byte {
			for at := 4096; at < len(b); at += 4096 {
				copy(b[at:], "damaged!")
			}
			return b
		}, true},
	}
	for i := range uint64(6) {
		chance := rand.New(rand.NewPCG(i, 0))
		flips := 2 << i
		list = append(list, damage{fmt.Sprintf("%d bytes flipped", flips), func(b []byte) []byte {
			for range flips {
				b[100+chance.IntN(len(b)-100)] ^= byte(1 + chance.IntN(255)) // behind the file header
			}
			return b
		}, false})
	}
	return list
}

// TestDamaged: a damaged database is refused with words, or served as far as it can be read; it is never died of.
func TestDamaged(t *testing.T) {
	t.Parallel()
	seeded := newSeed(t, 50)
	whole := filepath.Join(t.TempDir(), "data")
	s := start(t, "--tls=off", "--data="+whole, "--seed="+seeded.file)
	bearer := s.issue(t)
	s.stop(t)
	content, err := os.ReadFile(filepath.Join(whole, store.File))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range damages() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, store.File), d.do(slices.Clone(content)), 0o600); err != nil {
				t.Fatal(err)
			}
			serveDamaged(t, d, dir, seeded, bearer)
		})
	}
}

func serveDamaged(t *testing.T, d damage, dir string, seeded seed, bearer string) {
	t.Helper()
	envFile := filepath.Join(t.TempDir(), "env")
	args := append([]string{"--tls=off", "--data=" + dir, "--seed=" + seeded.file, "--env-file=" + envFile}, noLimits...)
	p := launch(t, devCommand(args...))
	eventually(t, "the server starts or refuses to", func() bool {
		_, err := os.Stat(envFile)
		return err == nil || !p.running()
	})
	if _, err := os.Stat(envFile); err != nil {
		if said := p.refusal(t); !strings.Contains(said, dir) && !strings.Contains(said, "storage can't be used") {
			t.Errorf("it says %q, want the file or that storage can't be used, and what is wrong with it", said)
		}
		return
	}
	if d.refused {
		t.Error("the server starts")
	}
	s := &server{process: p}
	s.connect(t, readEnv(t, envFile))
	askDamaged(t, s, seeded, bearer)
	if !s.running() {
		t.Fatalf("the server died: %v\n%s", s.err, &s.stderr)
	}
	s.calm(t)
}

// askDamaged asks for everything; an answer may be one of the contract's, or 503, but never 500.
func askDamaged(t *testing.T, s *server, seeded seed, bearer string) {
	t.Helper()
	asks := []ask{s.askToken(""), s.askRevoke("rct_unknown", ""), s.askUsers(bearer, ""), s.askUsers(bearer, "?max_page_size=7")}
	for _, p := range seeded.people {
		asks = append(asks, s.askUsers(bearer, "/"+p), s.askAct(bearer, p, "suspend", ""), s.askAct(bearer, p, "reactivate", ""))
	}
	for _, q := range asks {
		a, err := s.do(t.Context(), q)
		switch {
		case err != nil:
			t.Fatalf("%s: %v\n%s", q.path, err, &s.stderr)
		case a.status == http.StatusServiceUnavailable:
			unavailable(t, q.path, a)
		case a.status >= 500:
			t.Errorf("%s: got %v, want 200, 4xx or 503\n%s", q.path, a, &s.stderr)
		}
	}
}
