package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// issuer is an OpenID Connect provider as signin sees one; internal/sso is tested against a
// real one.
type issuer struct{ redirect string }

func (*issuer) Check(_ context.Context, issuer string) error {
	if issuer != "https://issuer.example" {
		return errors.New("no answer")
	}
	return nil
}

func (i *issuer) Begin(_ context.Context, c signin.SSOClient, a signin.SSOAttempt) (string, error) {
	i.redirect = c.RedirectURL
	return "https://issuer.example/authorize?" + url.Values{"state": {a.State}, "client_id": {c.ClientID}}.Encode(), nil
}

func (*issuer) Finish(_ context.Context, _ signin.SSOClient, _ signin.SSOAttempt, code string) (signin.Claims, error) {
	if code != "good" {
		return signin.Claims{}, errors.New("a code that is none")
	}
	return signin.Claims{Issuer: "https://issuer.example", Subject: "s-1", Email: "bob@example.com", EmailVerified: true}, nil
}

// TestSSO: an owner connects the account; people go to the issuer and come back signed in, in the
// browser that began it alone.
func TestSSO(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	s.AddUsers(directory.User{ID: "bob", DisplayName: "Bob", Email: "bob@example.com", State: directory.Pending}, directory.User{ID: "adm", Groups: []string{directory.Administrators}})
	provider := &issuer{}
	s.SignIn.SSOProtocol = provider
	form := url.Values{"issuer": {"https://issuer.example"}, "client_id": {"rollcall"}, "client_secret": {"hush-hush-hush"}}
	admin := signedIn(t, s, "adm")
	admin.get("/console/account").wants(t, http.StatusOK, "Only owners can change this")
	admin.post("/console/account/sso", form).wants(t, http.StatusForbidden)
	for wrong, said := range map[string]string{
		"issuer=ftp://x&client_id=rollcall":                           "The issuer must be its https URL",
		"issuer=https://silent.example&client_id=rollcall":            "The issuer https://silent.example could not be asked about itself",
		"issuer=https://issuer.example&client_id=":                    "client id",
		"issuer=https://issuer.example&client_id=%01&client_secret=x": "client id",
	} {
		typed, err := url.ParseQuery(wrong)
		if err != nil {
			t.Fatal(err)
		}
		p := b.post("/console/account/sso", typed)
		p.wants(t, http.StatusUnprocessableEntity, "1 thing to mend", said)
		if got := attr(p.input(t, "issuer"), "value"); got != typed.Get("issuer") {
			t.Errorf("%s: what was typed comes back as %q", wrong, got)
		}
	}
	p := b.follow("/console/account/sso", form)
	p.wants(t, http.StatusOK, "Single sign-on is on.", "One is kept.")
	if strings.Contains(p.body, "hush") {
		t.Error("the page shows the client secret")
	}

	bob := open(t, s)
	p = bob.post("/console/sign-in/sso", url.Values{})
	p.wants(t, http.StatusOK, "On to issuer.example")
	to := strings.TrimPrefix(p.header.Get("Refresh"), "0; url=")
	u, err := url.Parse(to)
	if err != nil || u.Host != "issuer.example" || provider.redirect != s.BaseURL+"/console/sign-in/sso/callback" {
		t.Fatalf("sent to %q, to come back to %q", to, provider.redirect)
	}
	back := "/console/sign-in/sso/callback?" + url.Values{"state": {u.Query().Get("state")}, "code": {"good"}}.Encode()
	open(t, s).get(back).wants(t, http.StatusUnauthorized, "You are not signed in.") // another browser
	p = bob.get(back)
	if p.status != http.StatusSeeOther {
		t.Fatalf("coming back: got %d\n%s", p.status, p.text())
	}
	bob.get("/console/profile").wants(t, http.StatusOK, "Bob", "single sign-on")
	bob.get(back).wants(t, http.StatusUnauthorized) // once

	b.get("/console/account/sso/remove").wants(t, http.StatusOK, "Nobody can sign in through the provider any more.")
	b.follow("/console/account/sso/remove", url.Values{}).wants(t, http.StatusOK, "Single sign-on is off.")
	open(t, s).post("/console/sign-in/sso", url.Values{}).wants(t, http.StatusUnauthorized)
	found := map[audit.Action]bool{}
	for _, e := range s.Entries(testkit.Account) {
		found[e.Action] = true
		if strings.Contains(e.Detail, "hush") {
			t.Error("the audit log holds the client secret")
		}
	}
	for _, a := range []audit.Action{audit.SSOSet, audit.SSORemove, audit.UserConfirm} {
		if !found[a] {
			t.Errorf("the audit log does not tell of %s", a)
		}
	}
}
