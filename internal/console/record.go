package console

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/records"
)

// recordFilter names the parameters that choose entries.
var recordFilter = []string{"actor", "target", "action", "outcome", "from", "until"}

// inputTime is how browsers write a time; it is taken for UTC, as the label says.
const inputTime = "2006-01-02T15:04"

// recordQuery reads what is looked for. wrong tells, by parameter, what can't be read.
func (c *Console) recordQuery(ctx context.Context, v *visit) (q audit.Query, wrong map[string]string) {
	wrong = map[string]string{}
	q = audit.Query{
		Actor: c.idOf(ctx, v, v.query("actor")), Target: c.idOf(ctx, v, v.query("target")),
		Action: audit.Action(v.query("action")), Outcome: audit.Outcome(v.query("outcome")), Before: ident.EntryID(v.query("before")),
	}
	for name, at := range map[string]*time.Time{"from": &q.From, "until": &q.Until} {
		text := strings.TrimSpace(v.query(name))
		if text == "" {
			continue
		}
		t, err := time.Parse(inputTime, strings.TrimSuffix(text, "Z"))
		if err != nil {
			t, err = time.Parse("2006-01-02", text)
		}
		if err != nil {
			wrong[name] = "Write a time like 2026-11-27T14:20."
			continue
		}
		*at = t
	}
	return q, wrong
}

// idOf lets people look for somebody by address, where they may find people at all.
func (c *Console) idOf(ctx context.Context, v *visit, text string) string {
	text = strings.TrimSpace(text)
	email, err := ident.ParseEmail(text)
	if err != nil || !v.may(access.ManageUsers) {
		return text
	}
	found, err := c.Directory.People(ctx, v.caller(), v.account(), directory.PeopleQuery{Text: text, Limit: 10})
	if err != nil {
		return text
	}
	for _, u := range found.People {
		if u.Email.Key() == email.Key() {
			return string(u.ID)
		}
	}
	return text
}

func (c *Console) auditPage(ctx context.Context, v *visit) (reply, error) {
	return c.record(ctx, v, nil)
}

func (c *Console) record(ctx context.Context, v *visit, verified *views.Verified) (reply, error) {
	q, wrong := c.recordQuery(ctx, v)
	p := c.recordPage(v, wrong)
	p.Verified = verified
	found, err := c.Records.Find(ctx, v.caller(), v.account(), q)
	if fault.KindOf(err) == fault.KindInvalid && err != nil {
		p.Errors = append(p.Errors, views.FieldError{ID: "f-actor", Text: sentence(fault.As(err).Message)})
		err = nil
	}
	if err != nil {
		return reply{}, err
	}
	who := c.names(ctx, v)
	for _, e := range found.Entries {
		p.List = append(p.List, entry(e, who))
	}
	p.Pager = recordPager(v, found)
	if found.More && len(found.Entries) < audit.DefaultPage {
		p.Gap = fmt.Sprintf("%s entries were looked through. There are older ones: go on to the next page, or choose a time.", views.Thousands(audit.MaxExamined))
	}
	return show(views.RecordPage(p))
}

func (c *Console) recordPage(v *visit, wrong map[string]string) views.Record {
	text := func(name, label, kind, hint string) views.Field {
		return views.Field{Name: name, Label: label, Type: kind, Value: v.query(name), Error: wrong[name], Optional: true, NoMark: true, Placeholder: hint, Autocomplete: "off", Max: 254}
	}
	actions := []views.Option{{Label: "Anything"}}
	for _, d := range deeds {
		actions = append(actions, views.Option{Value: string(d.action), Label: d.noun})
	}
	outcomes := []views.Option{{Label: "Any outcome"}}
	for _, o := range []audit.Outcome{audit.Done, audit.Unchanged, audit.Refused, audit.Denied, audit.Limited} {
		outcomes = append(outcomes, views.Option{Value: string(o), Label: outcomeWords[o].Text})
	}
	q := filterOf(v)
	p := views.Record{
		Frame: c.frame(v, "Audit log", "/audit"), Filtered: len(q) > 0, Verify: Root + "/audit/verify", Export: withQuery(Root+"/audit/export", q),
		Actor: text("actor", "Who", "", "Id or address"), Target: text("target", "On", "", "Id or address"),
		Action: choose("action", "What", v.query("action"), actions...), Outcome: choose("outcome", "Outcome", v.query("outcome"), outcomes...),
		From: text("from", "From (UTC)", "datetime-local", ""), Until: text("until", "Until (UTC)", "datetime-local", ""),
	}
	p.Errors = views.Errs(p.From, p.Until)
	p.Wrong = len(p.Errors) > 0
	return p
}

