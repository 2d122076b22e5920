package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

type appCmd struct {
	Create  appCreateCmd  `cmd:"" help:"Create an application and its secret."`
	List    appListCmd    `cmd:"" help:"List an account's applications."`
	Rotate  appRotateCmd  `cmd:"" help:"Make a new secret; the old one works on for an overlap."`
	Disable appDisableCmd `cmd:"" help:"Refuse an application and its tokens until it is enabled again."`
	Enable  appEnableCmd  `cmd:"" help:"Let a disabled application in again."`
	Delete  appDeleteCmd  `cmd:"" help:"Delete an application; its secrets and tokens end at once."`
}

// appView is an application as it is printed.
type appView struct {
	ClientID    ident.ClientID         `json:"client_id"`
	Account     ident.AccountID        `json:"account_id"`
	Name        string                 `json:"name"`
	Description string                 `json:"description"`
	RedirectURL string                 `json:"redirect_url"`
	Permissions []string               `json:"permissions"`
	State       oauth.ApplicationState `json:"state"`
	CreateTime  time.Time              `json:"create_time"`
}

func viewApp(a oauth.Application) appView {
	return appView{a.ID, a.Account, a.Name, a.Description, a.RedirectURL, access.AllOf(a.Permissions), a.State, a.CreateTime}
}

type appCreateCmd struct {
	Name        string   `arg:"" help:"Name, up to 100 characters."`
	Permissions []string `help:"What it may do: users.list, users.get, users.suspend, users.reactivate, and to manage applications oauth_clients.read, oauth_clients.write." required:"" placeholder:"PERMISSION" suggest:"permissions"`
	Description string   `help:"What it is for, up to 1000 characters." placeholder:"TEXT"`
	RedirectURL string   `help:"An https URL; kept and never used." placeholder:"URL"`
	ClientID    string   `help:"Client id. Default: a new one is made." placeholder:"ID"`
	EnvFile     string   `help:"${secret_file}" placeholder:"FILE" type:"path"`
}

// Help gives an example.
func (appCreateCmd) Help() string {
	return `The secret is printed once, or written to a file that only you can read:

	rollcall admin app create "Alarm bridge" --permissions users.list,users.suspend --env-file bridge.env --data /var/lib/rollcall`
}

// Run creates the application.
func (cmd *appCreateCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	permissions, err := access.ParseSet(cmd.Permissions)
	if err != nil {
		return err
	}
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		var made oauth.Application
		secret, err := handOver(cmd.EnvFile, func() (credentials, error) {
			app, secret, err := d.OAuth.Create(ctx, d.caller, oauth.Application{
				ID: ident.ClientID(cmd.ClientID), Account: account, Name: cmd.Name, Description: cmd.Description,
				RedirectURL: cmd.RedirectURL, Permissions: permissions,
			}, oauth.ClientSecret{})
			made = app
			return credentials{Account: account, Client: app.ID, Secret: secret}, err
		})
		if err != nil {
			return d.afterHandOver(err, account, made.ID)
		}
		view := struct {
			appView
			secretView
		}{viewApp(made), secret}
		return d.tellSecret(view, secret, "account id     "+string(account), "client id      "+string(made.ID))
	})
}

type appListCmd struct{}

// Help gives an example.
func (appListCmd) Help() string {
	return "Example:\n\n\trollcall admin app list --data /var/lib/rollcall"
}

// Run lists the applications by creation.
func (appListCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		apps, err := d.OAuth.List(ctx, d.caller, account)
		if err != nil {
			return err
		}
		l := terminal.NewList(d.out, []string{"client id", "state", "created", "permissions", "name"}, func(v appView) []string {
			return []string{string(v.ClientID), string(v.State), moment(v.CreateTime), strings.Join(v.Permissions, ","), v.Name}
		})
		for _, app := range apps {
			if err := l.Add(viewApp(app)); err != nil {
				return err
			}
		}
		return l.End("The account has no application: make one with " + d.hintIn(account, "app create NAME --permissions users.list"))
	})
}

// chosenApp is the application a command is about.
type chosenApp struct {
	ClientID string `arg:"" help:"The application's client id."`
}

// on does one thing to the application, and says so if there is none.
func (c chosenApp) on(ctx context.Context, w *world, a *adminCmd, do func(*desk, ident.AccountID, ident.ClientID) error) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		err = do(d, account, ident.ClientID(c.ClientID))
		if isNotFound(err) {
			return fmt.Errorf("account %s has no application %s: %s shows those it has",
				account, strconv.Quote(c.ClientID), d.hintIn(account, "app list"))
		}
		return err
	})
}

