package signin_test

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/sso"
	"github.com/rollcall-id/rollcall/internal/sso/ssotest"
)

func sealer() (cipher.AEAD, error) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// newSSOWorld is a world whose first account signs in at a real provider. Tokens are
// checked by the wall clock: the provider has no other.
func newSSOWorld(t *testing.T) (*world, *ssotest.Provider) {
	t.Helper()
	w := newWorld(t)
	w.signin.SSOProtocol = sso.New(sso.Config{AllowLocal: true, Now: time.Now})
	w.signin.Sealer = sealer
	p := ssotest.Start(t, ssotest.Redirect)
	w.connect(p, signin.SSOChange{ClientID: ssotest.PublicClient})
	return w, p
}

func (w *world) connect(p *ssotest.Provider, ch signin.SSOChange) {
	w.Helper()
	ch.Issuer = p.Issuer
	if _, err := w.signin.SetSSO(w.Context(), operator, acme, ch); err != nil {
		w.Fatalf("connect: %v (%v)", err, errors.Unwrap(err))
	}
}

// sso signs somebody in at the provider; change spoils what the browser brings back.
func (w *world) sso(p *ssotest.Provider, who ssotest.Person, change func(*signin.SSOAnswer)) (signin.NewSession, signin.SSOAnswer, error) {
	w.Helper()
	begun, err := w.signin.BeginSSO(w.Context(), from, acme, ssotest.Redirect)
	if err != nil {
		w.Fatal(err)
	}
	query := p.SignIn(w, begun.URL, who)
	a := signin.SSOAnswer{State: query.Get("state"), Code: query.Get("code"), Error: query.Get("error"), Binding: begun.Binding}
	if change != nil {
		change(&a)
	}
	s, err := w.signin.FinishSSO(w.Context(), from, a, ssotest.Redirect)
	return s, a, err
}

