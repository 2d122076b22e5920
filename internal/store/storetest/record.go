package storetest

import (
	"net/netip"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// entry is one of an outcome: Done advances the chain, everything else hangs under it.
func (w *world) entry(account ident.AccountID, o audit.Outcome) audit.Entry {
	return audit.New(operator, account, audit.UserSuspend, "target", o, w.now())
}

func recordIsAChain(w *world) {
	account := w.account()
	w.ok(w.Append(w.Context(), []audit.Entry{w.entry(account, audit.Denied), w.entry(account, audit.Done)}))
	w.ok(w.peer.Append(w.Context(), []audit.Entry{w.entry(account, audit.Done), w.entry(account, audit.Limited)}))
	record := w.record(account)
	var seqs []int64
	var last audit.Hash
	for _, e := range record {
		w.same("previous hash", last, e.Prev)
		w.same("own hash", e.Digest(), e.Hash)
		seqs = append(seqs, e.Seq)
		if e.IsChange() {
			last = e.Hash
		}
	}
	w.same("places", []int64{1, 1, 2, 3, 3}, seqs)
	head, err := w.peer.Head(w.Context(), account)
	w.ok(err)
	w.same("head", audit.Head{Seq: 3, Hash: last}, head)
	at, err := w.HashAt(w.Context(), account, 3)
	w.ok(err)
	w.same("hash at 3", last, at)
	_, err = w.HashAt(w.Context(), account, 4)
	w.is(fault.KindNotFound, err)
	_, err = w.Head(w.Context(), "nowhere")
	w.is(fault.KindNotFound, err)
	changes, others := w.sound(account)
	w.same("changes and others", [2]int64{3, 2}, [2]int64{changes, others})
}

// recordIsReadInPages has more entries of each sort than any walk reads at a time.
func recordIsReadInPages(w *world) {
	const each = 1100
	account, other := w.account(), w.account()
	var batch []audit.Entry
	for range each {
		batch = append(batch, w.entry(account, audit.Done), w.entry(account, audit.Refused))
	}
	w.ok(w.Append(w.Context(), batch))
	w.ok(w.Append(w.Context(), []audit.Entry{w.entry(other, audit.Done), w.entry(other, audit.Refused)}))
	changes, others := w.sound(account)
	w.same("changes and others", [2]int64{each + 1, each}, [2]int64{changes, others})

	var ids []ident.EntryID
	for before := ident.EntryID(""); ; before = ids[len(ids)-1] {
		page, err := w.peer.Entries(w.Context(), account, before, 300)
		w.ok(err)
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			w.same("account", account, e.Account)
			ids = append(ids, e.ID)
		}
	}
	slices.Reverse(ids)
	w.same("entries, each once and in order", []any{2*each + 1, true}, []any{len(slices.Compact(ids)), slices.IsSorted(ids)})
}

// entriesOfNoAccount are kept, and never spoil what they are appended with.
func entriesOfNoAccount(w *world) {
	account := w.account()
	w.ok(w.Append(w.Context(), []audit.Entry{
		w.entry("", audit.Refused), w.entry("", audit.Done), w.entry("nowhere", audit.Refused), w.entry(account, audit.Refused),
	}))
	for _, a := range []ident.AccountID{"", "nowhere"} {
		for _, e := range w.record(a) {
			w.same("place and hash", []any{int64(0), audit.Hash{}, e.Digest()}, []any{e.Seq, e.Prev, e.Hash})
		}
	}
	w.same("how many", []int{2, 1, 2}, []int{len(w.record("")), len(w.record("nowhere")), len(w.record(account))})
	_, others := w.sound("")
	w.same("verified", int64(2), others)
	w.is(fault.KindNotFound, w.Append(w.Context(), []audit.Entry{w.entry(account, audit.Refused), w.entry("nowhere", audit.Done)}))
	w.same("a change in no account, and what came with it", []int{1, 2}, []int{len(w.record("nowhere")), len(w.record(account))})
}

func entriesKeepWhatTheyHold(w *world) {
	account := w.account()
	caller := access.Caller{
		Kind: access.Application, Account: account, Client: "client", UserAgent: "Ω\r\n\x1b[31m'; DROP TABLE users --",
		RequestID: "request", Address: netip.MustParseAddr("fe80::1%eth0"),
	}
	for _, address := range []string{"fe80::1%eth0", "::ffff:192.0.2.1", "192.0.2.1"} {
		caller.Address = netip.MustParseAddr(address)
		want := audit.New(caller, account, audit.UserGet, "tar\x00get\xff", audit.Limited, w.now()).With("détail")
		want.Count = 1 << 40
		w.ok(w.Append(w.Context(), []audit.Entry{want}))
		record := w.record(account)
		got := record[len(record)-1]
		w.same("digest", got.Digest(), got.Hash)
		want.ID, want.Seq, want.Prev, want.Hash = got.ID, got.Seq, got.Prev, got.Hash
		if got != want {
			w.Errorf("got entry\n%+v\nwant\n%+v", got, want)
		}
	}
	w.sound(account)
}