type appRotateCmd struct {
	chosenApp
	Overlap time.Duration `help:"How long the old secret works on: 0s to 168h. Tokens it obtained end with it." default:"24h" placeholder:"DURATION"`
	EnvFile string        `help:"${secret_file}" placeholder:"FILE" type:"path"`
}

// Help gives an example.
func (appRotateCmd) Help() string {
	return "With --overlap 0s the old secret and its tokens end at once.\n\n\trollcall admin app rotate 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --overlap 24h --env-file bridge.env --data /var/lib/rollcall"
}

// Validate judges the overlap before anything is opened.
func (cmd *appRotateCmd) Validate() error {
	if cmd.Overlap < 0 || cmd.Overlap > oauth.MaxOverlap {
		return fmt.Errorf("--overlap=%s is out of range: 0s to 168h", cmd.Overlap)
	}
	return nil
}

// Run makes a new secret.
func (cmd *appRotateCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return cmd.on(ctx, w, a, func(d *desk, account ident.AccountID, id ident.ClientID) error {
		secret, err := handOver(cmd.EnvFile, func() (credentials, error) {
			_, secret, err := d.OAuth.Rotate(ctx, d.caller, account, id, cmd.Overlap)
			return credentials{Account: account, Client: id, Secret: secret}, err
		})
		if err != nil {
			return d.afterHandOver(err, account, id)
		}
		ends := w.now().Add(cmd.Overlap).UTC().Truncate(time.Second)
		view := struct {
			ClientID   ident.ClientID `json:"client_id"`
			OverlapEnd time.Time      `json:"overlap_end_time"`
			secretView
		}{id, ends, secret}
		return d.tellSecret(view, secret, "client id      "+string(id), "old secret     works until "+moment(ends))
	})
}

type appDisableCmd struct{ chosenApp }

// Help gives an example.
func (appDisableCmd) Help() string {
	return "It holds from the server's next request on.\n\n\trollcall admin app disable 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --data /var/lib/rollcall"
}

// Run disables the application.
func (cmd *appDisableCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return cmd.setState(ctx, w, a, oauth.Disabled)
}

type appEnableCmd struct{ chosenApp }

// Help gives an example.
func (appEnableCmd) Help() string {
	return "Its tokens that have not expired meanwhile count again.\n\n\trollcall admin app enable 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --data /var/lib/rollcall"
}

// Run enables the application.
func (cmd *appEnableCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return cmd.setState(ctx, w, a, oauth.Enabled)
}

func (c chosenApp) setState(ctx context.Context, w *world, a *adminCmd, state oauth.ApplicationState) error {
	return c.on(ctx, w, a, func(d *desk, account ident.AccountID, id ident.ClientID) error {
		_, changed, err := d.OAuth.SetState(ctx, d.caller, account, id, state)
		if err != nil {
			return err
		}
		view := struct {
			ClientID ident.ClientID         `json:"client_id"`
			State    oauth.ApplicationState `json:"state"`
			Changed  bool                   `json:"changed"`
		}{id, state, changed}
		if !changed {
			return d.out.One(view, fmt.Sprintf("Application %s was already %s.", id, state))
		}
		return d.out.One(view, fmt.Sprintf("Application %s is %s.", id, state))
	})
}

type appDeleteCmd struct {
	chosenApp
	Yes bool `help:"Do it without being asked."`
}

// Help gives an example.
func (appDeleteCmd) Help() string {
	return "It can't be taken back; to refuse it for a while, disable it.\n\n\trollcall admin app delete 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --yes --data /var/lib/rollcall"
}

// Run deletes the application.
func (cmd *appDeleteCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return cmd.on(ctx, w, a, func(d *desk, account ident.AccountID, id ident.ClientID) error {
		app, err := d.Store.Application(ctx, account, id)
		if err != nil {
			return err
		}
		consequence := fmt.Sprintf("Deleting application %s (%s) ends its secrets and tokens for good.", id, terminal.Visible(app.Name))
		if err := terminal.Confirm(ctx, w.stdin, w.stderr, cmd.Yes, consequence); err != nil {
			return err
		}
		if err := d.OAuth.Delete(ctx, d.caller, account, id); err != nil {
			return err
		}
		view := struct {
			ClientID ident.ClientID `json:"client_id"`
			Deleted  bool           `json:"deleted"`
		}{id, true}
		return d.out.One(view, fmt.Sprintf("Application %s (%s) is deleted.", id, app.Name))
	})
}
