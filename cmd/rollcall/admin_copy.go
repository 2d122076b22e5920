package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/config"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

type copyCmd struct {
	From             string `help:"Database to copy: sqlite:DIR or postgres://USER@HOST/DATABASE." required:"" placeholder:"DATABASE" env:"-"`
	To               string `help:"Empty database to copy to, the same; it is made or migrated if need be." required:"" placeholder:"DATABASE" env:"-"`
	FromPasswordFile string `help:"File that holds the password of --from." placeholder:"FILE" type:"path" env:"-"`
	ToPasswordFile   string `help:"File that holds the password of --to." placeholder:"FILE" type:"path" env:"-"`
}

// Help gives an example.
func (copyCmd) Help() string {
	return `Everything moves: accounts, people, groups, applications and their secrets' hashes, tokens that live, page keys, the audit record, usage. Stop the servers on both first: what they write meanwhile is not copied. It happens in one transaction, all or nothing, so that it can be run again; a database that holds anything else is refused. In the end the counts and the audit chains of both are compared.

	rollcall admin copy --from sqlite:/var/lib/rollcall --to postgres://rollcall@db.example.com/rollcall`
}

// place reads how --from and --to name a database.
func place(flag, text, passwordFile string) (config.Database, error) {
	d := config.Database{DatabaseConnections: store.LeastConnections, DatabasePasswordFile: passwordFile}
	if dir, ok := strings.CutPrefix(text, "sqlite:"); ok && dir != "" {
		d.Data = dir
		return d, nil
	}
	if strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") {
		d.Database = text
		return d, nil
	}
	return d, terminal.Misused("%s names no database: write sqlite:DIR or postgres://USER@HOST/DATABASE", flag)
}

// Run copies and verifies.
func (cmd *copyCmd) Run(ctx context.Context, w *world, a *adminCmd) (err error) {
	source, err := place("--from", cmd.From, cmd.FromPasswordFile)
	if err != nil {
		return err
	}
	target, err := place("--to", cmd.To, cmd.ToPasswordFile)
	if err != nil {
		return err
	}
	if source.Place() == target.Place() {
		return terminal.Misused("--from and --to name the same database")
	}
	// Exclusive where that can be: no server may write to a folder meanwhile.
	from, err := openPlace(ctx, w, source, store.Options{MustExist: true, NoMigrate: true, Exclusive: true})
	if err != nil {
		return interrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := openPlace(ctx, w, target, store.Options{Exclusive: true})
	if err != nil {
		return interrupted(ctx, err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	tables, err := store.Copy(ctx, from.Store, to.Store, copyProgress(w.stderr))
	if errors.Is(err, store.ErrNotEmpty) {
		return fmt.Errorf("%s: %w", target.Place(), err)
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	accounts, changes, err := compareRecords(ctx, from, to)
	if err != nil {
		return interrupted(ctx, err)
	}
	return reportCopy(terminal.NewPrinter(w.stdout, w.stderr, a.Output == "json"), source.Place(), target.Place(), tables, accounts, changes)
}

// copyView is what was copied.
type copyView struct {
	From     string           `json:"from"`
	To       string           `json:"to"`
	Rows     map[string]int64 `json:"rows"`
	Accounts int              `json:"accounts"`
	Changes  int64            `json:"changes_verified"`
}

func reportCopy(out *terminal.Printer, from, to string, tables []store.Copied, accounts int, changes int64) error {
	v := copyView{From: from, To: to, Rows: map[string]int64{}, Accounts: accounts, Changes: changes}
	var lines []string
	for _, t := range tables {
		v.Rows[t.Table] = t.Rows
		lines = append(lines, fmt.Sprintf("%-20s %d", t.Table, t.Rows))
	}
	lines = append(lines, fmt.Sprintf("Everything is there, and the record of %d accounts with %d changes is whole.", accounts, changes))
	return out.One(v, lines...)
}

func openPlace(ctx context.Context, w *world, d config.Database, o store.Options) (*node.Core, error) {
	where, err := storeOptions(d)
	if err != nil {
		return nil, err
	}
	o.Dir, o.URL, o.Connections = where.Dir, where.URL, where.Connections
	core, err := node.OpenCore(ctx, node.CoreOptions{
		Store: o, Now: w.now, Rand: w.rand, Logger: w.logger(config.Logs{LogLevel: "warn", LogFormat: "text"}),
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Place(), err)
	}
	return core, nil
}

// compareRecords verifies the record of each account in the copy and that it ends where
// the original's does.
func compareRecords(ctx context.Context, from, to *node.Core) (accounts int, changes int64, err error) {
	list, err := from.Store.Accounts(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, a := range list {
		want, err := from.Store.Head(ctx, a.ID)
		if err != nil {
			return 0, 0, err
		}
		got, err := to.Store.Head(ctx, a.ID)
		if err != nil {
			return 0, 0, err
		}
		report, err := audit.Verify(ctx, to.Store, a.ID)
		switch {
		case err != nil:
			return 0, 0, err
		case got != want || len(report.Problems) > 0:
			return 0, 0, fmt.Errorf("the record of account %s in the copy has %d problems, and ends at %d where the original ends at %d",
				a.ID, len(report.Problems), got.Seq, want.Seq)
		}
		changes += report.Changes
	}
	return len(list), changes, nil
}

// copyProgress draws a bar at a terminal.
func copyProgress(stderr io.Writer) func(rows, total int64) {
	if !terminal.IsTerminal(stderr) {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(rows, total int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(stderr),
				progressbar.OptionSetDescription("copying rows"), progressbar.OptionShowCount(),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set64(rows) // a bar that can't be drawn stops no copy
	}
}
