package storetest

import (
	"fmt"
	"sync"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
)

// applicationsAreListedInPages: each once, in the order of creation and then of ids,
// with all of its secrets, whatever is in the account beside it.
func applicationsAreListedInPages(w *world) {
	account, other := w.account(), w.account()
	var want []ident.ClientID
	at := w.now()
	for i := range 7 {
		a := oauth.Application{
			ID: ident.ClientID(fmt.Sprintf("c%d", i)), Account: account, Name: "app", Permissions: 1, State: oauth.Enabled,
			CreateTime: at, // the same for all: ids decide
		}
		w.ok(w.CreateApplication(w.Context(), a, oauth.Secret{ID: ident.EntryID(a.ID + "-1"), Client: a.ID, CreateTime: at},
			audit.New(operator, account, audit.ApplicationCreate, string(a.ID), audit.Done, at)))
		w.rotate(a, oauth.MaxOverlap)
		want = append(want, a.ID)
		w.application(other)
	}
	var got []ident.ClientID
	var after page.Position
	for {
		list, err := w.peer.Applications(w.Context(), account, after, 3)
		w.ok(err)
		for _, a := range list {
			got = append(got, a.ID)
			w.same("secrets of "+string(a.ID), 2, len(a.Secrets))
			w.same("the first is over, the second is not", []bool{false, true}, []bool{a.Secrets[0].ExpireTime.IsZero(), a.Secrets[1].ExpireTime.IsZero()})
		}
		if len(list) < 3 {
			break
		}
		after = page.Position{CreateTime: list[2].CreateTime, ID: ident.UserID(list[2].ID)}
	}
	w.same("applications", want, got)
}

func text(s string) *string { return &s }

func applicationsAreChanged(w *world) {
	account, other := w.account(), w.account()
	app, secret := w.application(account)
	token := w.issue(app, secret)
	narrow := access.Set(access.ListUsers)
	got, err := w.oauth.Update(w.Context(), operator, account, app.ID, oauth.Patch{
		Name: text("new"), Description: text("what for"), RedirectURL: text("https://example.com/"), Permissions: &narrow,
	})
	w.ok(err)
	want := app
	want.Name, want.Description, want.RedirectURL, want.Permissions = "new", "what for", "https://example.com/", narrow
	got.Secrets[0].LastUsedTime = app.Secrets[0].LastUsedTime // not written yet
	w.same("the answer", want, got)
	stored, err := w.peer.Application(w.Context(), account, app.ID)
	w.ok(err)
	w.same("what is stored", want, stored)
	grant, err := w.peer.Grant(w.Context(), oauth.HashOf(token))
	w.ok(err)
	w.same("what a token from before may do", narrow, grant.Permissions)

	_, err = w.oauth.Update(w.Context(), operator, account, app.ID, oauth.Patch{Name: text("new")})
	w.ok(err)
	_, err = w.oauth.Update(w.Context(), operator, other, app.ID, oauth.Patch{Name: text("theft")})
	w.is(fault.KindNotFound, err)
	_, err = w.oauth.RevokeTokens(w.Context(), operator, other, app.ID)
	w.is(fault.KindNotFound, err)
	w.same("entries", []line{
		{audit.ApplicationUpdate, audit.Done, string(app.ID), `permissions: "users.list users.get users.suspend users.reactivate" -> "users.list"; ` +
			`name: "app" -> "new"; redirect_url: "" -> "https://example.com/"; description: "" -> "what for"`},
		{audit.ApplicationUpdate, audit.Unchanged, string(app.ID), ""},
	}, w.lines(account, 2))
	w.sound(account)
}

func refusedApplicationChange(w *world) {
	account := w.account()
	app, _ := w.application(account)
	before, err := w.Application(w.Context(), account, app.ID)
	w.ok(err)
	weak := access.Caller{Kind: access.Application, Account: account, Client: "weak", Permissions: access.Set(access.WriteApplications | access.GetUser)}
	_, err = w.oauth.Update(w.Context(), weak, account, app.ID, oauth.Patch{Name: text("mine")})
	w.is(fault.KindForbidden, err)
	_, _, err = w.oauth.Rotate(w.Context(), weak, account, app.ID, 0)
	w.is(fault.KindForbidden, err)
	after, err := w.peer.Application(w.Context(), account, app.ID)
	w.ok(err)
	w.same("the application", before, after)
	const lacks = "the caller lacks users.list users.suspend users.reactivate itself"
	w.same("entries", []line{
		{audit.ApplicationUpdate, audit.Denied, string(app.ID), lacks}, {audit.ApplicationRotate, audit.Denied, string(app.ID), lacks},
	}, w.lines(account, 2))
}

func allTokensEnd(w *world) {
	account := w.account()
	app, secret := w.application(account)
	bystander, theirs := w.application(account)
	before := []string{w.issue(app, secret), w.issue(app, secret)}
	kept := w.issue(bystander, theirs)
	_, err := w.oauth.RevokeTokens(w.Context(), operator, account, app.ID)
	w.ok(err)
	after := w.issue(app, secret)
	w.same("tokens from before, of another application, from after", []bool{false, false, true, true},
		[]bool{w.counts(before[0]), w.counts(before[1]), w.counts(kept), w.counts(after)})
}

// tokenOnItsWayEnds: who has shown the secret before all tokens are ended gets none that counts.
func tokenOnItsWayEnds(w *world) {
	account := w.account()
	app, secret := w.application(account)
	c, err := w.elsewhere.AuthenticateClient(w.Context(), access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}})
	w.ok(err)
	_, err = w.oauth.RevokeTokens(w.Context(), operator, account, app.ID)
	w.ok(err)
	issued, err := w.elsewhere.Issue(w.Context(), access.Caller{}, c)
	w.ok(err)
	w.same("counts", false, w.counts(issued.AccessToken))

	var wg sync.WaitGroup // many at once: none from before the last revocation is left
	tokens := make(chan string, 64)
	for range 8 {
		wg.Go(func() {
			for range 4 {
				tokens <- w.issue(app, secret)
				if _, err := w.oauth.RevokeTokens(w.Context(), operator, account, app.ID); err != nil {
					w.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(tokens)
	for token := range tokens {
		w.same("a token whose owner ended all", false, w.counts(token))
	}
}

func usesAreKept(w *world) {
	account := w.account()
	app, first := w.application(account)
	second := w.rotate(app, oauth.MaxOverlap)
	used := func() []bool {
		w.Helper()
		a, err := w.peer.Application(w.Context(), account, app.ID)
		w.ok(err)
		return []bool{!a.Secrets[0].LastUsedTime.IsZero(), !a.Secrets[1].LastUsedTime.IsZero()}
	}
	w.same("at first", []bool{false, false}, used())
	w.issue(app, first)
	w.same("before it is written", []bool{false, false}, used())
	w.ok(w.oauth.Uses.Flush(w.Context(), w.Store))
	w.same("the first was used", []bool{true, false}, used())
	w.issue(app, second)
	w.ok(w.oauth.Uses.Flush(w.Context(), w.Store))
	w.same("the second, too", []bool{true, true}, used())

	a, err := w.peer.Application(w.Context(), account, app.ID)
	w.ok(err)
	late := a.Secrets[0].LastUsedTime
	w.ok(w.SetSecretsUsed(w.Context(), []oauth.Use{{Secret: a.Secrets[0].ID, Time: start}, {Secret: "gone", Time: late}}))
	a, err = w.peer.Application(w.Context(), account, app.ID)
	w.ok(err)
	w.same("an earlier use does not win", late, a.Secrets[0].LastUsedTime)
}
