package main

import (
	"errors"
	"fmt"

	"github.com/rollcall-id/rollcall/internal/envfile"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// secretView is what is told of a new secret: itself, or where it was written.
type secretView struct {
	Secret  string `json:"client_secret,omitempty"`
	EnvFile string `json:"env_file,omitempty"`
}

// errSecretLost means that a secret was made and nobody can know it.
var errSecretLost = errors.New("the new secret could not be written")

// handOver has a secret made and gives it to the person: in a file that only they can
// read if they named one, else in the answer. That the file can be written is tried
// before the secret is made, for it can't be had a second time.
func handOver(envFile string, create func() (credentials, error)) (secretView, error) {
	if envFile == "" {
		c, err := create()
		return secretView{Secret: c.Secret.Reveal()}, err
	}
	file, err := envfile.Begin(envFile)
	if err != nil {
		return secretView{}, err
	}
	c, err := create()
	if err != nil {
		return secretView{}, errors.Join(err, file.Discard())
	}
	if err := file.Finish(c.applicationAssignments()); err != nil {
		return secretView{}, fmt.Errorf("%w: %w", errSecretLost, err)
	}
	return secretView{EnvFile: envFile}, nil
}

// afterHandOver says what to do where a secret was made and lost.
func (d *desk) afterHandOver(err error, account ident.AccountID, client ident.ClientID) error {
	if !errors.Is(err, errSecretLost) {
		return err
	}
	return fmt.Errorf("%w\nthe application is there: make another secret with %s", err, d.hintIn(account, "app rotate "+string(client)))
}

// tellSecret prints what was made, and that the secret is not shown again.
func (d *desk) tellSecret(view any, secret secretView, lines ...string) error {
	if secret.EnvFile != "" {
		return d.out.One(view, append(lines, "client secret  written to "+secret.EnvFile)...)
	}
	if err := d.out.One(view, append(lines, "client secret  "+secret.Secret)...); err != nil {
		return err
	}
	d.out.Remark("Keep the secret now: it is stored only as a hash and is not shown again.")
	return nil
}
