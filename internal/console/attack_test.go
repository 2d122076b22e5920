package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestOtherOrigins: a form or a script elsewhere changes nothing, whatever it sends.
func TestOtherOrigins(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{PublicURL: "https://users.example.com"})
	s.AddUser(directory.User{ID: "bob"})
	for name, c := range map[string]struct {
		header http.Header
		want   int
	}{
		"another site":         {http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, http.StatusForbidden},
		"a sister site":        {http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://evil.example.com"}}, http.StatusForbidden},
		"an old browser":       {http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden},
		"a sandboxed frame":    {http.Header{"Origin": {"null"}}, http.StatusForbidden},
		"our own page":         {http.Header{"Sec-Fetch-Site": {"same-origin"}}, http.StatusSeeOther},
		"behind a proxy":       {http.Header{"Origin": {"https://users.example.com"}}, http.StatusSeeOther},
		"typed by the person":  {http.Header{"Sec-Fetch-Site": {"none"}}, http.StatusSeeOther},
		"a program, no header": {http.Header{}, http.StatusSeeOther},
	} {
		if p := b.do(http.MethodPost, "/console/people/bob/suspend", url.Values{}, c.header); p.status != c.want {
			t.Errorf("%s: got %d, want %d", name, p.status, c.want)
		}
		if c.want == http.StatusSeeOther {
			if _, err := s.Directory.Reactivate(context.Background(), operator, testkit.Account, "bob"); err != nil {
				t.Fatal(err)
			}
		} else if u, err := s.Directory.Get(context.Background(), operator, testkit.Account, "bob"); err != nil || u.State != directory.Active {
			t.Errorf("%s: Bob is %s (%v)", name, u.State, err)
		}
	}
	p := b.send(http.MethodPost, "/console/profile/passkeys/begin", strings.NewReader("{}"),
		http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"cross-site"}})
	if p.status != http.StatusForbidden || !strings.HasPrefix(p.header.Get("Content-Type"), "application/json") {
		t.Errorf("a script elsewhere: got %d %s", p.status, p.body)
	}
}

// TestMarkup: what people, programs and strangers write is shown and never obeyed. That no page
// holds inline code is checked of every answer.
func TestMarkup(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>"'--></title>`
	s.AddUser(directory.User{ID: "eve", DisplayName: evil, Groups: []string{evil[:60]}})
	app := s.AddClient(oauth.Application{Account: testkit.Account, Name: evil, Description: evil, Permissions: access.All}, "")
	r := s.Form(app, "/v1/oauth/token", url.Values{"grant_type": {"client_credentials"}})
	if r.Status != http.StatusOK {
		t.Fatal(r.Body)
	}
	stranger := open(t, s)
	stranger.agent = evil
	stranger.post("/console/sign-in", url.Values{"email": {"eve@example.com"}, "password": {evil}})
	eve := open(t, s)
	eve.agent = evil
	link, err := s.SignIn.Reset(context.Background(), operator, testkit.Account, "eve")
	if err != nil {
		t.Fatal(err)
	}
	eve.post("/console/link/"+link.Token, url.Values{"password": {password}})
	q := url.QueryEscape(evil)
	for _, path := range []string{
		"/console/people", "/console/people?q=" + q, "/console/people?group=" + q + "&state=" + q + "&type=" + q, "/console/people/eve", "/console/people/eve/edit",
		"/console/people/eve/remove", "/console/people/suspend?id=eve", "/console/people/" + url.PathEscape(evil), "/console/overview", "/console/integrations",
		"/console/integrations/" + string(app.ID), "/console/integrations/" + string(app.ID) + "/delete", "/console/integrations/" + string(app.ID) + "/edit",
		"/console/audit", "/console/audit?actor=" + q + "&from=" + q + "&action=" + q, "/console/" + url.PathEscape(evil),
	} {
		p := b.get(path)
		for _, n := range p.named("img") {
			t.Errorf("%s holds an image: %v", path, n.Attr)
		}
		if n := len(p.named("script")); n != 1 {
			t.Errorf("%s holds %d scripts", path, n)
		}
	}
	b.get("/console/people/eve").wants(t, http.StatusOK, "<script>alert(1)</script>")
	eve.get("/console/profile").wants(t, http.StatusOK, "<script>alert(1)</script>")
}

