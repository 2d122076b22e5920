package cli

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"
)

// Commands are the client commands, to be embedded in a kong grammar. Their Run methods
// take a context and an [Env].
type Commands struct {
	Login  Login  `cmd:"" help:"Keep the credentials of an application under a name."`
	Logout Logout `cmd:"" help:"Forget the credentials that login keeps."`
	Whoami Whoami `cmd:"" help:"Show which account and application commands work with, and that the credentials are good."`
	Users  Users  `cmd:"" help:"People: list, get, suspend, reactivate, undo."`
	Apps   Apps   `cmd:"" help:"OAuth applications of a rollcall server: list, get, create, update, rotate, disable, enable, revoke-tokens, delete."`
	Token  Token  `cmd:"" help:"Access tokens for other programs: print, revoke."`
}

// Env is what a command may touch besides its arguments.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
	// Getenv reads a variable, "" where there is none.
	Getenv func(string) string
	// Keyring keeps secrets; nil where the system has none.
	Keyring Keyring
	// UserAgent names the program to servers, as Company/version.
	UserAgent string
}

// folder returns a folder of this user for this program (XDG Base Directory
// Specification 0.8): what the variable names, else the path below the home.
func (e *Env) folder(variable string, below ...string) (string, error) {
	if base := e.Getenv(variable); filepath.IsAbs(base) {
		return filepath.Join(base, "rollcall"), nil
	}
	home := e.Getenv("HOME")
	if home == "" {
		return "", errors.New("neither HOME nor " + variable + " is set: set one, for this is where rollcall keeps its files")
	}
	return filepath.Join(append(append([]string{home}, below...), "rollcall")...), nil
}

func (e *Env) configDir() (string, error) { return e.folder("XDG_CONFIG_HOME", ".config") }

func (e *Env) stateDir() (string, error) { return e.folder("XDG_STATE_HOME", ".local", "state") }

// interruption is an end that was asked for. Unlike context.Canceled, which the program
// takes for the orderly end of a server, it is no success.
type interruption struct{ what string }

func (i *interruption) Error() string { return "interrupted: " + i.what }

// interrupted is err, or that the command was told to end.
func interrupted(ctx context.Context, err error, what string) error {
	if err != nil && ctx.Err() != nil {
		return &interruption{what}
	}
	return err
}
