package storetest

import (
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
)

func applicationsAreKept(w *world) {
	account, other := w.account(), w.account()
	create := func(a oauth.Application) oauth.Application {
		w.Helper()
		a.Account = account
		a, _, err := w.oauth.Create(w.Context(), operator, a, oauth.ClientSecret{})
		w.ok(err)
		return a
	}
	want := []oauth.Application{
		create(oauth.Application{ID: "z", Name: "Zuerst 🦉", Description: strings.Repeat("ü", oauth.MaxDescription), Permissions: access.Set(access.GetUser)}),
		create(oauth.Application{ID: "a", Name: "app", RedirectURL: "https://example.com/cb?a=b", Permissions: access.Set(15)}),
	}
	got, err := w.peer.Applications(w.Context(), account, page.Position{}, 10)
	w.ok(err)
	w.same("applications by creation", want, got)
	one, err := w.peer.Application(w.Context(), account, "z")
	w.ok(err)
	w.same("application", want[0], one)

	got, err = w.Applications(w.Context(), other, page.Position{}, 10)
	w.ok(err)
	w.same("applications of the other account", 0, len(got))
	_, err = w.Applications(w.Context(), "nowhere", page.Position{}, 10)
	w.is(fault.KindNotFound, err)
	_, err = w.Application(w.Context(), other, "z")
	w.is(fault.KindNotFound, err)
	_, err = w.Client(w.Context(), "unknown")
	w.is(fault.KindNotFound, err)

	before := w.record(other)
	_, _, err = w.oauth.Create(w.Context(), operator, oauth.Application{ID: "z", Account: other, Name: "thief", Permissions: 1}, oauth.ClientSecret{})
	w.is(fault.KindConflict, err)
	_, _, err = w.oauth.Create(w.Context(), operator, oauth.Application{ID: "n", Account: "nowhere", Name: "app", Permissions: 1}, oauth.ClientSecret{})
	w.is(fault.KindNotFound, err)
	w.same("the record", before, w.record(other))
	w.same("entries", []line{
		{audit.ApplicationCreate, audit.Done, "z", "Zuerst 🦉: users.get"},
		{audit.ApplicationCreate, audit.Done, "a", "app: users.list users.get users.suspend users.reactivate"},
	}, w.lines(account, 2))
}

func applicationsAreSwitched(w *world) {
	account, other := w.account(), w.account()
	app, secret := w.application(account)
	set := func(state oauth.ApplicationState, changes bool) {
		w.Helper()
		_, changed, err := w.oauth.SetState(w.Context(), operator, account, app.ID, state)
		w.ok(err)
		w.same("changed", changes, changed)
		_, err = w.elsewhere.AuthenticateClient(w.Context(), access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}})
		w.same("authenticates", state == oauth.Enabled, err == nil)
	}
	set(oauth.Enabled, false)
	set(oauth.Disabled, true)
	set(oauth.Disabled, false)
	set(oauth.Enabled, true)
	_, _, err := w.oauth.SetState(w.Context(), operator, other, app.ID, oauth.Disabled)
	w.is(fault.KindNotFound, err)
	w.is(fault.KindNotFound, w.oauth.Delete(w.Context(), operator, other, app.ID))
	_, _, err = w.oauth.Rotate(w.Context(), operator, other, app.ID, 0)
	w.is(fault.KindNotFound, err)
	w.ok(w.oauth.Delete(w.Context(), operator, account, app.ID))
	w.is(fault.KindNotFound, w.oauth.Delete(w.Context(), operator, account, app.ID))
	_, err = w.peer.Client(w.Context(), app.ID)
	w.is(fault.KindNotFound, err)
	var changes []line
	for _, l := range w.lines(account, 100) {
		if l.Outcome != audit.Refused { // what failed to authenticate is written when it may
			changes = append(changes, l)
		}
	}
	id := string(app.ID)
	w.same("entries", []line{
		{audit.ApplicationEnable, audit.Unchanged, id, ""},
		{audit.ApplicationDisable, audit.Done, id, ""},
		{audit.ApplicationDisable, audit.Unchanged, id, ""},
		{audit.ApplicationEnable, audit.Done, id, ""},
		{audit.ApplicationDelete, audit.Done, id, "was enabled: app: users.list users.get users.suspend users.reactivate"},
	}, changes[2:])
}

// knock tells whether each secret authenticates, at the peer.
func (w *world) knock(app oauth.Application, secrets ...oauth.ClientSecret) []bool {
	w.Helper()
	var opens []bool
	for _, s := range secrets {
		_, err := w.elsewhere.AuthenticateClient(w.Context(), access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: s.Reveal()}})
		if err != nil {
			w.is(fault.KindUnauthenticated, err)
		}
		opens = append(opens, err == nil)
	}
	return opens
}

func (w *world) rotate(app oauth.Application, overlap time.Duration) oauth.ClientSecret {
	w.Helper()
	_, s, err := w.oauth.Rotate(w.Context(), operator, app.Account, app.ID, overlap)
	w.ok(err)
	return s
}

