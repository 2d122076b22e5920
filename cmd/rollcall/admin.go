package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/config"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

type adminCmd struct {
	config.Database
	AccountID string `help:"Account to work on. It may be left out where there is only one." name:"account" env:"ROLLCALL_ACCOUNT_ID" placeholder:"ID"`
	Output    string `help:"How results are printed: ${enum}." enum:"table,json" default:"table" placeholder:"FORMAT"`

	Account accountCmd `cmd:"" help:"Accounts: create, list, close, reopen."`
	User    userCmd    `cmd:"" help:"People: add, list, import from a file."`
	Group   groupCmd   `cmd:"" help:"Groups of people: add to, remove from."`
	App     appCmd     `cmd:"" help:"OAuth applications: create, list, rotate the secret, disable, enable, delete."`
	Audit   auditCmd   `cmd:"" help:"The audit record: list, export, verify."`
	Usage   usageCmd   `cmd:"" help:"Show how often each application called, by the hour."`
	Backup  backupCmd  `cmd:"" help:"Copy the database to a new file, also while the server runs."`
	Restore restoreCmd `cmd:"" help:"Put a copy in the place of the database, while no server runs."`
	Copy    copyCmd    `cmd:"" help:"Move everything to another database: from a folder to a PostgreSQL server, or back."`
	Migrate migrateCmd `cmd:"" help:"Bring the database up to this version of rollcall."`
}

// Help describes what all of them share.
func (*adminCmd) Help() string {
	return `Everything here works on the database in --data or --database, also while a server runs on it: a change holds from the server's next request on. The audit record names you by your login name.

Examples:

	rollcall admin account create "Example Ltd" --data /var/lib/rollcall
	rollcall admin app list --data /var/lib/rollcall --output json`
}

// AfterApply asks for the database, after kong has seen whether a command is missing.
func (a *adminCmd) AfterApply(k *kong.Context) error {
	if strings.HasPrefix(k.Command(), "admin copy") {
		return nil // it names two by itself
	}
	return a.Database.Check()
}

// desk is where one administrative command works: the open database, who asks, and
// where answers go.
type desk struct {
	*node.Core
	command *adminCmd
	caller  access.Caller
	out     *terminal.Printer
	world   *world
}

// errInterrupted is what is left of a command that was told to end.
var errInterrupted = errors.New("interrupted: what had not been reported as done was not done")

// work opens the database that is there and does one piece of work on it.
func (a *adminCmd) work(ctx context.Context, w *world, do func(context.Context, *desk) error) error {
	if err := a.mustExist(); err != nil {
		return err
	}
	// A server may be running on it that does not know the newer schema.
	return a.workOn(ctx, w, store.Options{MustExist: true, NoMigrate: true}, do)
}

func (a *adminCmd) mustExist() error {
	if a.Data == "" {
		return nil // the server is asked when it is opened
	}
	exists, err := store.Exists(a.Data)
	if err != nil {
		return fmt.Errorf("look for the database: %w", err)
	}
	if !exists {
		return fmt.Errorf("there is no database in %[1]s: name its folder with --data, or begin one with 'rollcall admin account create NAME --data %[1]s'", a.Data)
	}
	return nil
}

func (a *adminCmd) workOn(ctx context.Context, w *world, o store.Options, do func(context.Context, *desk) error) (err error) {
	where, err := storeOptions(a.Database)
	if err != nil {
		return err
	}
	o.Dir, o.URL, o.Connections = where.Dir, where.URL, where.Connections
	core, err := node.OpenCore(ctx, node.CoreOptions{
		Store: o, Now: w.now, Rand: w.rand, Logger: w.logger(config.Logs{LogLevel: "warn", LogFormat: "text"}),
	})
	if err != nil {
		return interrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, core.Close()) }()
	err = do(ctx, &desk{
		Core: core, command: a, out: terminal.NewPrinter(w.stdout, w.stderr, a.Output == "json"), world: w,
		caller: access.Caller{Kind: access.Operator, Name: loginName()},
	})
	return interrupted(ctx, err)
}

// interrupted is err, or that the command was told to end: unlike a server's, such an end is no success.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// loginName is who the record says did it.
func loginName() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	if u.Username == "" {
		return "uid " + u.Uid
	}
	return u.Username
}

// account returns the account that was chosen, or the only one there is.
func (d *desk) account(ctx context.Context) (ident.AccountID, error) {
	accounts, err := d.Directory.Accounts(ctx, d.caller)
	if err != nil {
		return "", err
	}
	wanted := ident.AccountID(d.command.AccountID)
	switch {
	case len(accounts) == 0:
		return "", fmt.Errorf("the database holds no account: make one with %s", d.hint("account create NAME"))
	case wanted == "" && len(accounts) == 1:
		return accounts[0].ID, nil
	case wanted == "":
		return "", terminal.Misused("there are %d accounts: choose one with --account ID; %s shows them", len(accounts), d.hint("account list"))
	}
	for _, a := range accounts {
		if a.ID == wanted {
			return a.ID, nil
		}
	}
	return "", fmt.Errorf("there is no account %s: %s shows those there are", strconv.Quote(string(wanted)), d.hint("account list"))
}

// person finds somebody by id or e-mail address.
func (d *desk) person(ctx context.Context, account ident.AccountID, who string) (directory.User, error) {
	u, err := d.Directory.Find(ctx, d.caller, account, who)
	if isNotFound(err) {
		return u, fmt.Errorf("account %s has nobody with the id or e-mail address %s: %s shows who there is",
			account, strconv.Quote(who), d.hintIn(account, "user list"))
	}
	return u, err
}

// hint is an administrative command on this database, to be typed.
func (d *desk) hint(command string) string {
	return "'rollcall admin " + command + " " + d.command.Flag() + "'"
}

// hintIn is a hint for one account.
func (d *desk) hintIn(account ident.AccountID, command string) string {
	return d.hint(command + " --account " + string(account))
}
