package records_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/records"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/usage"
)

var (
	operator = access.Caller{Kind: access.Operator, Name: "olga"}
	noon     = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
)

const acme ident.AccountID = "ACME"

type world struct {
	*testing.T
	store *store.Store
	s     *records.Service
	app   ident.ClientID
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Rand: rand.Reader, Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, store: st, now: noon}
	clock := func() time.Time { w.now = w.now.Add(time.Millisecond); return w.now }
	w.s = &records.Service{Store: st, Now: clock}
	d := &directory.Service{Store: st, Keys: page.NewKeyring(st, clock, rand.Reader), Now: clock, Rand: rand.Reader}
	apps := &oauth.Service{Store: st, Now: clock, Rand: rand.Reader, Lifetime: time.Hour, Keys: d.Keys}
	for _, a := range []directory.Account{{ID: acme, Name: "A"}, {ID: "OTHER", Name: "O"}} {
		if _, err := d.CreateAccount(t.Context(), operator, a); err != nil {
			t.Fatal(err)
		}
	}
	app, _, err := apps.Create(t.Context(), operator, oauth.Application{Account: acme, Name: "App", Permissions: access.All}, oauth.ClientSecret{})
	if err != nil {
		t.Fatal(err)
	}
	w.app = app.ID
	return w
}

func person(account ident.AccountID, groups ...string) access.Caller {
	return access.Caller{Kind: access.Person, Account: account, User: "U", Permissions: access.RolePermissions(groups)}
}

func (w *world) fill(n int) {
	w.Helper()
	batch := make([]audit.Entry, n)
	for i := range batch {
		w.now = w.now.Add(time.Millisecond)
		batch[i] = audit.New(operator, acme, audit.UserSuspend, "T", audit.Refused, w.now)
	}
	if err := w.store.Append(w.Context(), batch); err != nil {
		w.Fatal(err)
	}
}

// TestWhoReads: those whose role has it, in their own account; a denial is in the record.
func TestWhoReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	reads := map[string]func(access.Caller) error{
		"find":   func(c access.Caller) error { _, err := w.s.Find(ctx, c, acme, audit.Query{}); return err },
		"verify": func(c access.Caller) error { _, err := w.s.Verify(ctx, c, acme); return err },
		"export": func(c access.Caller) error {
			_, err := w.s.Export(ctx, c, acme, audit.Query{}, func(audit.Entry) error { return nil })
			return err
		},
		"usage":  func(c access.Caller) error { _, err := w.s.UsageByHour(ctx, c, acme, 24); return err },
		"agents": func(c access.Caller) error { _, err := w.s.UsageByAgent(ctx, c, acme, w.app, 24); return err },
		"tokens": func(c access.Caller) error { _, _, err := w.s.LiveTokens(ctx, c, acme, w.app); return err },
	}
	app := access.Caller{Kind: access.Application, Account: acme, Client: w.app, Permissions: access.AllUsers}
	for name, read := range reads {
		for what, c := range map[string]access.Caller{"owner": person(acme, directory.Owners), "administrator": person(acme, directory.Administrators), "security": person(acme, directory.Security), "operator": operator} {
			if err := read(c); err != nil {
				t.Errorf("%s by %s: %v", name, what, err)
			}
		}
		for what, c := range map[string]access.Caller{"member": person(acme, "crew"), "owner elsewhere": person("OTHER", directory.Owners), "application": app, "nobody": {}} {
			if err := read(c); fault.KindOf(err) != fault.KindForbidden || fault.As(err).Message != access.Denied {
				t.Errorf("%s by %s: %v", name, what, err)
			}
		}
	}
	found, err := w.s.Find(ctx, operator, acme, audit.Query{Outcome: audit.Denied, Action: audit.RecordRead, Limit: 100})
	if err != nil || len(found.Entries) != 6 {
		t.Errorf("%d denials are recorded, want 6 (%v)", len(found.Entries), err)
	}
}

func TestOddQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, q := range []audit.Query{
		{Limit: -1}, {Limit: audit.MaxPage + 1}, {Actor: "a\x00"}, {Target: strings.Repeat("t", 1000)}, {Action: "\xff"}, {Outcome: "\n"},
		{Before: "\x00"}, {From: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)}, {Until: time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := w.s.Find(t.Context(), operator, acme, q); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: got %v", q, err)
		}
	}
	for _, hours := range []int{0, -1, records.MaxHours + 1} {
		if _, err := w.s.UsageByHour(t.Context(), operator, acme, hours); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%d hours: got %v", hours, err)
		}
	}
	for _, client := range []ident.ClientID{"", "\x00", "nobody"} {
		if n, all, err := w.s.LiveTokens(t.Context(), operator, acme, client); n != 0 || !all || err != nil {
			t.Errorf("tokens of %q: %d, %t, %v", client, n, all, err)
		}
		if rows, err := w.s.UsageByAgent(t.Context(), operator, acme, client, 5); len(rows) != 0 || err != nil {
			t.Errorf("usage of %q: %v, %v", client, rows, err)
		}
	}
	if n, _, err := w.s.LiveTokens(t.Context(), operator, "OTHER", w.app); n != 0 || err != nil {
		t.Errorf("tokens of another account's application: %d, %v", n, err)
	}
}

// TestExport: everything that fits, once, the newest first; it ends when it is told to.
func TestExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1300)
	var last ident.EntryID
	n := 0
	more, err := w.s.Export(t.Context(), operator, acme, audit.Query{Action: audit.UserSuspend}, func(e audit.Entry) error {
		if last != "" && e.ID >= last {
			t.Errorf("%s comes behind %s", e.ID, last)
		}
		n, last = n+1, e.ID
		return nil
	})
	if n != 1300 || more || err != nil {
		t.Errorf("got %d entries, more = %t, %v", n, more, err)
	}
	broken := errors.New("the browser is gone")
	if _, err := w.s.Export(t.Context(), operator, acme, audit.Query{}, func(audit.Entry) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = w.s.Export(ctx, operator, acme, audit.Query{}, func(audit.Entry) error { cancel(); return nil })
	if fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("whose time is up: got %v", err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(10)
	report, err := w.s.Verify(t.Context(), operator, acme)
	if err != nil || len(report.Problems) != 0 || report.Changes != 2 || report.Others != 10 {
		t.Errorf("got %+v, %v", report, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.s.Verify(ctx, person(acme, directory.Owners), acme); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("whose time is up: got %v", err)
	}
}

// TestUsage: by hour and application, or by User-Agent, as far back as was asked.
func TestUsage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	row := func(hours int, agent string, n int64) usage.Row {
		return usage.Row{
			Key:    usage.Key{Hour: noon.Add(time.Duration(hours) * time.Hour), Account: acme, Client: w.app, UserAgent: agent},
			Counts: usage.Counts{Requests: n},
		}
	}
	if err := w.store.AddUsage(t.Context(), []usage.Row{row(0, "a", 1), row(0, "b", 2), row(-1, "a", 4), row(-2, "a", 8), row(-3, "a", 16)}); err != nil {
		t.Fatal(err)
	}
	sum := func(rows []usage.Row, err error) (n int64, count int) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			n += r.Requests
		}
		return n, len(rows)
	}
	if n, count := sum(w.s.UsageByHour(t.Context(), operator, acme, 3)); n != 15 || count != 3 {
		t.Errorf("by hour: %d in %d rows, want 15 in 3", n, count)
	}
	if n, count := sum(w.s.UsageByAgent(t.Context(), operator, acme, w.app, 3)); n != 15 || count != 4 {
		t.Errorf("by agent: %d in %d rows, want 15 in 4", n, count)
	}
	if n, _ := sum(w.s.UsageByHour(t.Context(), operator, acme, 1)); n != 3 {
		t.Errorf("of the running hour: %d, want 3", n)
	}
}
