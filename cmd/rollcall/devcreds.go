package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/roster"
)

// credentials is what a client needs to connect.
type credentials struct {
	BaseURL string
	Account ident.AccountID
	Client  ident.ClientID
	Secret  oauth.ClientSecret
	CAFile  string // empty without TLS
}

// The names under which credentials are written and read again.
const (
	envBaseURL = "ROLLCALL_BASE_URL"
	envAccount = "ROLLCALL_ACCOUNT_ID"
	envClient  = "ROLLCALL_CLIENT_ID"
	envSecret  = "ROLLCALL_CLIENT_SECRET" //nolint:gosec // a name, not a secret
	envCAFile  = "ROLLCALL_CA_FILE"
)

// appliedCredentials are those of the first application that was seeded.
func appliedCredentials(applied *roster.Applied) credentials {
	for _, a := range applied.Accounts {
		for _, app := range a.Applications {
			return credentials{Account: a.ID, Client: app.ID, Secret: app.Secret}
		}
	}
	return credentials{}
}

// seededCredentials are those a seed file gives in full, for a folder that was
// seeded with it before.
func seededCredentials(seed *roster.Seed) credentials {
	for _, a := range seed.Accounts {
		for _, app := range a.Applications {
			return credentials{Account: a.ID, Client: app.ID, Secret: app.Secret}
		}
	}
	return credentials{}
}

// ensureCredentials returns credentials that work: those of the seed, those an
// earlier run left in the environment file, or those of a new application, since the
// database knows secrets only by their hashes.
func (d *dev) ensureCredentials(ctx context.Context, core *node.Core, seeded credentials) (credentials, error) {
	for _, c := range []credentials{seeded, readEnvFile(d.EnvFile)} {
		if works(ctx, core, &c) {
			return c, nil
		}
	}
	accounts, err := core.Directory.Accounts(ctx, devCaller)
	if err != nil {
		return credentials{}, err
	}
	if len(accounts) == 0 {
		return credentials{}, fmt.Errorf("the database in %s holds no account: give an empty folder with --data, or make one with 'rollcall admin account create'", d.dir)
	}
	app, secret, err := core.OAuth.Create(ctx, devCaller, oauth.Application{
		Account: accounts[0].ID, Name: "rollcall dev", Permissions: access.All,
		Description: "Made by 'rollcall dev': the secrets of earlier applications are known only by their hashes.",
	}, oauth.ClientSecret{})
	return credentials{Account: app.Account, Client: app.ID, Secret: secret}, err
}

// works tells whether the credentials are live in this database, and sets their account.
func works(ctx context.Context, core *node.Core, c *credentials) bool {
	if c.Client == "" || c.Secret == (oauth.ClientSecret{}) {
		return false
	}
	client, err := core.OAuth.Verify(ctx, c.Client, c.Secret)
	c.Account = client.Account
	return err == nil
}

// writeEnvFile writes the credentials as shell assignments, whole or not at all,
// and so that only their owner reads them.
func writeEnvFile(path string, c credentials) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".rollcall-env-") // mode 0600
	if err != nil {
		return fmt.Errorf("write the environment file: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s=%s\n%s=%s\n%s=%s\n%s=%s\n%s=%s\n",
		envBaseURL, quote(c.BaseURL), envAccount, quote(string(c.Account)), envClient, quote(string(c.Client)),
		envSecret, quote(c.Secret.Reveal()), envCAFile, quote(c.CAFile))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the environment file: %w", err), ignoreMissing(os.Remove(f.Name())))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readEnvFile reads what an earlier run wrote; nothing if there is no such file.
func readEnvFile(path string) credentials {
	f, err := os.Open(path) //nolint:gosec // the operator names it
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

func unquote(s string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(s, "'"), "'"), `'\''`, "'")
}
