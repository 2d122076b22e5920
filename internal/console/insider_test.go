package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// forged answers every form there is, as somebody would who knows them all.
var forged = url.Values{
	"name": {"Mine"}, "email": {"mine@example.com"}, "type": {"externally_managed"}, "groups": {"owners"}, "other": {"owners"}, "group": {"owners"}, "act": {"add"}, "invite": {"no"},
	"overlap": {"0s"}, "permissions": {"users.list", "users.suspend"}, "managing": {"oauth_clients.write"}, "redirect_url": {""}, "provisioning": {"allow"},
	"issuer": {"https://evil.example"}, "client_id": {"evil"}, "client_secret": {"evil-evil-evil"},
}

// own are the routes that everybody has for themselves.
var own = map[string]bool{
	"": true, "/profile": true, "/profile/password": true, "/profile/passkeys/begin": true, "/profile/passkeys/finish": true,
	"/profile/sessions/end-others": true, "/sign-out": true,
}

// TestInsider is somebody with a session and no role: every route, with ids of their own account
// and of another, with ids that are none and with far too long ones, is refused to them.
func TestInsider(t *testing.T) {
	t.Parallel()
	s, owner := start(t, testkit.Options{})
	ctx := context.Background()
	other := s.AddAccount(directory.Account{Name: "Other"})
	s.AddUsers(directory.User{ID: "mal", Groups: []string{"crew"}}, directory.User{ID: "bob"}, directory.User{ID: "zoe", Account: other.ID, Groups: []string{directory.Owners}})
	app, theirs := s.AddApplication(access.ListUsers), s.AddApplicationTo(other.ID, access.ListUsers)
	mal := signedIn(t, s, "mal")
	sessions, err := s.SignIn.Sessions(ctx, operator, testkit.Account, "ada")
	if err != nil || len(sessions) != 1 {
		t.Fatalf("%v, %v", sessions, err)
	}
	known, err := s.OAuth.Get(ctx, operator, testkit.Account, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	state := func() any {
		t.Helper()
		people, err := s.Directory.People(ctx, operator, testkit.Account, directory.PeopleQuery{})
		if err != nil {
			t.Fatal(err)
		}
		elsewhere, err := s.Directory.People(ctx, operator, other.ID, directory.PeopleQuery{})
		if err != nil {
			t.Fatal(err)
		}
		account, err := s.Directory.Account(ctx, operator, testkit.Account)
		if err != nil {
			t.Fatal(err)
		}
		var apps [][]oauth.Application
		for _, id := range []ident.AccountID{testkit.Account, other.ID} {
			list, err := s.OAuth.List(ctx, operator, id)
			if err != nil {
				t.Fatal(err)
			}
			apps = append(apps, list)
		}
		return []any{people.People, elsewhere.People, account, apps}
	}
	before := state()
	long := strings.Repeat("A", 6000)
	for method, path := range console.Routes {
		if own[strings.TrimPrefix(path, "/console")] {
			continue
		}
		for _, ids := range [][2]string{{"bob", string(app.ID)}, {"ada", string(app.ID)}, {"zoe", string(theirs.ID)}, {"%00", "%2e%2e%2fpeople"}, {"%ff%fe", "'--"}, {long, long}} {
			form := url.Values{"id": {ids[0]}, "current": {string(known.Secrets[0].ID)}}
			for _, typed := range []string{"bob@example.com", "App", "suspend 1 person"} {
				form.Add("typed", typed)
			}
			for name, values := range forged {
				form[name] = values
			}
			to := strings.NewReplacer("{user}", ids[0], "{client}", ids[1], "{session}", string(sessions[0].ID), "{passkey}", ids[0]).Replace(path)
			var p page
			if method == http.MethodGet {
				p = mal.get(to)
			} else {
				p = mal.post(to, form)
			}
			if p.status != http.StatusForbidden && p.status != http.StatusNotFound {
				t.Errorf("%s %.80s: got %d %q\n%s", method, to, p.status, p.header.Get("Location"), p.text())
			}
			if strings.Contains(p.body, "Ada Lovelace") || strings.Contains(p.body, "Zoe") {
				t.Errorf("%s %.80s tells of others", method, to)
			}
		}
	}
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
	owner.get("/console/profile").wants(t, http.StatusOK) // her session is where it was
	for _, e := range s.Entries(testkit.Account) {
		if e.Actor == "mal" && e.Outcome == audit.Done && e.Action != audit.SignIn && e.Action != audit.PasswordSet {
			t.Errorf("done: %+v", e)
		}
	}
}

// TestAtOnce: a form that many send at the same time does once what it does.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	ctx := context.Background()
	s.AddUsers(directory.User{ID: "pen", State: directory.Pending}, directory.User{ID: "bob", Groups: []string{directory.Owners}})
	app := s.AddApplication(access.ListUsers)
	known, err := s.OAuth.Get(ctx, operator, testkit.Account, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.SignIn.Invite(ctx, operator, testkit.Account, "pen")
	if err != nil {
		t.Fatal(err)
	}
	id := attr(b.get("/console/integrations/new").input(t, "id"), "value")
	bob := signedIn(t, s, "bob")
	for name, c := range map[string]struct {
		path  string
		form  url.Values
		of    []*browser
		did   func(page) bool
		most  int
		least int
	}{
		"set up": {
			"/console/integrations/new", url.Values{"id": {id}, "name": {"App"}, "permissions": {"users.list"}},
			[]*browser{b}, func(p page) bool { return p.byID("client-secret") != "" }, 1, 1,
		},
		"rotate": {
			"/console/integrations/" + string(app.ID) + "/rotate", url.Values{"overlap": {"0s"}, "current": {string(known.Secrets[0].ID)}},
			[]*browser{b, bob}, func(p page) bool { return p.byID("client-secret") != "" }, 1, 1,
		},
		"one-time link": {
			"/console/link/" + link.Token, url.Values{"password": {password}},
			[]*browser{open(t, s)}, func(p page) bool { return p.status == http.StatusSeeOther }, 1, 1,
		},
		"add": {
			"/console/people/new", url.Values{"name": {"New"}, "email": {"new@example.com"}, "type": {"member"}, "invite": {"no"}},
			[]*browser{b, bob}, func(p page) bool { return p.status == http.StatusSeeOther }, 1, 1,
		},
	} {
		var did int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				p := c.of[i%len(c.of)].post(c.path, c.form)
				mu.Lock()
				defer mu.Unlock()
				if c.did(p) {
					did++
				}
				if p.status >= http.StatusInternalServerError {
					t.Errorf("%s: got %d\n%s", name, p.status, p.text())
				}
			})
		}
		wg.Wait()
		if did < c.least || did > c.most {
			t.Errorf("%s: done %d times", name, did)
		}
	}
}

// TestPagesAreLimited: somebody who asks without end is told to wait, and writes no more into the
// record meanwhile; another person goes on.
func TestPagesAreLimited(t *testing.T) {
	t.Parallel()
	o := testkit.Options{}
	o.Limits.ConsolePerMinute = 20
	s, owner := start(t, o)
	s.AddUser(directory.User{ID: "mal"})
	mal := signedIn(t, s, "mal")
	for range 20 {
		mal.get("/console/people").wants(t, http.StatusForbidden)
	}
	entries := func() int {
		list, err := s.Store.Entries(t.Context(), testkit.Account, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := entries()
	for range 5 {
		mal.get("/console/people").wants(t, http.StatusTooManyRequests, "20 pages a minute for this person", "wait 60 s")
		mal.post("/console/profile/passkeys/begin", url.Values{}).wants(t, http.StatusTooManyRequests)
	}
	if after := entries(); after != before {
		t.Errorf("the record went from %d to %d entries", before, after)
	}
	owner.get("/console/people").wants(t, http.StatusOK)
	s.Clock.Advance(time.Minute)
	mal.get("/console/profile").wants(t, http.StatusOK)
}
