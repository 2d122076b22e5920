package console_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestWizard: what the second step shows works, is shown once, and is made once.
func TestWizard(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	ctx := context.Background()
	form := url.Values{
		"id": {attr(b.get("/console/integrations/new").input(t, "id"), "value")}, "name": {"Off'boarding robot"}, "description": {"Two\r\nlines"},
		"redirect_url": {""}, "permissions": {"users.list", "users.suspend"},
	}
	p := b.post("/console/integrations/new", form)
	p.wants(t, http.StatusOK, "Save credentials", "Copy the secret now.", "USER_ID:suspend")
	if p.header.Get("Cache-Control") != "no-store" || p.header.Get("Content-Encoding") != "" {
		t.Errorf("the answer with the secret: %v", p.header)
	}
	id, secret := p.byID("client-id"), p.byID("client-secret")
	if id != form.Get("id") {
		t.Errorf("the integration has the id %s, the form had %s", id, form.Get("id"))
	}
	app := testkit.Application{ID: ident.ClientID(id), Account: testkit.Account, Secret: secret}
	if r := s.Get(s.Token(app), s.ListPath()); r.Status != http.StatusOK {
		t.Errorf("with the secret: got %d %s", r.Status, r.Body)
	}
	a, err := s.OAuth.Get(ctx, operator, testkit.Account, app.ID)
	if err != nil || a.Description != "Two lines" || a.Permissions != access.Set(access.ListUsers|access.SuspendUser) {
		t.Errorf("set up %+v, %v", a, err)
	}
	env := ""
	for _, n := range p.all(func(n *html.Node) bool { return has(n, "download") }) {
		if attr(n, "download") != "off-boarding-robot.env" {
			t.Errorf("the file is called %s", attr(n, "download"))
		}
		text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(attr(n, "href"), "data:text/plain;charset=utf-8;base64,"))
		if err != nil {
			t.Fatal(err)
		}
		env = string(text)
	}
	want := "ROLLCALL_BASE_URL=" + s.BaseURL + "\nROLLCALL_ACCOUNT_ID=" + s.Account + "\nROLLCALL_CLIENT_ID=" + id + "\nROLLCALL_CLIENT_SECRET=" + secret + "\n"
	if env != want {
		t.Errorf("the file holds\n%s\nwant\n%s", env, want)
	}

	// Sent again, as by reloading: nothing is made, and nothing shown.
	again := b.follow("/console/integrations/new", form)
	again.wants(t, http.StatusOK, "shown once", "Current secret")
	for _, path := range []string{"/console/integrations", "/console/integrations/" + id, "/console/audit", "/console/overview"} {
		if p := b.get(path); strings.Contains(p.body, secret) {
			t.Errorf("%s shows the secret", path)
		}
	}
	if apps, _, err := s.OAuth.Page(ctx, operator, testkit.Account, oauth.ListQuery{}); err != nil || len(apps) != 1 {
		t.Errorf("there are %d integrations (%v)", len(apps), err)
	}
	for _, e := range s.Entries(testkit.Account) {
		if strings.Contains(e.Detail, secret) {
			t.Error("the audit log holds the secret")
		}
	}
	if strings.Contains(s.Logs(), secret) {
		t.Error("the log holds the secret")
	}
}

func TestIntegrationForm(t *testing.T) {
	t.Parallel()
	_, b := start(t, testkit.Options{})
	p := b.post("/console/integrations/new", url.Values{"name": {" "}, "redirect_url": {"http://example.com"}, "description": {"Some words"}})
	p.wants(t, http.StatusUnprocessableEntity, "3 things to mend", "The name is missing.", "must be an https URL", "Choose at least one permission.")
	if got := attr(p.input(t, "redirect_url"), "value"); got != "http://example.com" {
		t.Errorf("the URL comes back as %q", got)
	}
	if got := textOf(p.input(t, "description")); got != "Some words" {
		t.Errorf("the description comes back as %q", got)
	}
	for _, id := range []string{"", "CHOSEN", "00000000-0000-1000-8000-000000000000", "../people", strings.Repeat("a", 36)} {
		p := b.post("/console/integrations/new", url.Values{"name": {"App"}, "permissions": {"users.list"}, "id": {id}})
		p.wants(t, http.StatusOK, "Save credentials")
		if got := p.byID("client-id"); got == id || len(got) != 36 {
			t.Errorf("with the id %q: got %q", id, got)
		}
	}
}

// TestRotate: with an overlap both secrets work, the page tells which is used, and a form that
// is sent again rotates nothing.
func TestRotate(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	app := s.AddApplication(access.ListUsers)
	here := "/console/integrations/" + string(app.ID)
	s.Token(app)
	current := attr(b.get(here).input(t, "current"), "value")
	s.Clock.Advance(time.Minute)
	form := url.Values{"overlap": {"1h0m0s"}, "current": {current}}
	p := b.post(here+"/rotate", form)
	p.wants(t, http.StatusOK, "Save credentials")
	fresh := app
	fresh.Secret = p.byID("client-secret")
	s.Token(fresh)
	b.get(here).wants(t, http.StatusOK, "Old secret, ends in 60 minutes", "Idle since the rotation")
	s.Clock.Advance(time.Minute)
	s.Token(app)
	b.get(here).wants(t, http.StatusOK, "the new one is not everywhere yet")
	b.get("/console/overview").wants(t, http.StatusOK, "Example: the old secret is still used")
	b.follow(here+"/rotate", form).wants(t, http.StatusOK, "shown once")
	s.Token(fresh)
	b.post(here+"/rotate", url.Values{"overlap": {"9000h"}, "current": {attr(b.get(here).input(t, "current"), "value")}}).wants(t, http.StatusBadRequest, "Overlap must be")
	s.Clock.Advance(time.Hour)
	if r := s.Form(app, "/v1/oauth/token", url.Values{"grant_type": {"client_credentials"}}); r.Status != http.StatusUnauthorized {
		t.Errorf("the old secret after its overlap: got %d", r.Status)
	}
}

