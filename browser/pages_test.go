package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// looks are how each page is looked at.
var looks = []struct {
	name, theme   string
	width, height int64
}{{"light", "light", 1280, 900}, {"dark", "dark", 1280, 900}, {"phone", "light", 390, 844}}

// sight is one page to look at, and what is done before.
type sight struct {
	name, path string
	before     func(*tab)
}

// TestEveryPage holds each page against axe-core in both themes and on a phone, and leaves a
// picture of each.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	s, app := busy(t)
	axe, err := os.ReadFile(filepath.Join("node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v: tools/deps.sh installs it", err)
	}
	in, out := open(t, s), open(t, s)
	in.enter(s, directory.User{ID: "ada", Account: testkit.Account})
	link, err := s.SignIn.Invite(context.Background(), operator, testkit.Account, "hedy")
	if err != nil {
		t.Fatal(err)
	}
	for _, look := range looks {
		for _, page := range doorSights(link.Token) {
			see(out, page, look.name, look.theme, look.width, look.height, string(axe))
		}
		for _, page := range sights(app) {
			see(in, page, look.name, look.theme, look.width, look.height, string(axe))
		}
	}
	see(in, sight{"menu", "/console/overview", func(b *tab) { b.do("open the menu", chromedp.Click(b.mark("Menu"))) }}, "phone", "light", 390, 844, string(axe))
	// The invitation goes last: it ends the link that was looked at.
	for _, look := range looks {
		see(in, sight{"link-made", "/console/people/hedy", func(b *tab) { b.press("Invitation link") }}, look.name, look.theme, look.width, look.height, string(axe))
	}
}

