package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

const defaultProfile = "default"

// Where the secret of a profile is kept.
const (
	inKeyring = "keyring"
	inFile    = "file"
)

// profile is what a login keeps, as its file has it.
type profile struct {
	BaseURL    string `json:"base_url"`
	AccountID  string `json:"account_id"`
	ClientID   string `json:"client_id"`
	CAFile     string `json:"ca_file,omitempty"`
	APIVersion string `json:"api_version,omitempty"`
	SecretIn   string `json:"secret_in"`
	Secret     string `json:"client_secret,omitempty"` // where SecretIn is "file"
}

// String tells nothing: what prints a profile by mistake prints no secret.
func (profile) String() string { return "[profile]" }

// GoString is as String is.
func (profile) GoString() string { return "[profile]" }

var profileName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`)

// maxProfile bounds a profile's file, in bytes.
const maxProfile = 64 << 10

func (e *Env) profilePath(name string) (string, error) {
	if !profileName.MatchString(name) {
		return "", terminal.Misused("--profile=%q: a name has 1 to 64 letters, digits, dots, dashes and underscores", name)
	}
	dir, err := e.configDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "profiles", name+".json"), nil
}

// readProfile reads a profile without its secret if that is in the keyring. The error
// is fs.ErrNotExist where there is none.
func (e *Env) readProfile(name string) (profile, error) {
	path, err := e.profilePath(name)
	if err != nil {
		return profile{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return profile{}, fmt.Errorf("read profile %s: %w", name, err)
	}
	defer f.Close() //nolint:errcheck // it is only read
	info, err := f.Stat()
	if err != nil {
		return profile{}, fmt.Errorf("read profile %s: %w", name, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxProfile))
	if err != nil {
		return profile{}, fmt.Errorf("read profile %s: %w", name, err)
	}
	var p profile
	if err := json.Unmarshal(text, &p); err != nil {
		// The reader's error could repeat a piece of the secret.
		return profile{}, fmt.Errorf("%s is no profile: log in again with '%s'", path, loginCommand(name))
	}
	if p.Secret != "" && info.Mode().Perm()&0o077 != 0 {
		return profile{}, fmt.Errorf("%s holds a secret and others may read it: type chmod 600 %s, and rotate the secret if others could have read it", path, path)
	}
	return p, nil
}

// writeProfile puts the file in place whole or not at all; only this user can read it.
func (e *Env) writeProfile(name string, p profile) (path string, err error) {
	if path, err = e.profilePath(name); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return "", fmt.Errorf("keep profile %s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("keep profile %s: %w", name, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-") // mode 0600
	if err != nil {
		return "", fmt.Errorf("keep profile %s: %w", name, err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("keep profile %s: %w", name, err), os.Remove(f.Name()))
	}
	return path, nil
}

// secretOf returns the secret of a profile.
func (e *Env) secretOf(ctx context.Context, name string, p profile) (client.Secret, error) {
	if p.SecretIn != inKeyring {
		return client.NewSecret(p.Secret), nil
	}
	if e.Keyring == nil {
		return client.Secret{}, fmt.Errorf("the secret of profile %s is in the keyring, and there is none here (DBUS_SESSION_BUS_ADDRESS is not set): use the desktop session, or keep it in a file with '%s --no-keyring'", name, loginCommand(name))
	}
	secret, err := e.Keyring.Get(ctx, name)
	if err != nil {
		return client.Secret{}, fmt.Errorf("get the secret of profile %s from the keyring: %w\nunlock the keyring, or log in again with '%s'; with --no-keyring, the secret is kept in a file", name, err, loginCommand(name))
	}
	return client.NewSecret(secret), nil
}

// keep stores a profile with its secret, in the keyring where there is one and it is
// wanted, and says where.
func (e *Env) keep(ctx context.Context, name string, p profile, secret client.Secret, useKeyring bool) (where string, err error) {
	p.SecretIn = inFile
	left := false
	why := "as was asked for"
	if useKeyring {
		why = "for there is no keyring here"
	}
	if useKeyring && e.Keyring != nil {
		if err := e.Keyring.Set(ctx, name, secret.Reveal()); err == nil {
			p.SecretIn = inKeyring
		} else if ctx.Err() != nil {
			return "", interrupted(ctx, err, "nothing is kept")
		} else {
			why = fmt.Sprintf("for the keyring did not take it (%v)", err)
		}
	}
	if p.SecretIn == inFile {
		p.Secret = secret.Reveal()
		if e.Keyring != nil {
			// What an earlier login left; it is of no use any more.
			left = e.isInKeyring(name) && e.Keyring.Delete(ctx, name) != nil
		}
	}
	path, err := e.writeProfile(name, p)
	if err != nil {
		return "", err
	}
	if p.SecretIn == inKeyring {
		return "The secret is in the keyring.", nil
	}
	if left {
		why += ". " + leftInKeyring
	}
	return fmt.Sprintf("The secret is in %s, which only you can read, %s.", path, why), nil
}

// leftInKeyring tells what could not be removed.
const leftInKeyring = "An earlier one is still in the keyring: remove it there"

// isInKeyring tells whether the profile as it is has its secret in the keyring.
func (e *Env) isInKeyring(name string) bool {
	p, err := e.readProfile(name)
	return err == nil && p.SecretIn == inKeyring
}

// forget removes a profile and its secret. One that is in a keyring which can't be
// reached from here stays, and left says so.
func (e *Env) forget(ctx context.Context, name string) (left bool, err error) {
	p, err := e.readProfile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("there is no profile %s: nothing to forget", name)
	}
	// A file that can't be understood is removed all the same.
	if left = err == nil && p.SecretIn == inKeyring; left && e.Keyring != nil {
		if err := e.Keyring.Delete(ctx, name); err != nil {
			return true, fmt.Errorf("remove the secret of profile %s from the keyring: %w", name, interrupted(ctx, err, "nothing is forgotten"))
		}
		left = false
	}
	path, err := e.profilePath(name)
	if err != nil {
		return left, err
	}
	return left, os.Remove(path)
}
