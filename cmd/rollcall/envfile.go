package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// The names under which credentials are written and read again.
const (
	envBaseURL = "ROLLCALL_BASE_URL"
	envAccount = "ROLLCALL_ACCOUNT_ID"
	envClient  = "ROLLCALL_CLIENT_ID"
	envSecret  = "ROLLCALL_CLIENT_SECRET"
	envCAFile  = "ROLLCALL_CA_FILE"
)

// assignment is one line of an environment file.
type assignment struct{ name, value string }

func (c credentials) applicationAssignments() []assignment {
	return []assignment{{envAccount, string(c.Account)}, {envClient, string(c.Client)}, {envSecret, c.Secret.Reveal()}}
}

func (c credentials) assignments() []assignment {
	return append(append([]assignment{{envBaseURL, c.BaseURL}}, c.applicationAssignments()...), assignment{envCAFile, c.CAFile})
}

// writeEnvFile writes the credentials as shell assignments.
func writeEnvFile(path string, c credentials) error {
	file, err := beginEnvFile(path)
	if err != nil {
		return err
	}
	return file.finish(c.assignments())
}

// envFile is an environment file in the making: it appears whole or not at all, and
// only its owner can read it.
type envFile struct {
	path string
	kept string // lines of the file that is replaced
	*os.File
}

// maxEnvFile bounds what is kept of a file that is replaced, in bytes.
const maxEnvFile = 1 << 20

func beginEnvFile(path string) (*envFile, error) {
	old, err := readBounded(path)
	if err != nil {
		return nil, fmt.Errorf("write the environment file: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".rollcall-env-") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("write the environment file: %w", err)
	}
	return &envFile{path: path, kept: old, File: f}, nil
}

// readBounded returns a small file's text, nothing if there is none.
func readBounded(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it is only read
	text, err := io.ReadAll(io.LimitReader(f, maxEnvFile+1))
	if len(text) > maxEnvFile {
		return "", fmt.Errorf("%s is no environment file: it is larger than %d bytes", path, maxEnvFile)
	}
	return string(text), err
}

// finish puts the file in place. Lines of the old one that assign something else stay.
func (f *envFile) finish(set []assignment) error {
	var text strings.Builder
	for line := range strings.Lines(f.kept) {
		if name, _, _ := strings.Cut(line, "="); !assigns(set, name) {
			text.WriteString(strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	for _, a := range set {
		text.WriteString(a.name + "=" + quote(a.value) + "\n")
	}
	_, err := f.WriteString(text.String())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the environment file: %w", err), ignoreMissing(os.Remove(f.Name())))
	}
	return nil
}

func assigns(set []assignment, name string) bool {
	for _, a := range set {
		if a.name == strings.TrimSpace(strings.TrimPrefix(name, "export ")) {
			return true
		}
	}
	return false
}

// discard leaves everything as it was.
func (f *envFile) discard() error { return errors.Join(f.Close(), os.Remove(f.Name())) }

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readEnvFile reads what an earlier run wrote; nothing if there is no such file.
func readEnvFile(path string) credentials {
	f, err := os.Open(path)
	if err != nil {
		return credentials{}
	}
	defer f.Close() //nolint:errcheck // it is only read
	var c credentials
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		switch name {
		case envClient:
			c.Client = ident.ClientID(unquote(value))
		case envSecret:
			c.Secret = oauth.GivenSecret(unquote(value))
		}
	}
	return c
}

// quote writes a word for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// unquote reads what quote wrote.
func unquote(s string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(s, "'"), "'"), `'\''`, "'")
}
