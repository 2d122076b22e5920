package cli

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/zalando/go-keyring"
)

// Keyring keeps secrets for this user.
type Keyring interface {
	// Get returns a secret; an error where there is none.
	Get(ctx context.Context, name string) (string, error)
	// Set keeps a secret in the place of an earlier one.
	Set(ctx context.Context, name, secret string) error
	// Delete forgets a secret. One that isn't there is no error.
	Delete(ctx context.Context, name string) error
}

// SystemKeyring returns the keyring of the desktop session: Secret Service, Keychain or
// Credential Manager. It is nil on a machine that has none, such as a server: then
// nothing is contacted.
func SystemKeyring(getenv func(string) string) Keyring {
	// Without an address the library would start a session bus of its own, with a
	// keyring on it that ends with the command.
	if runtime.GOOS != "darwin" && runtime.GOOS != "windows" && getenv("DBUS_SESSION_BUS_ADDRESS") == "" {
		return nil
	}
	return systemKeyring{}
}

const keyringService = "rollcall"

// keyringPatience is long enough for somebody to type the password of a locked keyring.
const keyringPatience = time.Minute

var errKeyringSilent = errors.New("the keyring did not answer in time")

type systemKeyring struct{}

func (systemKeyring) Get(ctx context.Context, name string) (string, error) {
	return patiently(ctx, func() (string, error) { return keyring.Get(keyringService, name) })
}

func (systemKeyring) Set(ctx context.Context, name, secret string) error {
	_, err := patiently(ctx, func() (string, error) { return "", keyring.Set(keyringService, name, secret) })
	return err
}

func (systemKeyring) Delete(ctx context.Context, name string) error {
	_, err := patiently(ctx, func() (string, error) { return "", keyring.Delete(keyringService, name) })
	if errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return err
}

// patiently waits for a call that takes no context. One that is given up on ends with
// the process.
func patiently(ctx context.Context, call func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, keyringPatience, errKeyringSilent)
	defer cancel()
	type answer struct {
		secret string
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		secret, err := call()
		answered <- answer{secret, err}
	}()
	select {
	case a := <-answered:
		return a.secret, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
