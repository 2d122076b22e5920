package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

func isNotFound(err error) bool { return fault.KindOf(err) == fault.KindNotFound }

type accountCmd struct {
	Create accountCreateCmd `cmd:"" help:"Create an account, and the database if the folder has none."`
	List   accountListCmd   `cmd:"" help:"List all accounts."`
	Close  accountCloseCmd  `cmd:"" help:"Close an account: nothing authenticates in it any more."`
	Reopen accountReopenCmd `cmd:"" help:"Open a closed account again."`
}

// accountView is an account as it is printed.
type accountView struct {
	ID           ident.AccountID        `json:"id"`
	Name         string                 `json:"name"`
	State        directory.AccountState `json:"state"`
	Provisioning directory.Provisioning `json:"provisioning"`
	CreateTime   time.Time              `json:"create_time"`
}

func viewAccount(a directory.Account) accountView {
	return accountView{a.ID, a.Name, a.State, a.Provisioning, a.CreateTime}
}

type accountCreateCmd struct {
	Name         string `arg:"" help:"Name, up to 100 characters."`
	ID           string `help:"Account id. Default: a new one is made." placeholder:"ID"`
	Provisioning string `help:"Whether a directory provisions its people from outside, and if so whether suspending them here is allowed: ${enum}." enum:"none,refuse,allow" default:"none" placeholder:"POLICY"`
}

// Help gives an example.
func (accountCreateCmd) Help() string {
	return `A first installation begins with it:

	rollcall admin account create "Example Ltd" --data /var/lib/rollcall`
}

// Validate judges what was typed before a database is made for it.
func (cmd *accountCreateCmd) Validate() error {
	if cmd.ID != "" {
		if err := ident.ValidateGiven("account id", cmd.ID); err != nil {
			return err
		}
	}
	return ident.ValidateText("the account's name", cmd.Name, directory.MaxName, false)
}

// Run creates the account.
func (cmd *accountCreateCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	exists := a.Data == "" // or made, but never brought up
	if !exists {
		var err error
		if exists, err = store.Exists(a.Data); err != nil {
			return fmt.Errorf("look for the database: %w", err)
		}
	}
	return a.workOn(ctx, w, store.Options{NoMigrate: exists}, func(ctx context.Context, d *desk) error {
		if !exists {
			d.out.Remark("Made a new database in %s.", a.Data)
		}
		made, err := d.Directory.CreateAccount(ctx, d.caller, directory.Account{
			ID: ident.AccountID(cmd.ID), Name: cmd.Name, Provisioning: directory.Provisioning(cmd.Provisioning),
		})
		if err != nil {
			return err
		}
		return d.out.One(viewAccount(made), "Account "+string(made.ID)+" ("+made.Name+") is made.",
			"Add its first owner with "+d.hintIn(made.ID, "user add EMAIL --name NAME --group owners"))
	})
}

type accountListCmd struct{}

// Help gives an example.
func (accountListCmd) Help() string {
	return "Example:\n\n\trollcall admin account list --data /var/lib/rollcall"
}

// Run lists the accounts by creation.
func (accountListCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		accounts, err := d.Directory.Accounts(ctx, d.caller)
		if err != nil {
			return err
		}
		l := terminal.NewList(d.out, []string{"id", "state", "provisioning", "created", "name"}, func(v accountView) []string {
			return []string{string(v.ID), string(v.State), string(v.Provisioning), moment(v.CreateTime), v.Name}
		})
		for _, account := range accounts {
			if err := l.Add(viewAccount(account)); err != nil {
				return err
			}
		}
		return l.End("There is no account: make one with " + d.hint("account create NAME"))
	})
}

// moment is a time as people read it, to the second and in UTC.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

type accountCloseCmd struct {
	Yes bool `help:"Do it without being asked."`
}

// Help gives an example.
func (accountCloseCmd) Help() string {
	return `Its applications are refused and their tokens stop counting at once. Nothing is deleted.

	rollcall admin account close --account IR7VTHYPI2UBOXEKQWGOCIPYDE --data /var/lib/rollcall`
}

// Run closes the account.
func (cmd *accountCloseCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		if err := terminal.Confirm(ctx, w.stdin, w.stderr, cmd.Yes, fmt.Sprintf("Closing account %s refuses all its applications at once.", account)); err != nil {
			return err
		}
		return d.setAccountState(ctx, account, directory.Closed)
	})
}

type accountReopenCmd struct{}

// Help gives an example.
func (accountReopenCmd) Help() string {
	return "Tokens that have not expired meanwhile count again.\n\n\trollcall admin account reopen --account IR7VTHYPI2UBOXEKQWGOCIPYDE --data /var/lib/rollcall"
}

// Run opens the account again.
func (accountReopenCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		return d.setAccountState(ctx, account, directory.Open)
	})
}

func (d *desk) setAccountState(ctx context.Context, id ident.AccountID, state directory.AccountState) error {
	if err := d.Directory.SetAccountState(ctx, d.caller, id, state); err != nil {
		return err
	}
	view := struct {
		ID    ident.AccountID        `json:"id"`
		State directory.AccountState `json:"state"`
	}{id, state}
	return d.out.One(view, fmt.Sprintf("Account %s is %s.", id, state))
}