// TestIntegrationLife: what the page does bites with the next request.
func TestIntegrationLife(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	app := s.AddClient(oauth.Application{Account: testkit.Account, Name: "Robot", Permissions: access.AllUsers}, "")
	here := "/console/integrations/" + string(app.ID)
	token := s.Token(app)
	ask := func(what string, want int) {
		t.Helper()
		if r := s.Get(token, s.ListPath()); r.Status != want {
			t.Errorf("%s: got %d, want %d", what, r.Status, want)
		}
	}
	ask("at first", http.StatusOK)
	b.get(here).wants(t, http.StatusOK, "Live tokens 1", "List users")
	b.follow(here+"/disable", url.Values{}).wants(t, http.StatusOK, "Disabled", "Enable")
	ask("disabled", http.StatusUnauthorized)
	b.follow(here+"/enable", url.Values{}).wants(t, http.StatusOK, "Enabled")
	ask("enabled", http.StatusOK)
	b.follow(here+"/edit", url.Values{"name": {"Robot 2"}, "permissions": {"users.get"}}).wants(t, http.StatusOK, "Robot 2", "The changes are saved.")
	ask("narrowed", http.StatusForbidden)
	b.follow(here+"/edit", url.Values{"name": {"Robot 2"}, "permissions": {"users.list"}}).wants(t, http.StatusOK)
	ask("widened", http.StatusOK)
	b.follow(here+"/revoke", url.Values{}).wants(t, http.StatusOK, "All its tokens have ended.")
	ask("revoked", http.StatusUnauthorized)
	token = s.Token(app)
	b.post(here+"/delete", url.Values{"typed": {"Robot"}}).wants(t, http.StatusUnprocessableEntity, "Type it exactly")
	b.follow(here+"/delete", url.Values{"typed": {"Robot 2"}}).wants(t, http.StatusOK, "The integration was deleted.", "No integrations yet")
	ask("deleted", http.StatusUnauthorized)
	b.get(here).wants(t, http.StatusNotFound)
}

// TestIntegrationLimits: changes here spend what the person's calls of the API spend.
func TestIntegrationLimits(t *testing.T) {
	t.Parallel()
	o := testkit.Options{}
	o.Limits.ManagementWritesPerMinute = 2
	s, b := start(t, o)
	app := s.AddApplication()
	here := "/console/integrations/" + string(app.ID)
	b.post(here+"/disable", url.Values{}).wants(t, http.StatusSeeOther)
	b.post(here+"/enable", url.Values{}).wants(t, http.StatusSeeOther)
	b.post(here+"/disable", url.Values{}).wants(t, http.StatusTooManyRequests, "wait 60 s")
	b.get(here).wants(t, http.StatusOK, "Enabled")
	s.Clock.Advance(time.Minute)
	b.post(here+"/disable", url.Values{}).wants(t, http.StatusSeeOther)
}

func TestOverview(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	b.get("/console/overview").wants(t, http.StatusOK, "Active 1", "Suspended 0", "One owner is left", "Ada Lovelace", "No integrations yet")
	s.AddClient(oauth.Application{Account: testkit.Account, Name: "Forgotten", Permissions: access.AllUsers}, "")
	app := s.AddClient(oauth.Application{Account: testkit.Account, Name: "Busy", Permissions: access.AllUsers}, "")
	stranger := open(t, s)
	for range 12 {
		stranger.post("/console/sign-in", url.Values{"email": {"ada@example.com"}, "password": {"wrong"}})
	}
	token := s.Token(app)
	for range 3 {
		s.Get(token, s.ListPath())
	}
	s.Get(token, s.UserPath("nobody", ""))
	s.Restart() // writes what is counted and noted
	b = signedIn(t, s, "ada")
	p := b.get("/console/overview")
	p.wants(t, http.StatusOK, "12 sign-ins were refused", "127.0.0.1", "Forgotten never used", "Busy last used just now 5 1 0")
	if !strings.Contains(p.body, "5 requests in 24 hours: 1 error, 0 of them over the limit") {
		t.Error("the picture does not say in words what it shows")
	}
	s.Clock.Advance(25 * time.Hour)
	b = signedIn(t, s, "ada")
	b.get("/console/overview").wants(t, http.StatusOK, "Forgotten: never used")
	p = b.get("/console/integrations/" + string(app.ID))
	p.wants(t, http.StatusOK, "Go-http-client/1.1", "25 hours ago")
	if entries := s.Entries(testkit.Account); len(entries) == 0 || entries[len(entries)-1].Outcome == audit.Denied {
		t.Error("looking at the overview leaves denials")
	}
}