// TestSSO: people who are there come in by their verified address, are remembered by their
// subject, and nobody else comes in.
func TestSSO(t *testing.T) {
	t.Parallel()
	w, p := newSSOWorld(t)
	ctx := t.Context()
	w.add(acme, "owner", directory.Active, directory.Owners)
	ada, pen := w.add(acme, "ada", directory.Active), w.add(acme, "pen", directory.Pending)
	w.add(acme, "sue", directory.Suspended)
	w.add(other, "eve", directory.Active)
	in := func(what string, who ssotest.Person, want ident.UserID) {
		t.Helper()
		w.clock.Advance(time.Minute)
		s, _, err := w.sso(p, who, nil)
		if err != nil || s.User != want || s.Method != signin.BySSO {
			t.Errorf("%s: got %+v, %v, want %s", what, s, err, want)
			return
		}
		w.signed(s.Token)
	}
	refused := func(what string, who ssotest.Person) {
		t.Helper()
		w.clock.Advance(time.Minute)
		s, _, err := w.sso(p, who, nil)
		w.kind(what, err, fault.KindUnauthenticated)
		if s.Token != "" {
			t.Errorf("%s: gets in as %s", what, s.User)
		}
	}
	refused("an address that is not verified", ssotest.Person{Subject: "s-ada", Email: "ada@example.com"})
	in("a verified address", ssotest.Person{Subject: "s-ada", Email: "ADA@example.com", Verified: true}, ada.ID)
	in("the subject again, whatever the address", ssotest.Person{Subject: "s-ada", Email: "gone@example.com"}, ada.ID)
	refused("another subject with the address", ssotest.Person{Subject: "s-impostor", Email: "ada@example.com", Verified: true})
	refused("somebody unknown", ssotest.Person{Subject: "s-new", Email: "new@example.com", Verified: true})
	refused("somebody of another account", ssotest.Person{Subject: "s-eve", Email: "eve@example.com", Verified: true})
	refused("somebody suspended", ssotest.Person{Subject: "s-sue", Email: "sue@example.com", Verified: true})
	refused("an address that is none", ssotest.Person{Subject: "s-x", Email: "nonsense", Verified: true})
	refused("no address", ssotest.Person{Subject: "s-y", Verified: true})
	in("somebody invited", ssotest.Person{Subject: "s-pen", Email: "pen@example.com", Verified: true}, pen.ID)
	if u, err := w.directory.Get(ctx, operator, acme, pen.ID); err != nil || u.State != directory.Active {
		t.Errorf("who was invited is %+v, %v", u, err)
	}
	if got := w.entries(acme, audit.UserConfirm, audit.Done); len(got) != 1 || got[0].Detail != "by single sign-on" {
		t.Errorf("confirming left %+v", got)
	}
	s, _, err := w.sso(p, ssotest.Person{Subject: "s-ada"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.directory.Suspend(ctx, operator, acme, ada.ID); err != nil {
		t.Fatal(err)
	}
	w.out("suspended", s.Token)
	refused("suspended, and remembered", ssotest.Person{Subject: "s-ada", Email: "ada@example.com", Verified: true})
	if _, err := w.directory.Reactivate(ctx, operator, acme, ada.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.signin.Reset(ctx, operator, acme, ada.ID); err != nil {
		t.Fatal(err)
	}
	refused("the subject, after a reset", ssotest.Person{Subject: "s-ada", Email: "gone@example.com", Verified: true})
	if err := w.signin.RemoveSSO(ctx, operator, acme); err != nil {
		t.Fatal(err)
	}
	_, err = w.signin.BeginSSO(ctx, from, acme, ssotest.Redirect)
	w.kind("removed", err, fault.KindUnauthenticated)
	w.kind("removed again", w.signin.RemoveSSO(ctx, operator, acme), fault.KindNotFound)
}

// TestSSOAnswers: what the browser brings back counts once, in time, for the attempt that
// this browser began, and not after the account has changed its issuer.
func TestSSOAnswers(t *testing.T) {
	t.Parallel()
	w, p := newSSOWorld(t)
	ctx := t.Context()
	w.add(acme, "ada", directory.Active)
	ada := ssotest.Person{Subject: "s-ada", Email: "ada@example.com", Verified: true}
	session, first, err := w.sso(p, ada, nil)
	if err != nil || session.User != "ada" {
		t.Fatal(err)
	}
	again := func(what string, a signin.SSOAnswer) {
		t.Helper()
		w.clock.Advance(10 * time.Second)
		_, err := w.signin.FinishSSO(ctx, from, a, ssotest.Redirect)
		w.kind(what, err, fault.KindUnauthenticated)
	}
	again("the answer again", first)
	begun, err := w.signin.BeginSSO(ctx, from, acme, ssotest.Redirect)
	if err != nil {
		t.Fatal(err)
	}
	again("the code again, in another attempt", signin.SSOAnswer{State: begun.Binding, Binding: begun.Binding, Code: first.Code})
	for what, change := range map[string]func(*signin.SSOAnswer){
		"another browser":               func(a *signin.SSOAnswer) { a.Binding = "" },
		"another browser, with its own": func(a *signin.SSOAnswer) { a.Binding = begun.Binding },
		"a state of nobody":             func(a *signin.SSOAnswer) { a.State = "x"; a.Binding = "x" },
		"no code":                       func(a *signin.SSOAnswer) { a.Code = "" },
		"a wrong code":                  func(a *signin.SSOAnswer) { a.Code = "nonsense" },
		"a long code":                   func(a *signin.SSOAnswer) { a.Code = strings.Repeat("a", 1<<16) },
		"a refusal":                     func(a *signin.SSOAnswer) { a.Error = "access_denied\x00" },
		"another attempt's":             func(a *signin.SSOAnswer) { a.State = begun.Binding },
		"too late":                      func(*signin.SSOAnswer) { w.clock.Advance(signin.CeremonyLife) },
		"another client since": func(*signin.SSOAnswer) {
			w.connect(p, signin.SSOChange{ClientID: ssotest.ConfidentialClient, Secret: ssotest.ClientSecret})
		},
	} {
		w.clock.Advance(time.Minute)
		w.connect(p, signin.SSOChange{ClientID: ssotest.PublicClient})
		_, _, err := w.sso(p, ada, change)
		w.kind(what, err, fault.KindUnauthenticated)
	}
	w.settle()
	for _, e := range w.entries(acme, audit.SignIn, audit.Refused) {
		if first.Code != "" && strings.Contains(e.Detail, first.Code) {
			t.Errorf("the record holds a code: %+v", e)
		}
	}
}

// TestSSOSecret: a client secret is sealed, bound to its account and issuer, and works.
func TestSSOSecret(t *testing.T) {
	t.Parallel()
	w, p := newSSOWorld(t)
	ctx := t.Context()
	w.add(acme, "ada", directory.Active)
	ada := ssotest.Person{Subject: "s-ada", Email: "ada@example.com", Verified: true}
	w.connect(p, signin.SSOChange{ClientID: ssotest.ConfidentialClient, Secret: ssotest.ClientSecret})
	if _, _, err := w.sso(p, ada, nil); err != nil {
		t.Errorf("with the secret: %v", err)
	}
	stored, err := w.store.Connection(ctx, acme)
	if err != nil || len(stored.Secret) == 0 || strings.Contains(string(stored.Secret), "secret") {
		t.Errorf("stored as %q (%v)", stored.Secret, err)
	}
	w.connect(p, signin.SSOChange{ClientID: ssotest.ConfidentialClient, KeepSecret: true})
	if _, _, err := w.sso(p, ada, nil); err != nil {
		t.Errorf("with the secret kept: %v", err)
	}
	_, err = w.signin.SetSSO(ctx, operator, acme, signin.SSOChange{Issuer: "http://127.0.0.1:1", ClientID: ssotest.ConfidentialClient, KeepSecret: true})
	w.kind("keeping the secret for another issuer", err, fault.KindInvalid)
	stolen := stored
	stolen.Account = other
	if err := w.store.SetConnection(ctx, stolen, audit.New(operator, other, audit.SSOSet, "", audit.Done, w.clock.Now())); err != nil {
		t.Fatal(err)
	}
	if _, err := w.signin.BeginSSO(ctx, from, other, ssotest.Redirect); err == nil || fault.As(err) != nil {
		t.Errorf("a secret that was moved to another account: %v, want a defect", err)
	}
	w.connect(p, signin.SSOChange{ClientID: ssotest.ConfidentialClient, Secret: "wrong"})
	_, _, err = w.sso(p, ada, nil)
	w.kind("with a wrong secret", err, fault.KindUnauthenticated)
	for _, act := range []audit.Action{audit.SSOSet} {
		for _, e := range w.entries(acme, act, audit.Done) {
			if strings.Contains(e.Detail, ssotest.ClientSecret) {
				t.Errorf("the record holds the secret: %+v", e)
			}
		}
	}
}

// TestWhoConnects: owners alone, for who chooses the issuer can sign in as anybody.
func TestWhoConnects(t *testing.T) {
	t.Parallel()
	w, p := newSSOWorld(t)
	ctx := t.Context()
	change := signin.SSOChange{Issuer: p.Issuer, ClientID: "c"}
	person := func(account ident.AccountID, group string) access.Caller {
		return access.Caller{Kind: access.Person, Account: account, User: "x", Permissions: access.RolePermissions([]string{group})}
	}
	for _, c := range []access.Caller{
		person(acme, directory.Administrators), person(acme, directory.Security), person(acme, "crew"), person(other, directory.Owners),
		{Kind: access.Application, Account: acme, Permissions: access.All},
	} {
		_, err := w.signin.SetSSO(ctx, c, acme, change)
		w.kind("set", err, fault.KindForbidden)
		w.kind("remove", w.signin.RemoveSSO(ctx, c, acme), fault.KindForbidden)
	}
	owner := person(acme, directory.Owners)
	if _, err := w.signin.SetSSO(ctx, owner, acme, change); err != nil {
		t.Error(err)
	}
	got, err := w.signin.SSO(ctx, person(acme, directory.Administrators), acme)
	if err != nil || got.Issuer != p.Issuer || got.ClientID != "c" || got.HasSecret {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []signin.SSOChange{
		{}, {Issuer: "nonsense", ClientID: "c"}, {Issuer: "ftp://x", ClientID: "c"}, {Issuer: "https://a@b", ClientID: "c"}, {Issuer: "https://b?x=y", ClientID: "c"},
		{Issuer: "https://b#x", ClientID: "c"}, {Issuer: p.Issuer}, {Issuer: p.Issuer + "\x00", ClientID: "c"}, {Issuer: p.Issuer, ClientID: "c\x00"},
		{Issuer: p.Issuer, ClientID: strings.Repeat("c", 1000)}, {Issuer: p.Issuer, ClientID: "c", Secret: strings.Repeat("s", 5000)},
		{Issuer: p.Issuer + "/elsewhere", ClientID: "c"}, {Issuer: "http://127.0.0.1:1", ClientID: "c"},
	} {
		_, err := w.signin.SetSSO(ctx, owner, acme, bad)
		w.kind(bad.Issuer, err, fault.KindInvalid)
	}
	w.signin.Sealer = nil
	_, err = w.signin.SetSSO(ctx, owner, acme, signin.SSOChange{Issuer: p.Issuer, ClientID: "c", Secret: "s"})
	w.kind("a secret without a key", err, fault.KindPrecondition)
}
