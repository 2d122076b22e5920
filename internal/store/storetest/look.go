package storetest

import (
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
)

// looksSeeWhatReadsSee: a token and what its bearer asks for, read in one statement, are
// what two reads would have found.
func looksSeeWhatReadsSee(w *world) {
	account, other := w.account(), w.account()
	users := w.inStates(account, directory.Active, directory.Suspended, directory.Pending, directory.Active, directory.Suspended)
	token := oauth.HashOf(w.issue(w.application(account)))
	want, err := w.peer.Grant(w.Context(), token)
	w.ok(err)

	for _, u := range users {
		look := w.peer.LookAtUser(account, u.ID)
		got, err := look.Grant(w.Context(), token)
		w.ok(err)
		w.same("the grant beside a person", want, got)
		seen, err := look.User(w.Context(), account, u.ID)
		w.ok(err)
		read, err := w.peer.User(w.Context(), account, u.ID)
		w.ok(err)
		w.same("a person looked at", read, seen)
	}
	w.nobodyThere(account, other, token)
	for _, f := range []filter.Filter{filter.Any, filter.Active, filter.Suspended} {
		w.pagesLookedAt(account, f, token, want)
	}
	theirs := w.peer.LookAtPage(other, page.Cursor{}, 10)
	got, err := theirs.Grant(w.Context(), token)
	w.ok(err)
	w.same("the grant beside a page of another account", want, got)
}

// nobodyThere looks at people who are not there, elsewhere, or asked for by a token that
// is not.
func (w *world) nobodyThere(account, other ident.AccountID, token oauth.Hash) {
	w.Helper()
	elsewhere := w.inStates(other, directory.Active)[0].ID
	for _, id := range []ident.UserID{"NOBODY", elsewhere} {
		look := w.peer.LookAtUser(account, id)
		_, err := look.Grant(w.Context(), token)
		w.ok(err)
		_, err = look.User(w.Context(), account, id)
		w.is(fault.KindNotFound, err)
	}
	_, err := w.peer.LookAtUser(other, elsewhere).Grant(w.Context(), token)
	w.ok(err) // whose token it is decides who may see what, not the look
	_, err = w.peer.LookAtUser(account, elsewhere).Grant(w.Context(), oauth.HashOf("unknown"))
	w.is(fault.KindNotFound, err)
	_, err = w.peer.LookAtPage(account, page.Cursor{}, 1).Grant(w.Context(), oauth.HashOf("unknown"))
	w.is(fault.KindNotFound, err)
}

// pagesLookedAt walks an account two people at a time, by looks and by reads.
func (w *world) pagesLookedAt(account ident.AccountID, f filter.Filter, token oauth.Hash, want oauth.Grant) {
	w.Helper()
	cursor := page.Cursor{Filter: f}
	for range 5 {
		look := w.peer.LookAtPage(account, cursor, 2)
		got, err := look.Grant(w.Context(), token)
		w.ok(err)
		w.same("the grant beside a page", want, got)
		seen, err := look.Page(w.Context(), account, f, cursor.After, 2)
		w.ok(err)
		read, err := w.peer.Page(w.Context(), account, f, cursor.After, 2)
		w.ok(err)
		w.same("a page looked at", read, seen)
		more, err := look.Page(w.Context(), account, f, cursor.After, 1) // not what was looked at
		w.ok(err)
		w.same("another page than looked at", read[:min(1, len(read))], more)
		if len(read) < 2 {
			return
		}
		cursor.After = page.Position{CreateTime: read[1].CreateTime, ID: read[1].ID}
	}
	w.Fatalf("the walk over %q does not end", f)
}

// inStates adds a person in each of the states.
func (w *world) inStates(account ident.AccountID, states ...directory.State) []directory.User {
	w.Helper()
	users := make([]directory.User, len(states))
	for i, state := range states {
		users[i] = directory.User{State: state}
	}
	return w.add(account, users...)
}
