package envfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The names under which credentials are written and read again.
const (
	BaseURL      = "ROLLCALL_BASE_URL"
	AccountID    = "ROLLCALL_ACCOUNT_ID"
	ClientID     = "ROLLCALL_CLIENT_ID"
	ClientSecret = "ROLLCALL_CLIENT_SECRET"
	CAFile       = "ROLLCALL_CA_FILE"
	APIVersion   = "ROLLCALL_API_VERSION"
)

// Assignment is one line of an environment file.
type Assignment struct{ Name, Value string }

// File is an environment file in the making. End it with Finish or Discard.
type File struct {
	path string
	kept string // lines of the file that is replaced
	made *os.File
}

// maxFile bounds what is kept of a file that is replaced, in bytes.
const maxFile = 1 << 20

// Begin makes sure that the file can be written, and leaves it as it is until Finish.
// Where the path is a link, the file that it leads to is meant.
func Begin(path string) (*File, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	old, err := readBounded(path)
	if err != nil {
		return nil, fmt.Errorf("write the environment file: %w", err)
	}
	made, err := os.CreateTemp(filepath.Dir(path), ".rollcall-env-") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("write the environment file: %w", err)
	}
	return &File{path: path, kept: old, made: made}, nil
}

// readBounded returns a small file's text, nothing if there is none.
func readBounded(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path) // reading a pipe would wait, and replacing a device do harm
	}
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it is only read
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(text) > maxFile {
		return "", fmt.Errorf("%s is no environment file: it is larger than %d bytes", path, maxFile)
	}
	return string(text), err
}

// Finish puts the file in place. Lines of the old one that assign something else stay.
func (f *File) Finish(set []Assignment) error {
	var text strings.Builder
	for line := range strings.Lines(f.kept) {
		if name, _, _ := strings.Cut(line, "="); !assigns(set, name) {
			text.WriteString(strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	for _, a := range set {
		text.WriteString(a.Name + "=" + Quote(a.Value) + "\n")
	}
	_, err := f.made.WriteString(text.String())
	if err = errors.Join(err, f.made.Sync(), f.made.Close()); err == nil {
		err = os.Rename(f.made.Name(), f.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the environment file: %w", err), ignoreMissing(os.Remove(f.made.Name())))
	}
	return nil
}

func assigns(set []Assignment, name string) bool {
	for _, a := range set {
		if a.Name == strings.TrimSpace(strings.TrimPrefix(name, "export ")) {
			return true
		}
	}
	return false
}

// Discard leaves everything as it was.
func (f *File) Discard() error { return errors.Join(f.made.Close(), os.Remove(f.made.Name())) }

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Read returns the variables that Finish wrote; none if there is no such file.
func Read(path string) map[string]string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // it is only read
	variables := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, found := strings.Cut(lines.Text(), "="); found {
			variables[name] = unquote(value)
		}
	}
	return variables
}

// Quote writes a word for a POSIX shell.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// unquote reads what Quote wrote.
func unquote(s string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(s, "'"), "'"), `'\''`, "'")
}