// TestEmptyPages does the same where nothing has happened yet, and where somebody may do little.
func TestEmptyPages(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ada := s.AddUser(directory.User{ID: "ada", Email: "ada@northwind.example", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	kim := s.AddUser(directory.User{ID: "kim", Email: "kim@northwind.example", DisplayName: "Kim Member"})
	axe, err := os.ReadFile(filepath.Join("node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v: tools/deps.sh installs it", err)
	}
	owner, member := open(t, s), open(t, s)
	owner.enter(s, ada)
	member.enter(s, kim)
	for _, look := range looks {
		for _, page := range []sight{{"empty-overview", "/console/overview", nil}, {"empty-integrations", "/console/integrations", nil}} {
			see(owner, page, look.name, look.theme, look.width, look.height, string(axe))
		}
		for _, page := range []sight{{"member-profile", "/console/profile", nil}, {"member-refused", "/console/people", nil}} {
			see(member, page, look.name, look.theme, look.width, look.height, string(axe))
		}
	}
	member.forget()
	for _, look := range looks {
		see(member, sight{"signed-out", "/console/sign-in?out=1", nil}, look.name, look.theme, look.width, look.height, string(axe))
	}
}

func doorSights(link string) []sight {
	return []sight{
		{"sign-in", "/console/sign-in", nil},
		{"sign-in-refused", "/console/sign-in", func(b *tab) {
			b.fill("E-mail address", "ada@northwind.example")
			b.fill("Password", "wrong")
			b.press("Sign in")
		}},
		{"invitation", "/console/link/" + link, nil},
		{"invitation-mend", "/console/link/" + link, func(b *tab) {
			b.fill("New password", "password1234")
			b.press("Set password and sign in")
		}},
		{"link-over", "/console/link/rcl_nothing", nil},
	}
}

func sights(app testkit.Application) []sight {
	one := "/console/integrations/" + string(app.ID)
	return []sight{
		{"overview", "/console/overview", nil},
		{"overview-numbers", "/console/overview", func(b *tab) { b.do("show the numbers", chromedp.Click(b.mark("Show the numbers"))) }},
		{"people", "/console/people", nil},
		{"people-nobody", "/console/people?q=zzz", nil},
		{"person", "/console/people/grace", nil},
		{"person-add", "/console/people/new", nil},
		{"person-mend", "/console/people/new", func(b *tab) {
			b.fill("Name", "Hedy")
			b.fill("E-mail address", "ada@northwind.example")
			b.press("Add person")
		}},
		{"person-edit", "/console/people/grace/edit", nil},
		{"person-suspend", "/console/people/grace/suspend", nil},
		{"person-remove", "/console/people/grace/remove", nil},
		{"person-reset", "/console/people/grace/reset", nil},
		{"person-group-mend", "/console/people/grace", func(b *tab) {
			b.fill("Another group", "Owners")
			b.press("Add to group")
		}},
		{"person-refused", "/console/people/ext/suspend", func(b *tab) { b.press("Suspend") }},
		{"people-suspend", "/console/people/suspend?id=grace&id=kay&id=ext", nil},
		{"people-suspended", "/console/people/suspend?id=claude&id=hedy&id=ext", func(b *tab) {
			b.fill("Type", "suspend 3 people")
			b.press("Suspend 3 people")
		}},
		{"integrations", "/console/integrations", nil},
		{"integration-add", "/console/integrations/new", nil},
		{"integration-mend", "/console/integrations/new", func(b *tab) {
			b.fill("Name", "Robot")
			b.fill("Redirect URL", "https://localhost/")
			b.press("Continue to credentials")
		}},
		{"credentials", "/console/integrations/new", func(b *tab) {
			b.fill("Name", "Seat counter")
			b.tick("Suspend user")
			b.press("Continue to credentials")
		}},
		{"integration", one, nil},
		{"integration-edit", one + "/edit", nil},
		{"integration-delete", one + "/delete", nil},
		{"integration-disable", one + "/disable", nil},
		{"integration-revoke", one + "/revoke", nil},
		{"audit", "/console/audit", nil},
		{"audit-verified", "/console/audit", func(b *tab) { b.press("Verify the chain") }},
		{"audit-details", "/console/audit?action=users.suspend", func(b *tab) {
			b.do("open the details", chromedp.Click(chromedp.CSS("details.fold summary"), chromedp.NodeVisible))
		}},
		{"audit-mend", "/console/audit?actor=ada&from=yesterday", nil},
		{"audit-nothing", "/console/audit?actor=nobody", nil},
		{"account", "/console/account", nil},
		{"account-sso-remove", "/console/account/sso/remove", nil},
		{"profile", "/console/profile", nil},
		{"profile-mend", "/console/profile", func(b *tab) {
			b.fill("New password", "short")
			b.press("Change password")
		}},
		{"not-found", "/console/nothing", nil},
	}
}

func see(b *tab, page sight, name, theme string, width, height int64, axe string) {
	b.t.Helper()
	b.look(theme, width, height)
	b.goTo(page.path)
	if page.before != nil {
		page.before(b)
	}
	b.shoot(page.name + "-" + name)
	if wide := read[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		b.t.Errorf("%s, %s: the page is %d pixels wider than the window", page.name, name, wide)
	}
	read[bool](b, axe+"; true")
	found := read[string](b, `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) => ({
		id: v.id, help: v.help, nodes: v.nodes.map((n) => n.html + " :: " + n.failureSummary)}))))`)
	var violations []struct {
		ID, Help string
		Nodes    []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		b.t.Errorf("%s, %s: %s: %s\n  %s", page.name, name, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
	}
}

// busy is a server on which all that a page can show has happened.
func busy(t *testing.T) (*testkit.Server, testkit.Application) {
	t.Helper()
	s := serve(t)
	if _, err := s.Directory.EditAccount(context.Background(), operator, testkit.Account, directory.AccountPatch{Name: text("Northwind Trading")}); err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return time.Now().AddDate(0, 0, -n) }
	people := []directory.User{
		{ID: "ada", Email: "ada@northwind.example", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners, "engineering"}, CreateTime: day(400)},
		{ID: "grace", Email: "grace.hopper@northwind.example", DisplayName: "Grace Hopper", Groups: []string{directory.Administrators, "navy"}, CreateTime: day(380)},
		{ID: "claude", Email: "claude@northwind.example", DisplayName: "Claude Shannon", State: directory.Suspended, CreateTime: day(200)},
		{ID: "hedy", Email: "hedy@partners.example", DisplayName: "Hedy Lamarr", State: directory.Pending, Type: directory.Guest, CreateTime: day(2)},
		{ID: "kay", Email: "katherine.johnson@northwind.example", DisplayName: "Katherine Johnson of the Flight Research Division", Groups: []string{directory.Security, "engineering"}, CreateTime: day(90)},
		{ID: "ext", Email: "root@managed.example", DisplayName: "Managed Administrator", Type: directory.ExternallyManaged, CreateTime: day(300)},
	}
	for i := range 55 {
		people = append(people, directory.User{Email: "", DisplayName: fmt.Sprintf("Person Number %02d", i), CreateTime: day(80 - i)})
	}
	s.AddUsers(people...)
	grace := open(t, s)
	grace.enter(s, directory.User{ID: "grace", Account: testkit.Account})
	app := s.AddClient(oauth.Application{
		Account: testkit.Account, Name: "Offboarding robot", Description: "Suspends people on their last day, at 18:00.", Permissions: access.AllUsers,
	}, "")
	s.AddClient(oauth.Application{Account: testkit.Account, Name: "Reporting", Permissions: access.Set(access.ListUsers)}, "")
	s.Form(app, "/v1/oauth/token", url.Values{"grant_type": {"client_credentials"}})
	token := s.Token(app)
	s.Do(testkit.Request{Path: s.ListPath(), Token: token, Header: http.Header{"User-Agent": {"Northwind-Offboarding/2.4 (+https://northwind.example)"}}})
	s.Post(token, s.UserPath("claude", ":suspend"))
	s.Post(token, s.UserPath("ext", ":suspend"))
	s.Get("rct_wrong", s.ListPath())
	s.Rotate(app, 30*time.Hour)
	stranger := open(t, s)
	for range 3 {
		stranger.goTo("/console/sign-in")
		stranger.fill("E-mail address", "grace.hopper@northwind.example")
		stranger.fill("Password", "guess")
		stranger.press("Sign in")
	}
	var rows []usage.Row
	for i := range 24 {
		n := int64(40 + (i*i*7)%230 + (i%5)*40)
		row := usage.Row{
			Key:    usage.Key{Hour: time.Now().UTC().Truncate(time.Hour).Add(-time.Duration(i) * time.Hour), Account: testkit.Account, Client: app.ID, UserAgent: "Northwind-Offboarding/2.4 (+https://northwind.example)"},
			Counts: usage.Counts{Requests: n, Errors: n / int64(12+i%9), Limited: 0},
		}
		if i%9 == 2 {
			row.Limited = n / 8
			row.Errors += row.Limited
		}
		rows = append(rows, row)
	}
	if err := s.Store.AddUsage(context.Background(), rows); err != nil {
		t.Fatal(err)
	}
	return s, app
}

func text(s string) *string { return &s }