func secretsOverlap(w *world) {
	app, first := w.application(w.account())
	second := w.rotate(app, time.Hour)
	w.same("in the overlap", []bool{true, true}, w.knock(app, first, second))
	w.pass(30 * time.Minute)
	third := w.rotate(app, oauth.MaxOverlap)
	w.same("both overlaps", []bool{true, true, true}, w.knock(app, first, second, third))
	w.pass(30 * time.Minute)
	w.same("the first is over and no later rotation prolongs it", []bool{false, true, true}, w.knock(app, first, second, third))
	fourth := w.rotate(app, 0)
	w.same("without overlap", []bool{false, false, false, true}, w.knock(app, first, second, third, fourth))
	w.same("entries", []line{
		{audit.ApplicationRotate, audit.Done, string(app.ID), "overlap 1h0m0s"},
		{audit.ApplicationRotate, audit.Done, string(app.ID), "overlap 168h0m0s"},
		{audit.ApplicationRotate, audit.Done, string(app.ID), "overlap 0s"},
	}, w.rotations(app))
}

// rotations leaves out what the journal writes when it may.
func (w *world) rotations(app oauth.Application) []line {
	w.Helper()
	var list []line
	for _, l := range w.lines(app.Account, 1000) {
		if l.Action == audit.ApplicationRotate {
			list = append(list, l)
		}
	}
	return list
}

// issue gets a token with a secret.
func (w *world) issue(app oauth.Application, secret oauth.ClientSecret) string {
	w.Helper()
	c, err := w.oauth.AuthenticateClient(w.Context(), access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}})
	w.ok(err)
	issued, err := w.oauth.Issue(w.Context(), access.Caller{}, c)
	w.ok(err)
	return issued.AccessToken
}

// counts tells whether a token counts, at the peer.
func (w *world) counts(token string) bool {
	w.Helper()
	_, err := w.elsewhere.Authenticate(w.Context(), access.Caller{}, token, w.peer)
	if err != nil {
		w.is(fault.KindUnauthenticated, err)
	}
	return err == nil
}

func (w *world) revoke(app oauth.Application, secret oauth.ClientSecret, token string) {
	w.Helper()
	c, err := w.oauth.AuthenticateClient(w.Context(), access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}})
	w.ok(err)
	w.ok(w.oauth.Revoke(w.Context(), access.Caller{}, c, token))
}

func tokensAreKeptAndRevoked(w *world) {
	account := w.account()
	app, secret := w.application(account)
	thief, theirs := w.application(w.account())
	token, kept := w.issue(app, secret), w.issue(app, secret)

	grant, err := w.peer.Grant(w.Context(), oauth.HashOf(token))
	w.ok(err)
	w.same("application of the grant", oauth.Identity{
		ID: app.ID, Account: app.Account, Permissions: app.Permissions, State: oauth.Enabled, AccountOpen: true,
	}, grant.Identity)
	w.same("end of the grant", true, grant.ExpireTime.After(app.CreateTime))
	w.same("account and secret", []bool{true, true}, []bool{grant.AccountOpen, grant.SecretExpireTime.IsZero()})
	_, err = w.Grant(w.Context(), oauth.HashOf("unknown"))
	w.is(fault.KindNotFound, err)

	w.revoke(thief, theirs, token)
	w.same("another client's revocation", true, w.counts(token))
	w.revoke(app, secret, token)
	w.same("revoked, and the other", []bool{false, true}, []bool{w.counts(token), w.counts(kept)})
	w.revoke(app, secret, token)
	w.revoke(app, secret, "rct_unknown")
	var got []line
	for _, l := range w.lines(account, 100)[2:] {
		if l.Action != audit.Authenticate {
			got = append(got, l)
		}
	}
	w.same("entries", []line{
		{audit.TokenIssue, audit.Done, "", ""}, {audit.TokenIssue, audit.Done, "", ""}, {audit.TokenRevoke, audit.Done, "", ""},
	}, got)
	w.pass(oauth.DefaultLifetime)
	w.same("after its lifetime", false, w.counts(kept))
}

func tokensDieWithWhatTheyHangOn(w *world) {
	account := w.account()
	app, secret := w.application(account)
	{ // account
		token := w.issue(app, secret)
		w.ok(w.directory.SetAccountState(w.Context(), operator, account, directory.Closed))
		w.same("closed", false, w.counts(token))
		w.ok(w.directory.SetAccountState(w.Context(), operator, account, directory.Open))
		w.same("open", true, w.counts(token))
	}
	{ // application
		token := w.issue(app, secret)
		_, _, err := w.oauth.SetState(w.Context(), operator, account, app.ID, oauth.Disabled)
		w.ok(err)
		w.same("disabled", false, w.counts(token))
		_, _, err = w.oauth.SetState(w.Context(), operator, account, app.ID, oauth.Enabled)
		w.ok(err)
		w.same("enabled", true, w.counts(token))
	}
	{ // secret
		old := w.issue(app, secret)
		next := w.rotate(app, time.Minute)
		w.same("in the overlap", true, w.counts(old))
		w.pass(time.Minute)
		w.same("after the overlap", []bool{false, true}, []bool{w.counts(old), w.counts(w.issue(app, next))})
		secret = next
	}
	{ // deletion
		token := w.issue(app, secret)
		w.ok(w.oauth.Delete(w.Context(), operator, account, app.ID))
		w.same("deleted", false, w.counts(token))
	}
}

func newApplicationDoesNotReviveTokens(w *world) {
	account := w.account()
	given := oauth.GivenSecret("the same secret again")
	create := func() oauth.Application {
		w.Helper()
		a, _, err := w.oauth.Create(w.Context(), operator, oauth.Application{ID: "again", Account: account, Name: "app", Permissions: 1}, given)
		w.ok(err)
		return a
	}
	token := w.issue(create(), given)
	w.ok(w.oauth.Delete(w.Context(), operator, account, "again"))
	app := create()
	w.same("the old token and a new one", []bool{false, true}, []bool{w.counts(token), w.counts(w.issue(app, given))})
}