func usageAddsUp(w *world) {
	hour := start.Truncate(time.Hour)
	row := func(account ident.AccountID, after time.Duration, agent string, n int64) usage.Row {
		return usage.Row{
			Key:    usage.Key{Hour: hour.Add(after), Account: account, Client: "c", UserAgent: agent},
			Counts: usage.Counts{Requests: n, Errors: n * 2, Limited: n * 3},
		}
	}
	w.ok(w.AddUsage(w.Context(), []usage.Row{row("A", time.Hour, "x", 1), row("A", 0, "y", 1), row("A", 0, "x", 1), row("B", 0, "x", 9)}))
	w.ok(w.peer.AddUsage(w.Context(), []usage.Row{row("A", 0, "x", 4), row("A", 0, "x", 5)}))
	for since, want := range map[time.Duration][]usage.Row{
		0:                           {row("A", 0, "x", 10), row("A", 0, "y", 1), row("A", time.Hour, "x", 1)},
		59 * time.Minute:            {row("A", 0, "x", 10), row("A", 0, "y", 1), row("A", time.Hour, "x", 1)},
		time.Hour:                   {row("A", time.Hour, "x", 1)},
		time.Hour + 59*time.Minute:  {row("A", time.Hour, "x", 1)},
		2*time.Hour + 1*time.Second: {},
	} {
		got, err := w.peer.Usage(w.Context(), "A", hour.Add(since))
		w.ok(err)
		w.same("usage since "+since.String(), want, got)
	}
}

func pageKeysAreShared(w *world) {
	key := page.Key{ID: 1<<32 - 1, Secret: page.Secret{1, 31: 2}, CreatedAt: w.now()}
	w.ok(w.AddPageKey(w.Context(), key))
	got, err := w.peer.PageKeys(w.Context())
	w.ok(err)
	if len(got) != 1 || got[0] != key || got[0].Secret != key.Secret {
		w.Errorf("got keys %v, want %v", got, key)
	}
	if w.AddPageKey(w.Context(), page.Key{ID: key.ID, Secret: page.Secret{3}, CreatedAt: w.now()}) == nil {
		w.Error("a key with a taken id replaced the one there was")
	}
}

func purgeTakesWhatIsOver(w *world) {
	account := w.account()
	app, first := w.application(account)
	old := w.issue(app, first)
	second := w.rotate(app, time.Minute)
	w.ok(w.AddPageKey(w.Context(), page.Key{ID: 1, Secret: page.Secret{1}, CreatedAt: w.now()}))
	w.ok(w.AddUsage(w.Context(), []usage.Row{{Key: usage.Key{Hour: w.now().Truncate(time.Hour), Account: account}, Counts: usage.Counts{Requests: 1}}}))
	w.pass(page.KeyLifetime)
	young := w.issue(app, second)
	w.ok(w.AddPageKey(w.Context(), page.Key{ID: 2, Secret: page.Secret{2}, CreatedAt: w.now()}))
	w.ok(w.AddUsage(w.Context(), []usage.Row{{Key: usage.Key{Hour: w.now().Truncate(time.Hour), Account: account}, Counts: usage.Counts{Requests: 2}}}))

	// A token, a secret, a page key, an entry and a counter are over.
	n, err := w.Purge(w.Context(), w.now(), store.Retention{Entries: time.Hour, Usage: 2 * time.Hour})
	w.ok(err)
	w.same("rows purged", int64(5), n)
	n, err = w.Purge(w.Context(), w.now(), store.Retention{Entries: time.Hour, Usage: 2 * time.Hour})
	w.ok(err)
	w.same("rows purged again", int64(0), n)

	_, err = w.peer.Grant(w.Context(), oauth.HashOf(old))
	w.is(fault.KindNotFound, err)
	w.same("the young token", true, w.counts(young))
	client, err := w.peer.Client(w.Context(), app.ID)
	w.ok(err)
	keys, err := w.peer.PageKeys(w.Context())
	w.ok(err)
	counters, err := w.peer.Usage(w.Context(), account, time.Unix(0, 0))
	w.ok(err)
	w.same("secrets, page keys, counters", []int{1, 1, 1}, []int{len(client.Secrets), len(keys), len(counters)})
	changes, others := w.sound(account)
	w.same("changes and others", [2]int64{3, 1}, [2]int64{changes, others})
}
