package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/terminal"
	"github.com/rollcall-id/rollcall/internal/usage"
)

type usageCmd struct {
	Since string `help:"From the hour of this time on: 2026-08-01, 2026-08-01T09:00:00Z, or how long ago, such as 24h." default:"24h" placeholder:"TIME"`
}

// Help gives an example.
func (usageCmd) Help() string {
	return "A running server adds its counts every few seconds.\n\n\trollcall admin usage --since 168h --data /var/lib/rollcall"
}

// usageView is one counter as it is printed.
type usageView struct {
	Hour      time.Time      `json:"hour"`
	ClientID  ident.ClientID `json:"client_id"`
	UserAgent string         `json:"user_agent"`
	Requests  int64          `json:"requests"`
	Errors    int64          `json:"errors"`
	Limited   int64          `json:"limited"`
}

// Run shows the counters of one account.
func (cmd *usageCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	since, err := readMoment("--since", cmd.Since, w.now())
	if err != nil {
		return err
	}
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		rows, err := d.Store.Usage(ctx, account, since)
		if err != nil {
			return err
		}
		l := terminal.NewList(d.out, []string{"hour", "client id", "requests", "errors", "limited", "user agent"}, func(v usageView) []string {
			return []string{
				moment(v.Hour), string(v.ClientID), fmt.Sprint(v.Requests), fmt.Sprint(v.Errors), fmt.Sprint(v.Limited), v.UserAgent,
			}
		})
		for _, r := range rows {
			if err := l.Add(viewUsage(r)); err != nil {
				return err
			}
		}
		return l.End("Nobody called since then.")
	})
}

func viewUsage(r usage.Row) usageView {
	return usageView{r.Hour, r.Client, r.UserAgent, r.Requests, r.Errors, r.Limited}
}

type backupCmd struct {
	File string `arg:"" help:"New file to copy to." type:"path"`
}

// Help gives an example.
func (backupCmd) Help() string {
	return `The copy is of one moment, and only you can read it. A running server is not held up. It holds everything but secrets and tokens in clear, which exist nowhere.

	rollcall admin backup /backup/rollcall-monday.db --data /var/lib/rollcall`
}

// Run copies the database.
func (cmd *backupCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		if err := d.Store.Backup(ctx, cmd.File); err != nil {
			return err
		}
		info, err := os.Stat(cmd.File)
		if err != nil {
			return fmt.Errorf("look at the copy: %w", err)
		}
		view := struct {
			File  string `json:"file"`
			Bytes int64  `json:"bytes"`
		}{cmd.File, info.Size()}
		return d.out.One(view, fmt.Sprintf("The database is copied to %s (%d bytes).", cmd.File, info.Size()))
	})
}

type restoreCmd struct {
	File string `arg:"" help:"A copy that 'rollcall admin backup' made." type:"path"`
	Yes  bool   `help:"Do it without being asked."`
}

// Help gives an example.
func (restoreCmd) Help() string {
	return `No server may run on the folder. The copy is checked as a whole first, and the database that was there is kept beside it. Secrets rotated and tokens revoked since the copy was made count again: rotate and revoke them anew.

	rollcall admin restore /backup/rollcall-monday.db --yes --data /var/lib/rollcall`
}

// Run puts the copy in place.
func (cmd *restoreCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	if a.Data == "" {
		return store.ErrNotEmbedded
	}
	exists, err := store.Exists(a.Data)
	if err != nil {
		return fmt.Errorf("look for the database: %w", err)
	}
	if exists {
		consequence := fmt.Sprintf("Restoring takes the database in %s out of use: everything since %s was made is gone.", a.Data, cmd.File)
		if err := terminal.Confirm(ctx, w.stdin, w.stderr, cmd.Yes, consequence); err != nil {
			return err
		}
	}
	kept, err := store.Restore(ctx, a.Data, cmd.File, w.now())
	if err != nil {
		return err
	}
	view := struct {
		Data string `json:"data"`
		Kept string `json:"kept,omitempty"`
	}{a.Data, kept}
	lines := []string{fmt.Sprintf("%s is restored into %s.", cmd.File, a.Data)}
	if kept != "" {
		lines = append(lines, "The database that was there is kept as "+kept)
	}
	return terminal.NewPrinter(w.stdout, w.stderr, a.Output == "json").One(view, lines...)
}

type migrateCmd struct {
	Status bool `help:"Only list the steps and when each was applied; exit status 1 if one is missing."`
}

// Help gives an example.
func (migrateCmd) Help() string {
	return `A server does this itself when it starts; back the database up first. An empty folder gets an empty database.

	rollcall admin migrate --data /var/lib/rollcall`
}

// migrationView is one step of the schema.
type migrationView struct {
	Version int64      `json:"version"`
	Name    string     `json:"name"`
	Applied *time.Time `json:"apply_time"`
}

// Run migrates, and lists the steps.
func (cmd *migrateCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	o := store.Options{}
	if cmd.Status {
		if err := a.mustExist(); err != nil {
			return err
		}
		o = store.Options{MustExist: true, NoMigrate: true}
	}
	return a.workOn(ctx, w, o, func(ctx context.Context, d *desk) error {
		steps, err := d.Store.Migrations(ctx)
		if err != nil {
			return err
		}
		l := terminal.NewList(d.out, []string{"version", "applied", "name"}, func(v migrationView) []string {
			applied := ""
			if v.Applied != nil {
				applied = moment(*v.Applied)
			}
			return []string{fmt.Sprint(v.Version), applied, v.Name}
		})
		for _, step := range steps {
			v := migrationView{Version: step.Version, Name: step.Name}
			if !step.Applied.IsZero() {
				at := step.Applied.UTC()
				v.Applied = &at
			}
			if err := l.Add(v); err != nil {
				return err
			}
		}
		return l.End("This rollcall knows no step.")
	})
}
