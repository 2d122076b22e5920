package storetest

import (
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// recordIsSearched holds pages of found entries against looking at all of them.
func recordIsSearched(w *world) {
	account, other := w.account(), w.account()
	var batch []audit.Entry
	for i := range 900 {
		e := audit.New(access.Caller{Kind: access.Person, User: ident.UserID(fmt.Sprint("U", i%7))}, account, audit.UserSuspend,
			fmt.Sprint("T", i%11), audit.Refused, start.Add(time.Duration(i)*time.Second/3))
		if i%300 == 7 {
			e.Action = audit.UserReset
		}
		batch = append(batch, e)
	}
	w.ok(w.Append(w.Context(), batch))
	w.ok(w.Append(w.Context(), []audit.Entry{audit.New(operator, other, audit.UserReset, "T1", audit.Refused, start)}))
	all := w.record(account)
	for _, q := range []audit.Query{
		{Limit: 500},
		{Limit: 7, Actor: "U3"},
		{Limit: 50, Target: "T4", Outcome: audit.Refused},
		{Limit: 1, Action: audit.UserReset},
		{Limit: 100, From: start.Add(100 * time.Second), Until: start.Add(100*time.Second + 500*time.Microsecond)},
		{Limit: 100, From: start.Add(10*time.Second + time.Microsecond), Until: start.Add(20 * time.Second)},
		{Limit: 10, Until: start.Add(-time.Hour)},
		{Limit: 10, From: start.Add(time.Hour)},
		{Limit: 10, Actor: "' OR ''='"},
		{Limit: 10, Outcome: audit.Limited},
	} {
		var want []ident.EntryID
		for _, e := range all {
			if q.Fits(e) {
				want = append([]ident.EntryID{e.ID}, want...)
			}
		}
		w.same(fmt.Sprintf("%+v", q), want, w.foundEntries(account, q))
	}
}

// foundEntries walks all pages of a search.
func (w *world) foundEntries(account ident.AccountID, q audit.Query) (got []ident.EntryID) {
	w.Helper()
	for pages := 0; ; pages++ {
		found, err := w.peer.FindEntries(w.Context(), account, q, 300)
		w.ok(err)
		for _, e := range found.Entries {
			got = append(got, e.ID)
		}
		if len(found.Entries) > q.Limit || pages > 1000 {
			w.Fatalf("%+v: a page of %d entries, or pages without end", q, len(found.Entries))
		}
		if !found.More {
			return got
		}
		q.Before = found.ExaminedTo
	}
}

func usageIsReadByTheHour(w *world) {
	account, other := w.account(), w.account()
	hour := start.Truncate(time.Hour)
	row := func(a ident.AccountID, c ident.ClientID, at time.Time, agent string, n int64) usage.Row {
		return usage.Row{Key: usage.Key{Hour: at, Account: a, Client: c, UserAgent: agent}, Counts: usage.Counts{Requests: n, Errors: n - 1, Limited: n - 2}}
	}
	w.ok(w.AddUsage(w.Context(), []usage.Row{
		row(account, "c", hour, "a/1", 5), row(account, "c", hour, "b/1", 7), row(account, "d", hour, "a/1", 3),
		row(account, "c", hour.Add(time.Hour), "a/1", 11), row(other, "e", hour, "a/1", 13),
	}))
	got, err := w.peer.UsageOfHour(w.Context(), account, hour)
	w.ok(err)
	want := []usage.Row{row(account, "c", hour, "", 12), row(account, "d", hour, "", 3)}
	want[0].Counts = usage.Counts{Requests: 12, Errors: 10, Limited: 8}
	w.same("by application", want, got)
	got, err = w.peer.UsageOfClient(w.Context(), account, "c", hour)
	w.ok(err)
	w.same("by agent", []usage.Row{row(account, "c", hour, "a/1", 5), row(account, "c", hour, "b/1", 7)}, got)
	got, err = w.peer.UsageOfClient(w.Context(), other, "c", hour)
	w.ok(err)
	w.same("of another account", 0, len(got))
}

func liveTokensAreCounted(w *world) {
	account, other := w.account(), w.account()
	a, secret := w.application(account)
	b, _ := w.application(other)
	client, err := w.oauth.AuthenticateClient(w.Context(), access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: a.ID, Secret: secret.Reveal()}})
	w.ok(err)
	count := func(id ident.ClientID, examine int) []any {
		n, all, err := w.peer.LiveTokens(w.Context(), id, w.now(), examine)
		w.ok(err)
		return []any{n, all}
	}
	for range 3 {
		_, err := w.oauth.Issue(w.Context(), access.Caller{}, client)
		w.ok(err)
	}
	w.same("three", []any{3, true}, count(a.ID, 100))
	w.same("another application's", []any{0, true}, count(b.ID, 100))
	w.same("looking at two", []any{2, false}, count(a.ID, 2))
	_, err = w.oauth.RevokeTokens(w.Context(), operator, account, a.ID)
	w.ok(err)
	w.same("all ended", []any{0, true}, count(a.ID, 100))
	_, err = w.oauth.Issue(w.Context(), access.Caller{}, client) // of the epoch before
	w.ok(err)
	w.same("one of an epoch that is over", []any{0, true}, count(a.ID, 100))
	for id, want := range map[ident.ClientID]bool{a.ID: true, b.ID: false, "nobody": false} {
		has, err := w.peer.HasClient(w.Context(), account, id)
		w.ok(err)
		w.same("whose application "+string(id)+" is", want, has)
	}
}