// filterOf is what the address asks for, without the place in the list.
func filterOf(v *visit) url.Values {
	q := url.Values{}
	for _, name := range recordFilter {
		if value := v.query(name); value != "" {
			q.Set(name, value)
		}
	}
	return q
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func recordPager(v *visit, found audit.Found) views.Pager {
	p := views.Pager{Text: count(len(found.Entries), "entry", "entries") + " on this page"}
	q := filterOf(v)
	if v.query("before") != "" {
		p.First = withQuery(Root+"/audit", q)
	}
	if found.More && found.ExaminedTo != "" {
		q.Set("before", string(found.ExaminedTo))
		p.Next = withQuery(Root+"/audit", q)
	}
	return p
}

// entry is an entry for the list.
func entry(e audit.Entry, who *nameBook) views.Entry {
	b := outcomeWords[e.Outcome]
	v := views.Entry{
		ID: string(e.ID), At: e.At, Tone: b.Tone, Outcome: b.Text, Title: deedOf(e.Action).noun, Action: string(e.Action), WhoKind: kindWords[e.ActorKind],
		Detail: detail(e), Address: audit.AddressText(e.Address), Agent: e.UserAgent, RequestID: string(e.RequestID),
		Count: e.Count, Seq: e.Seq, Hash: e.Hash.String(), Chained: e.IsChange(),
	}
	v.Who, v.WhoHref = who.actor(e)
	if guessed(e) {
		v.WhoKind = "or somebody else"
	}
	v.Target, v.TargetHref = who.target(e)
	return v
}

// exportTime bounds an export.
const exportTime = 50 * time.Second

// line is an entry as it is exported: the form of 'rollcall admin audit export'.
type line struct {
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

func (c *Console) exportAudit(ctx context.Context, v *visit) (reply, error) {
	q, wrong := c.recordQuery(ctx, v)
	for _, text := range wrong {
		return reply{}, fault.Invalid("%s", text)
	}
	q.Before = ""
	// Asked for one entry first: a refusal must be a page, not a broken download.
	if _, err := c.Records.Find(ctx, v.caller(), v.account(), q); err != nil {
		return reply{}, err
	}
	stream := func(w io.Writer) error {
		ctx, cancel := context.WithTimeout(ctx, exportTime)
		defer cancel()
		out := bufio.NewWriterSize(w, 32<<10)
		enc := json.NewEncoder(out)
		more, err := c.Records.Export(ctx, v.caller(), v.account(), q, func(e audit.Entry) error {
			return enc.Encode(line{
				e.ID, e.Account, e.At, e.ActorKind, e.Actor, e.Action, e.Target, e.Outcome, e.Detail, e.Address,
				e.UserAgent, e.RequestID, e.Count, e.Seq, e.Prev.String(), e.Hash.String(),
			})
		})
		if err != nil {
			return err
		}
		if more { // the last line says so: a file must not look whole that is not
			if err := enc.Encode(map[string]any{"more": true, "entries": records.MaxExport}); err != nil {
				return err
			}
		}
		return out.Flush()
	}
	return reply{stream: stream, file: "audit-" + string(v.account()) + "-" + v.began.UTC().Format("20060102T150405Z") + ".jsonl"}, nil
}

func (c *Console) verifyAudit(ctx context.Context, v *visit) (reply, error) {
	report, err := c.Records.Verify(ctx, v.caller(), v.account())
	if fault.KindOf(err) == fault.KindUnavailable && err != nil {
		return c.record(ctx, v, &views.Verified{Tone: "warn", Title: "Not verified.", Text: sentence(fault.As(err).Message)})
	}
	if err != nil {
		return reply{}, err
	}
	told := &views.Verified{
		Tone: "good", Title: "The chain is whole.",
		Text: fmt.Sprintf("%s and %s were checked: each is as it was written, and none of the changes is missing.",
			count(int(report.Changes), "change", "changes"), count(int(report.Others), "other entry", "other entries")),
	}
	if len(report.Problems) > 0 {
		told.Tone, told.Title = "bad", "The audit log is not what was written."
		told.Text = count(len(report.Problems), "place was", "places were") + " found. Keep a copy of the database as it is, and compare it with a backup."
		for _, p := range report.Problems[:min(20, len(report.Problems))] {
			told.Problems = append(told.Problems, fmt.Sprintf("Place %d, entry %s: %s", p.Seq, p.EntryID, p.What))
		}
	}
	return c.record(ctx, v, told)
}
