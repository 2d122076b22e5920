package console_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Who may do something, by the first letters of the roles: Owner, Administrator, Security,
// Member, Guest.
const (
	everybody = "OASMG"
	people    = "OA"
	programs  = "OAS"
	owners    = "O"
)

// deed is one thing to try. {target} stands for somebody, {owner} for an owner, {app} for
// an integration; each try has its own.
type deed struct {
	who, method, path string
	form              url.Values
}

var roleDeeds = []deed{
	{everybody, "GET", "/console", nil},
	{everybody, "GET", "/console/profile", nil},
	{everybody, "POST", "/console/theme", url.Values{"theme": {"dark"}}},
	{everybody, "POST", "/console/profile/sessions/end-others", url.Values{}},
	{programs, "GET", "/console/overview", nil},
	{people, "GET", "/console/people", nil},
	{people, "GET", "/console/people?q=someone", nil},
	{people, "GET", "/console/people/new", nil},
	{people, "POST", "/console/people/new", url.Values{"name": {"New"}, "email": {"new@example.com"}, "type": {"member"}, "invite": {"yes"}}},
	{owners, "POST", "/console/people/new", url.Values{"name": {"New"}, "email": {"new@example.com"}, "type": {"member"}, "groups": {"owners"}}},
	{owners, "POST", "/console/people/new", url.Values{"name": {"New"}, "email": {"new@example.com"}, "type": {"externally_managed"}}},
	{people, "GET", "/console/people/{target}", nil},
	{people, "GET", "/console/people/{owner}", nil},
	{people, "GET", "/console/people/{target}/edit", nil},
	{people, "POST", "/console/people/{target}/edit", url.Values{"name": {"Other"}, "email": {"other@example.com"}, "type": {"member"}}},
	{owners, "POST", "/console/people/{owner}/edit", url.Values{"name": {"Other"}, "email": {"other@example.com"}, "type": {"member"}}},
	{people, "POST", "/console/people/{target}/groups", url.Values{"act": {"add"}, "group": {"crew"}}},
	{people, "POST", "/console/people/{target}/groups", url.Values{"act": {"add"}, "group": {"administrators"}}},
	{owners, "POST", "/console/people/{target}/groups", url.Values{"act": {"add"}, "group": {"owners"}}},
	{owners, "POST", "/console/people/{owner}/groups", url.Values{"act": {"remove"}, "group": {"owners"}}},
	{owners, "POST", "/console/people/{owner}/groups", url.Values{"act": {"add"}, "group": {"crew"}}},
	{people, "GET", "/console/people/suspend?id={target}", nil},
	{people, "POST", "/console/people/suspend", url.Values{"id": {"{target}"}, "typed": {"suspend 1 person"}}},
	{people, "GET", "/console/people/{target}/suspend", nil},
	{people, "POST", "/console/people/{target}/suspend", url.Values{}},
	{people, "POST", "/console/people/{owner}/suspend", url.Values{}},
	{people, "POST", "/console/people/{target}/reactivate", url.Values{}},
	{people, "GET", "/console/people/{target}/remove", nil},
	{people, "POST", "/console/people/{target}/remove", url.Values{"typed": {"{target}@example.com"}}},
	{owners, "POST", "/console/people/{owner}/remove", url.Values{"typed": {"{owner}@example.com"}}},
	{people, "POST", "/console/people/{pending}/invite", url.Values{}},
	{people, "GET", "/console/people/{target}/reset", nil},
	{people, "POST", "/console/people/{target}/reset", url.Values{}},
	{owners, "POST", "/console/people/{owner}/reset", url.Values{}},
	{people, "POST", "/console/people/{target}/sessions/end", url.Values{}},
	{owners, "POST", "/console/people/{owner}/sessions/end", url.Values{}},
	{programs, "GET", "/console/integrations", nil},
	{programs, "GET", "/console/integrations/new", nil},
	{programs, "POST", "/console/integrations/new", url.Values{"name": {"New"}, "permissions": {"users.list", "users.suspend"}, "managing": {"oauth_clients.write"}}},
	{programs, "GET", "/console/integrations/{app}", nil},
	{programs, "GET", "/console/integrations/{app}/edit", nil},
	{programs, "POST", "/console/integrations/{app}/edit", url.Values{"name": {"Other"}, "permissions": {"users.list"}}},
	{programs, "POST", "/console/integrations/{app}/rotate", url.Values{"overlap": {"1h"}, "current": {"{secret}"}}},
	{programs, "GET", "/console/integrations/{app}/disable", nil},
	{programs, "POST", "/console/integrations/{app}/disable", url.Values{}},
	{programs, "POST", "/console/integrations/{app}/enable", url.Values{}},
	{programs, "GET", "/console/integrations/{app}/revoke", nil},
	{programs, "POST", "/console/integrations/{app}/revoke", url.Values{}},
	{programs, "GET", "/console/integrations/{app}/delete", nil},
	{programs, "POST", "/console/integrations/{app}/delete", url.Values{"typed": {"App"}}},
	{programs, "GET", "/console/audit", nil},
	{programs, "GET", "/console/audit/export", nil},
	{programs, "POST", "/console/audit/verify", url.Values{}},
	{people, "GET", "/console/account", nil},
	{people, "POST", "/console/account", url.Values{"name": {"Other"}, "provisioning": {"none"}}},
	{people, "GET", "/console/account/sso/remove", nil},
}