// TestMassAssignment: a form sets the fields that its page has, and no other.
func TestMassAssignment(t *testing.T) {
	t.Parallel()
	s, _ := start(t, testkit.Options{})
	ctx := context.Background()
	s.AddUser(directory.User{ID: "root", Groups: []string{directory.Administrators}})
	b := signedIn(t, s, "root")
	more := url.Values{
		"id": {"CHOSEN"}, "ID": {"CHOSEN"}, "state": {"SUSPENDED"}, "account": {"OTHER"}, "account_id": {"OTHER"}, "create_time": {"2000-01-01T00:00:00Z"},
		"secret": {"chosen"}, "client_secret": {"chosen"}, "role": {"owners"}, "groups": {"crew"}, "display_name": {"Other"},
	}
	with := func(form url.Values) url.Values {
		for name, v := range more {
			if _, ok := form[name]; !ok {
				form[name] = v
			}
		}
		return form
	}
	b.post("/console/people/new", with(url.Values{"name": {"New"}, "email": {"new@example.com"}, "type": {"member"}, "invite": {"no"}}))
	u, err := s.Directory.Find(ctx, operator, testkit.Account, "new@example.com")
	if err != nil || u.ID == "CHOSEN" || u.State != directory.Active || u.DisplayName != "New" || u.CreateTime.Year() == 2000 {
		t.Errorf("added %+v, %v", u, err)
	}
	b.post("/console/people/"+string(u.ID)+"/edit", with(url.Values{"name": {"Newer"}, "email": {"new@example.com"}, "type": {"guest"}, "groups": {"owners"}}))
	after, err := s.Directory.Person(ctx, operator, testkit.Account, u.ID)
	if err != nil || after.DisplayName != "Newer" || after.State != directory.Active || len(after.Groups) != 1 || after.Groups[0] != "crew" || after.Account != testkit.Account {
		t.Errorf("edited to %+v, %v", after, err)
	}
	p := b.post("/console/integrations/new", with(url.Values{"name": {"App"}, "permissions": {"users.get"}}))
	id := ident.ClientID(p.byID("client-id"))
	a, err := s.OAuth.Get(ctx, operator, testkit.Account, id)
	if err != nil || id == "CHOSEN" || a.State != oauth.Enabled || a.Permissions != access.Set(access.GetUser) || a.CreateTime.Year() == 2000 {
		t.Errorf("set up %+v, %v", a, err)
	}
	for _, name := range []string{"users.manage", "owners.manage", "audit.read", "account.manage"} {
		p := b.post("/console/integrations/new", url.Values{"name": {"Strong"}, "permissions": {name}})
		p.wants(t, http.StatusBadRequest)
	}
	b.post("/console/account", with(url.Values{"name": {"Name"}, "provisioning": {"none"}, "state": {"closed"}}))
	if account, err := s.Directory.Account(ctx, operator, testkit.Account); err != nil || account.State != directory.Open || account.ID != testkit.Account || account.Name != "Name" {
		t.Errorf("the account is %+v, %v", account, err)
	}
}

