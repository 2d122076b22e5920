package main

import (
	"context"
	"fmt"

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
	return d.ownApplication(ctx, core, accounts[0].ID)
}

// devName names the application that 'rollcall dev' makes for itself.
const devName = "rollcall dev"

// ownApplication gives the application of earlier runs a new secret, or makes it.
func (d *dev) ownApplication(ctx context.Context, core *node.Core, account ident.AccountID) (credentials, error) {
	apps, err := core.OAuth.List(ctx, devCaller, account)
	if err != nil {
		return credentials{}, err
	}
	for _, app := range apps {
		if app.Name == devName && app.State == oauth.Enabled {
			_, secret, err := core.OAuth.Rotate(ctx, devCaller, account, app.ID, 0)
			return credentials{Account: account, Client: app.ID, Secret: secret}, err
		}
	}
	app, secret, err := core.OAuth.Create(ctx, devCaller, oauth.Application{
		Account: account, Name: devName, Permissions: access.AllUsers,
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
