package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// root is the repository, as seen from the folder in which go test runs this package.
const root = ".."

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rollcall-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nothing depends on it
	binary = filepath.Join(dir, "rollcall")
	build := exec.Command("go", "build", "-o", binary, "./cmd/rollcall")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build ./cmd/rollcall: %v\n%s", err, out)
		return 1
	}
	// Some tests run it as a user without rights.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// patience is how long to wait for what must come. It decides nothing: when it is used up, the test has failed.
const patience = 4 * time.Minute

// eventually waits until done tells true.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	giveUp := time.After(patience)
	for !done() {
		select {
		case <-ticker.C:
		case <-giveUp:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