// TestOtherAccounts: ids of another account are as good as none.
func TestOtherAccounts(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	ctx := context.Background()
	other := s.AddAccount(directory.Account{Name: "Other"})
	s.AddUsers(directory.User{ID: "zoe", Account: other.ID, DisplayName: "Zoe Elsewhere"}, directory.User{ID: "yan", Account: other.ID, State: directory.Pending})
	app := s.AddApplicationTo(other.ID, access.ListUsers)
	before, err := s.Store.Entries(ctx, other.ID, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{
		"name": {"X"}, "email": {"x@example.com"}, "type": {"member"}, "typed": {"zoe@example.com"}, "act": {"add"}, "group": {"crew"},
		"overlap": {"0s"}, "permissions": {"users.get"},
	}
	for _, path := range []string{
		"/people/zoe/edit", "/people/zoe/groups", "/people/zoe/suspend", "/people/zoe/reactivate", "/people/zoe/remove", "/people/yan/invite",
		"/people/zoe/reset", "/people/zoe/sessions/end", "/integrations/{app}/edit", "/integrations/{app}/rotate", "/integrations/{app}/disable", "/integrations/{app}/enable",
		"/integrations/{app}/delete", "/integrations/{app}/revoke",
	} {
		path = "/console" + strings.ReplaceAll(path, "{app}", string(app.ID))
		if p := b.post(path, form); p.status != http.StatusNotFound {
			t.Errorf("POST %s: got %d, want 404\n%s", path, p.status, p.text())
		}
	}
	for _, path := range []string{"/people/zoe", "/people/zoe/edit", "/people/zoe/suspend", "/people/suspend?id=zoe", "/integrations/{app}", "/integrations/{app}/edit"} {
		path = "/console" + strings.ReplaceAll(path, "{app}", string(app.ID))
		here, nobody := b.get(path), b.get(strings.NewReplacer("zoe", "nobody", string(app.ID), "00000000-0000-4000-8000-000000000000").Replace(path))
		if here.status != http.StatusNotFound || stripID(here) != stripID(nobody) {
			t.Errorf("GET %s: got %d, and other words than for nobody:\n%s\n%s", path, here.status, stripID(here), stripID(nobody))
		}
	}
	for _, path := range []string{"/people", "/people?q=zoe", "/integrations", "/audit", "/overview"} {
		if p := b.get("/console" + path); strings.Contains(p.body, "Zoe") || strings.Contains(p.body, string(app.ID)) {
			t.Errorf("GET %s tells of another account", path)
		}
	}
	if after, err := s.Store.Entries(ctx, other.ID, "", 100); err != nil || len(after) != len(before) {
		t.Errorf("the other account's record has %d entries, had %d (%v)", len(after), len(before), err)
	}
	if c, err := s.OAuth.Get(ctx, operator, other.ID, app.ID); err != nil || c.State != oauth.Enabled || len(c.Secrets) != 1 {
		t.Errorf("the other account's integration is %+v, %v", c, err)
	}
}

// stripID is a page's text without the request's id.
func stripID(p page) string { return strings.ReplaceAll(p.text(), p.byID("request-id"), "") }

// TestNothingByGET: a link, a picture or a browser that looks ahead changes nothing.
func TestNothingByGET(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "bob", State: directory.Pending})
	app := s.AddApplication()
	head := func() audit.Head {
		h, err := s.Store.Head(context.Background(), testkit.Account)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	before := head()
	for _, path := range []string{
		"/console/people/bob/suspend", "/console/people/bob/remove", "/console/people/bob/reset", "/console/people/suspend?id=bob&typed=suspend+1+person",
		"/console/integrations/" + string(app.ID) + "/disable", "/console/integrations/" + string(app.ID) + "/delete", "/console/account/sso/remove",
	} {
		b.get(path).wants(t, http.StatusOK)
	}
	for _, path := range []string{
		"/console/people/bob/invite", "/console/people/bob/groups", "/console/people/bob/reactivate", "/console/sign-out", "/console/theme", "/console/profile/password",
		"/console/integrations/" + string(app.ID) + "/rotate", "/console/integrations/" + string(app.ID) + "/enable", "/console/audit/verify",
	} {
		p := b.get(path)
		p.wants(t, http.StatusMethodNotAllowed)
		if p.header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow: %q", path, p.header.Get("Allow"))
		}
	}
	if after := head(); after != before {
		t.Errorf("the chain went from %d to %d", before.Seq, after.Seq)
	}
	b.get("/console/profile").wants(t, http.StatusOK)
}
