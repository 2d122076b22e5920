package main

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"List entries, the newest first."`
	Export auditExportCmd `cmd:"" help:"Write entries to a file, the newest first."`
	Verify auditVerifyCmd `cmd:"" help:"Check that the record is what was written."`
}

// entryView is an entry as it is printed and exported.
type entryView struct {
	ID        ident.EntryID   `json:"id"`
	Account   ident.AccountID `json:"account_id"`
	Time      time.Time       `json:"time"`
	ActorKind access.Kind     `json:"actor_kind"`
	Actor     string          `json:"actor"`
	Action    audit.Action    `json:"action"`
	Target    string          `json:"target"`
	Outcome   audit.Outcome   `json:"outcome"`
	Detail    string          `json:"detail"`
	Address   netip.Addr      `json:"address"`
	UserAgent string          `json:"user_agent"`
	RequestID ident.RequestID `json:"request_id"`
	Count     int64           `json:"count"`
	Seq       int64           `json:"seq"`
	Prev      string          `json:"prev_hash"`
	Hash      string          `json:"hash"`
}

func viewEntry(e audit.Entry) entryView {
	return entryView{
		e.ID, e.Account, e.At, e.ActorKind, e.Actor, e.Action, e.Target, e.Outcome, e.Detail, e.Address,
		e.UserAgent, e.RequestID, e.Count, e.Seq, e.Prev.String(), e.Hash.String(),
	}
}

// selection says which entries of the record are wanted.
type selection struct {
	Actions  []string `help:"Only these actions, such as users.suspend; a * at the end stands for anything." name:"action" placeholder:"ACTION"`
	Actor    string   `help:"Only those by this client id or login name." placeholder:"WHO"`
	Target   string   `help:"Only those on this user id, client id or account id." placeholder:"ID"`
	Outcomes []string `help:"Only these outcomes: ${enum}." name:"outcome" enum:"done,unchanged,refused,denied,limited" placeholder:"OUTCOME"`
	Since    string   `help:"Only those from this time on: 2026-08-01, 2026-08-01T09:00:00Z, or how long ago, such as 24h." placeholder:"TIME"`
	Until    string   `help:"Only those before this time." placeholder:"TIME"`
	Unknown  bool     `help:"Those of callers whose account is not known, as with an unknown client id, instead of an account's."`
}

// query is a selection whose times have been read.
type query struct {
	selection
	account      ident.AccountID
	since, until time.Time // zero = not bounded
}

func (s selection) query(now time.Time) (query, error) {
	q := query{selection: s}
	var err error
	if q.since, err = readMoment("--since", s.Since, now); err != nil {
		return q, err
	}
	q.until, err = readMoment("--until", s.Until, now)
	return q, err
}

// readMoment reads a date (UTC), a time, or how long ago it was.
func readMoment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, terminal.Misused("%s=%q is no time: give 2026-08-01, 2026-08-01T09:00:00Z, or how long ago, such as 24h", flag, text)
}

// wants tells whether an entry is selected.
func (q query) wants(e audit.Entry) bool {
	return matches(q.Actions, string(e.Action)) && matches(q.Outcomes, string(e.Outcome)) &&
		(q.Actor == "" || q.Actor == e.Actor) && (q.Target == "" || q.Target == e.Target) &&
		!e.At.Before(q.since) && (q.until.IsZero() || e.At.Before(q.until))
}

func matches(wanted []string, have string) bool {
	for _, w := range wanted {
		if start, open := strings.CutSuffix(w, "*"); w == have || (open && strings.HasPrefix(have, start)) {
			return true
		}
	}
	return len(wanted) == 0
}

// entriesAtOnce is how many entries are in memory at once.
const entriesAtOnce = 500

// each calls yield for the selected entries from the newest to the oldest, until it
// returns false.
func (q query) each(ctx context.Context, r audit.Reader, yield func(audit.Entry) (bool, error)) error {
	before, err := q.start()
	for err == nil {
		entries, readErr := r.Entries(ctx, q.account, before, entriesAtOnce)
		if readErr != nil || len(entries) == 0 {
			return readErr
		}
		for _, e := range entries {
			// Ids sort by the millisecond: within one, times may go up and down.
			if e.At.Before(q.since.Add(-time.Millisecond)) {
				return nil
			}
			if !q.wants(e) {
				continue
			}
			if more, err := yield(e); err != nil || !more {
				return err
			}
		}
		before, err = entries[len(entries)-1].ID, ctx.Err()
	}
	return err
}

// start is an id after every entry that can be selected.
func (q query) start() (ident.EntryID, error) {
	if q.until.IsZero() {
		return "", nil
	}
	id, err := ident.NewEntryID(q.until.Add(time.Millisecond), zeroes{})
	if err != nil {
		return "", terminal.Misused("--until=%q is out of range: 1970 to 10888", q.Until)
	}
	return id, nil
}

// zeroes reads as endless zero bytes.
type zeroes struct{}

// Read implements io.Reader.
func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// chosen returns the query for the account that was chosen.
func (s selection) chosen(ctx context.Context, d *desk) (query, error) {
	q, err := s.query(d.world.now())
	if err != nil || s.Unknown {
		return q, err
	}
	q.account, err = d.account(ctx)
	return q, err
}

type auditListCmd struct {
	selection
	Limit int `help:"How many at most; 0 = all." default:"50" placeholder:"N"`
}

// Help gives an example.
func (auditListCmd) Help() string {
	return "Example:\n\n\trollcall admin audit list --action users.suspend --outcome refused --since 24h --data /var/lib/rollcall"
}

// Run lists entries as they are read.
func (cmd *auditListCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	if cmd.Limit < 0 {
		return terminal.Misused("--limit=%d: give 0 for all, or how many at most", cmd.Limit)
	}
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		q, err := cmd.chosen(ctx, d)
		if err != nil {
			return err
		}
		headings := []string{"time", "action", "outcome", "actor", "target", "count", "address", "user agent", "detail"}
		l := terminal.NewList(d.out, headings, func(v entryView) []string {
			return []string{
				v.Time.Format(time.RFC3339Nano), string(v.Action), string(v.Outcome), v.Actor, v.Target,
				fmt.Sprint(v.Count), audit.AddressText(v.Address), v.UserAgent, v.Detail,
			}
		})
		err = q.each(ctx, d.Store, func(e audit.Entry) (bool, error) {
			err := l.Add(viewEntry(e))
			return cmd.Limit == 0 || l.Count() < cmd.Limit, err
		})
		if err != nil {
			return err
		}
		return l.End("No entry is like that.")
	})
}

type auditExportCmd struct {
	File   string `arg:"" help:"New file, or - for standard output." type:"path"`
	Format string `help:"json (one object a line) or csv. Default: csv where the file's name ends so." enum:",json,csv" default:"" placeholder:"FORMAT"`
	selection
}

// Help gives an example.
func (auditExportCmd) Help() string {
	return `JSON lines hold the entries exactly. CSV is for spreadsheets: a cell that would be a formula begins with an apostrophe, and control characters are escaped.

	rollcall admin audit export august.csv --since 2026-08-01 --until 2026-09-01 --data /var/lib/rollcall`
}

// csv tells whether to write CSV.
func (cmd *auditExportCmd) csv() bool {
	return cmd.Format == "csv" || (cmd.Format == "" && strings.EqualFold(filepath.Ext(cmd.File), ".csv"))
}

// Run exports the selected entries.
func (cmd *auditExportCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		q, err := cmd.chosen(ctx, d)
		if err != nil {
			return err
		}
		if cmd.File == "-" {
			_, err := exportEntries(ctx, w.stdout, cmd.csv(), q, d.Store)
			return err
		}
		n, err := exportFile(ctx, cmd.File, cmd.csv(), q, d.Store)
		if err != nil {
			return err
		}
		view := struct {
			File    string `json:"file"`
			Entries int    `json:"entries"`
		}{cmd.File, n}
		return d.out.One(view, fmt.Sprintf("%d entries are written to %s.", n, cmd.File))
	})
}