var roleGroups = []struct {
	letter string
	user   directory.User
}{
	{"O", directory.User{Groups: []string{directory.Owners}}},
	{"A", directory.User{Groups: []string{directory.Administrators}}},
	{"S", directory.User{Groups: []string{directory.Security}}},
	{"M", directory.User{Groups: []string{"crew"}}},
	{"G", directory.User{Type: directory.Guest}},
}

// TestRoles tries everything as everybody: it is done, or refused and remembered.
func TestRoles(t *testing.T) {
	t.Parallel()
	for _, role := range roleGroups {
		t.Run(role.letter, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			me := role.user
			me.ID = "me"
			s.AddUsers(me, directory.User{ID: "spare", Groups: []string{directory.Owners}}, directory.User{ID: "spare2", Groups: []string{directory.Owners}})
			b := signedIn(t, s, "me")
			for _, d := range roleDeeds {
				tryDeed(t, s, b, role.letter, d)
			}
		})
	}
}

func tryDeed(t *testing.T, s *testkit.Server, b *browser, letter string, d deed) {
	t.Helper()
	ctx := context.Background()
	target := string(s.AddUser(directory.User{}).ID)
	owner := string(s.AddUser(directory.User{Groups: []string{directory.Owners}}).ID)
	pending := string(s.AddUser(directory.User{State: directory.Pending}).ID)
	app := s.AddClient(oauth.Application{Account: testkit.Account, Name: "App", Permissions: access.All}, "")
	known, err := s.OAuth.Get(ctx, operator, testkit.Account, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("{target}", target, "{owner}", owner, "{pending}", pending, "{app}", string(app.ID), "{secret}", string(known.Secrets[0].ID)).Replace
	form := url.Values{}
	for name, values := range d.form {
		for _, v := range values {
			form.Add(name, fill(v))
		}
	}
	s.Clock.Advance(time.Millisecond) // entries are in the order of their milliseconds
	var p page
	if d.method == http.MethodGet {
		p = b.get(fill(d.path))
	} else {
		p = b.post(fill(d.path), form)
	}
	allowed := strings.Contains(d.who, letter)
	if ok := p.status < 400 && !strings.Contains(p.header.Get("Location"), "sign-in"); ok != allowed || !ok && p.status != http.StatusForbidden {
		t.Errorf("%s: %s %s %v: got %d, want allowed = %t\n%s", letter, d.method, d.path, d.form, p.status, allowed, p.text())
	}
	if !allowed {
		found, err := s.Store.FindEntries(ctx, testkit.Account, audit.Query{Actor: "me", Outcome: audit.Denied, From: s.Clock.Now(), Limit: 1}, 50)
		if err != nil || len(found.Entries) == 0 {
			t.Errorf("%s: %s %s: the refusal is not among the last entries (%v)", letter, d.method, d.path, err)
		}
	}
	// The next try begins with all that it needs, and with no more people than that.
	for _, id := range []string{target, owner, pending} {
		_ = s.Directory.RemoveUser(ctx, operator, testkit.Account, ident.UserID(id))
	}
	if added, err := s.Directory.Find(ctx, operator, testkit.Account, "new@example.com"); err == nil {
		_ = s.Directory.RemoveUser(ctx, operator, testkit.Account, added.ID)
	}
	if changed, err := s.Directory.Find(ctx, operator, testkit.Account, "other@example.com"); err == nil {
		_ = s.Directory.RemoveUser(ctx, operator, testkit.Account, changed.ID)
	}
}

// TestLinksFollowRoles: what is offered is what may be done.
func TestLinksFollowRoles(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"O": {"Overview", "People", "Integrations", "Audit log", "Account", "Your profile"},
		"A": {"Overview", "People", "Integrations", "Audit log", "Account", "Your profile"},
		"S": {"Overview", "Integrations", "Audit log", "Your profile"},
		"M": {"Your profile"}, "G": {"Your profile"},
	}
	s := testkit.Start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "owner", Groups: []string{directory.Owners}})
	s.AddUser(directory.User{ID: "target"})
	for _, role := range roleGroups {
		me := role.user
		me.ID = ident.UserID("me-" + role.letter)
		s.AddUser(me)
		b := signedIn(t, s, me.ID)
		start := b.get("/console").header.Get("Location")
		p := b.get(start)
		p.wants(t, http.StatusOK)
		var got []string
		for _, n := range p.named("nav") {
			for d := range n.Descendants() {
				if d.Data == "a" && attr(d, "aria-current") == "page" && attr(d, "href") != start {
					t.Errorf("%s: %s is marked as %s", role.letter, start, attr(d, "href"))
				}
				if d.Data == "a" {
					got = append(got, textOf(d))
				}
			}
			break
		}
		if !slices.Equal(got, want[role.letter]) {
			t.Errorf("%s: offered %q, want %q", role.letter, got, want[role.letter])
		}
		if role.letter != "A" {
			continue
		}
		for _, link := range b.get("/console/people/owner").links() {
			if strings.HasSuffix(link, "/edit") || strings.HasSuffix(link, "/remove") || strings.HasSuffix(link, "/reset") {
				t.Errorf("an administrator is offered %s", link)
			}
		}
	}
}
