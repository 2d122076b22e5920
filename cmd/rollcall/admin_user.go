package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/roster"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

type userCmd struct {
	Add    userAddCmd    `cmd:"" help:"Add a person."`
	List   userListCmd   `cmd:"" help:"List people in any state, by id."`
	Import userImportCmd `cmd:"" help:"Add the people of a file, all or none."`
	Invite userInviteCmd `cmd:"" help:"Make a link with which somebody PENDING confirms."`
	Reset  userResetCmd  `cmd:"" help:"Take somebody's ways to sign in away, and make a link with which they begin anew."`
}

// userView is a person as they are printed.
type userView struct {
	ID          ident.UserID    `json:"id"`
	Email       ident.Email     `json:"email"`
	DisplayName string          `json:"display_name"`
	State       directory.State `json:"state"`
	Type        directory.Type  `json:"type"`
	Groups      []string        `json:"groups"`
	CreateTime  time.Time       `json:"create_time"`
}

func viewUser(u directory.User) userView {
	groups := u.Groups
	if groups == nil {
		groups = []string{}
	}
	return userView{u.ID, u.Email, u.DisplayName, u.State, u.Type, groups, u.CreateTime}
}

type userAddCmd struct {
	Email  string   `arg:"" help:"E-mail address, unique in the account."`
	Name   string   `help:"Display name, up to 200 characters." required:"" placeholder:"NAME"`
	ID     string   `help:"User id. Default: a new one is made." placeholder:"ID"`
	State  string   `help:"${enum}." enum:"ACTIVE,SUSPENDED,PENDING" default:"ACTIVE" placeholder:"STATE"`
	Type   string   `help:"${enum}." enum:"member,guest,externally_managed" default:"member" placeholder:"TYPE"`
	Groups []string `help:"Groups to put them in; owners, administrators and security carry roles." name:"group" placeholder:"GROUP"`
}

// Help gives an example.
func (userAddCmd) Help() string {
	return "Example:\n\n\trollcall admin user add ada@example.com --name \"Ada Byron\" --group owners --data /var/lib/rollcall"
}

// Run adds the person.
func (cmd *userAddCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	if err := checkGroups(cmd.Groups...); err != nil {
		return err
	}
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		u, err := d.Directory.AddUser(ctx, d.caller, account, directory.User{
			ID: ident.UserID(cmd.ID), Email: ident.Email(cmd.Email), DisplayName: cmd.Name,
			State: directory.State(cmd.State), Type: directory.Type(cmd.Type), Groups: cmd.Groups,
		})
		if err != nil {
			return err
		}
		return d.out.One(viewUser(u), fmt.Sprintf("%s <%s> is added with the id %s.", u.DisplayName, u.Email, u.ID))
	})
}

// checkGroups refuses names of groups before a database is opened.
func checkGroups(names ...string) error {
	for _, name := range names {
		if err := directory.ValidateGroup(name); err != nil {
			return err
		}
	}
	return nil
}

type userListCmd struct {
	States []string `help:"Only those in these states." name:"state" enum:"ACTIVE,SUSPENDED,PENDING" placeholder:"STATE"`
	Group  string   `help:"Only members of this group." placeholder:"GROUP"`
	Limit  int      `help:"How many at most; 0 = all." default:"1000" placeholder:"N"`
}

// Help gives an example.
func (userListCmd) Help() string {
	return "Example:\n\n\trollcall admin user list --group owners --state ACTIVE --data /var/lib/rollcall"
}

// wants tells whether the person is to be listed.
func (cmd *userListCmd) wants(u directory.User) bool {
	return (len(cmd.States) == 0 || slices.Contains(cmd.States, string(u.State))) &&
		(cmd.Group == "" || slices.Contains(u.Groups, cmd.Group))
}

// Run lists people as they are read, whatever their number.
func (cmd *userListCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	if cmd.Limit < 0 {
		return terminal.Misused("--limit=%d: give 0 for all, or how many at most", cmd.Limit)
	}
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		l := terminal.NewList(d.out, []string{"id", "state", "type", "created", "email", "groups", "name"}, func(v userView) []string {
			return []string{
				string(v.ID), string(v.State), string(v.Type), moment(v.CreateTime),
				string(v.Email), strings.Join(v.Groups, ","), v.DisplayName,
			}
		})
		var printErr error
		more := false
		err = d.Directory.EachUser(ctx, d.caller, account, func(u directory.User) bool {
			if !cmd.wants(u) {
				return true
			}
			if more = cmd.Limit > 0 && l.Count() == cmd.Limit; more {
				return false
			}
			printErr = l.Add(viewUser(u))
			return printErr == nil
		})
		if err == nil {
			err = printErr
		}
		if err != nil {
			return err
		}
		if err := l.End("There is nobody to list."); err != nil {
			return err
		}
		if more {
			d.out.Remark("There are more: add --limit 0 to list all.")
		}
		return nil
	})
}

type userImportCmd struct {
	File string `arg:"" help:"People as .csv (the first line names the columns), .json (a list) or .jsonl." type:"path"`
}

// Help says what a file holds.
func (userImportCmd) Help() string {
	return `Columns or fields: email and display_name; and if wanted id, state, type, groups (in CSV separated by ;) and create_time. If anything is wrong, nobody is added, and each bad row is named by its line.

	rollcall admin user import people.csv --data /var/lib/rollcall`
}

// Run imports the file.
func (cmd *userImportCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		file, err := roster.OpenUsers(cmd.File)
		if err != nil {
			return err
		}
		n, err := file.Import(ctx, d.caller, d.Directory, account, showProgress(w.stderr))
		if err != nil {
			return fmt.Errorf("nobody was added:\n%w", err)
		}
		view := struct {
			Account ident.AccountID `json:"account_id"`
			Added   int             `json:"added"`
		}{account, n}
		return d.out.One(view, fmt.Sprintf("People added to account %s: %d.", account, n))
	})
}

// showProgress draws a bar on a terminal, and nothing elsewhere.
func showProgress(stderr io.Writer) roster.Progress {
	if !terminal.IsTerminal(stderr) {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(stderr),
				progressbar.OptionSetDescription("adding people"), progressbar.OptionShowCount(),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set(done) // a bar that can't be drawn stops no import
	}
}
