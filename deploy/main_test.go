package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// root is the repository, seen from here.
const root = ".."

// patience bounds each wait, so that a hang is a failure.
const patience = time.Minute

var (
	scratch string // removed at the end
	image   = sync.OnceValues(func() (string, error) { return buildImage(filepath.Join(scratch, "image")) })
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "rollcall-deploy-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // of the system's temporary folder
	if err := os.Chmod(scratch, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// imageRoot is the file system of the image.
func imageRoot(t *testing.T) string {
	t.Helper()
	dir, err := image()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// binary is the program as the image has it.
func binary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(imageRoot(t), "usr/bin/rollcall"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // nothing secret, and read by other users
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// output runs a command and returns what it prints; it fails the test when the command fails.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := try(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
	return text
}

// try runs a command and returns what it prints on both outputs.
func try(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	return string(out), err
}

// tool returns the path of a Go tool that a module of tools pins; it is built the first time.
func tool(t *testing.T, module, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "tool", "-modfile="+filepath.Join(root, "tools", module, "go.mod"), "-n", name).Output()
	if err != nil {
		t.Fatalf("go tool %s: %v\n%s", name, err, stderrOf(err))
	}
	return strings.TrimSpace(string(out))
}

func stderrOf(err error) string {
	if exit := (&exec.ExitError{}); errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// served is a server that runs until the test ends.
type served struct {
	api, admin string // host:port
	log        *lines
	stop       func() error
}

// serve starts a command that becomes `rollcall serve`, and waits until it says that it serves. Its log is JSON.
func serve(t *testing.T, cmd *exec.Cmd) *served {
	t.Helper()
	log := &lines{}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	s := &served{log: log, stop: sync.OnceValue(func() error {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			return errors.New("it did not end by SIGTERM")
		}
	})}
	t.Cleanup(func() { _ = s.stop() })
	until(t, "it serves", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("it ended: %v\n%s", err, log)
		default:
		}
		return s.addresses()
	})
	return s
}

// addresses reads where it listens from its log.
func (s *served) addresses() bool {
	decoder := json.NewDecoder(strings.NewReader(s.log.String()))
	for {
		var line struct {
			Msg          string
			Address      string
			AdminAddress string `json:"admin_address"`
		}
		if err := decoder.Decode(&line); err != nil {
			return false
		}
		if line.Msg == "serving" {
			s.api, s.admin = line.Address, line.AdminAddress
			return true
		}
	}
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s for: %s", patience, what)
		}
	}
}

// get returns status and body.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
