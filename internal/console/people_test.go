package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// listed are the names of the people of a page.
func (p page) listed() []string {
	var names []string
	for _, n := range p.all(func(n *html.Node) bool { return n.Data == "a" && within(n, "tbody") }) {
		names = append(names, textOf(n))
	}
	return names
}

func TestPeopleList(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	at := testkit.Epoch.Add(-time.Hour)
	s.AddUsers(
		directory.User{ID: "bob", DisplayName: "Bob Stone", Email: "bob@example.com", State: directory.Suspended, CreateTime: at, Groups: []string{"crew"}},
		directory.User{ID: "cyd", DisplayName: "Cydné Moon", Email: "moon@example.net", Type: directory.Guest, CreateTime: at.Add(time.Minute)},
		directory.User{ID: "dan", DisplayName: "Dan Hill", Email: "dan@example.com", State: directory.Pending, CreateTime: at.Add(2 * time.Minute), Groups: []string{"crew"}},
	)
	for query, want := range map[string][]string{
		"":                          {"Bob Stone", "Cydné Moon", "Dan Hill", "Ada Lovelace"},
		"?q=sto":                    {"Bob Stone"},
		"?q=cydne+MOON":             {"Cydné Moon"},
		"?q=example.com":            {"Bob Stone", "Dan Hill", "Ada Lovelace"},
		"?q=tone":                   nil, // the middle of a word
		"?state=SUSPENDED":          {"Bob Stone"},
		"?state=PENDING":            {"Dan Hill"},
		"?type=guest":               {"Cydné Moon"},
		"?group=crew":               {"Bob Stone", "Dan Hill"},
		"?group=crew&state=PENDING": {"Dan Hill"},
		"?group=nobody":             nil,
		"?after=nonsense":           {"Bob Stone", "Cydné Moon", "Dan Hill", "Ada Lovelace"},
	} {
		p := b.get("/console/people" + query)
		if got := p.listed(); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
		if len(want) == 0 {
			p.wants(t, http.StatusOK, "Nobody matches")
		}
	}
	if got := attr(b.get("/console/people?q=sto").input(t, "q"), "value"); got != "sto" {
		t.Errorf("the search comes back as %q", got)
	}
	b.get("/console/people?q="+strings.Repeat("a", 300)).wants(t, http.StatusOK, "at most 200 are allowed")
}

// TestPeoplePages walks through all pages: everybody once, in the order of creation, with the
// filter kept.
func TestPeoplePages(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	var users []directory.User
	for i := range 120 {
		users = append(users, directory.User{DisplayName: fmt.Sprintf("Walker %03d", i), CreateTime: testkit.Epoch.Add(time.Duration(i-200) * time.Minute)})
	}
	s.AddUsers(users...)
	var seen []string
	for path, pages := "/console/people?q=walker", 0; path != ""; pages++ {
		p := b.get(path)
		seen = append(seen, p.listed()...)
		path = ""
		for _, n := range p.named("a") {
			if attr(n, "rel") == "next" {
				path = attr(n, "href")
			}
		}
		if pages > 5 {
			t.Fatal("the pages have no end")
		}
	}
	if len(seen) != 120 || !slices.IsSorted(seen) || len(slices.Compact(seen)) != 120 {
		t.Errorf("walked past %d people: %q", len(seen), seen)
	}
}

func TestAddPerson(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	ctx := context.Background()
	p := b.post("/console/people/new", url.Values{"name": {""}, "email": {"not an address"}, "type": {"guest"}, "groups": {"security"}, "other": {"crew, night shift"}, "invite": {"no"}})
	p.wants(t, http.StatusUnprocessableEntity, "2 things to mend", "The name is missing.", "one bare address")
	for name, want := range map[string]string{"email": "not an address", "other": "crew, night shift"} {
		if got := attr(p.input(t, name), "value"); got != want {
			t.Errorf("%s comes back as %q, want %q", name, got, want)
		}
	}
	first := p.all(func(n *html.Node) bool { return has(n, "autofocus") })
	if len(first) != 1 || attr(first[0], "name") != "name" || attr(first[0], "aria-describedby") != "f-name-error" {
		t.Errorf("the first field that is wrong has not the focus: %v", first)
	}
	checked := p.all(func(n *html.Node) bool { return has(n, "checked") })
	var values []string
	for _, n := range checked {
		values = append(values, attr(n, "value"))
	}
	if !slices.Equal(values, []string{"guest", "security", "no"}) {
		t.Errorf("the choices come back as %q", values)
	}

	form := url.Values{"name": {"Bob"}, "email": {"bob@example.com"}, "type": {"member"}, "groups": {"security"}, "other": {"crew, night shift"}, "invite": {"yes"}}
	p = b.post("/console/people/new", form)
	p.wants(t, http.StatusOK, "Invitation for Bob", "Bob was added.")
	link := p.byID("one-time-link")
	u, err := s.Directory.Find(ctx, operator, testkit.Account, "bob@example.com")
	if err != nil || u.State != directory.Pending {
		t.Fatalf("added %+v, %v", u, err)
	}
	known, err := s.Directory.Person(ctx, operator, testkit.Account, u.ID)
	if err != nil || !slices.Equal(known.Groups, []string{"crew", "night shift", "security"}) {
		t.Errorf("Bob is in %q (%v)", known.Groups, err)
	}
	if p := b.get("/console/people/" + string(u.ID)); strings.Contains(p.body, strings.TrimPrefix(link, s.BaseURL)) {
		t.Error("the link is shown again")
	}
	bob := open(t, s)
	path := strings.TrimPrefix(link, s.BaseURL)
	bob.get(path).wants(t, http.StatusOK, "You are invited", "Bob")
	bob.follow(path, url.Values{"password": {password}}).wants(t, http.StatusOK, "as a member of the security group")
	if u, err := s.Directory.Find(ctx, operator, testkit.Account, "bob@example.com"); err != nil || u.State != directory.Active {
		t.Errorf("Bob is %s after he confirmed (%v)", u.State, err)
	}
	b.post("/console/people/new", form).wants(t, http.StatusUnprocessableEntity, "has this address already")
	form.Set("email", "cyd@example.com")
	form.Set("other", "Owners")
	b.post("/console/people/new", form).wants(t, http.StatusUnprocessableEntity, `written "owners"`)
}

func TestEditPerson(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "bob", DisplayName: "Bob", Email: "bob@example.com"})
	b.follow("/console/people/bob/edit", url.Values{"name": {"Robert"}, "email": {"robert@example.com"}, "type": {"guest"}}).wants(t, http.StatusOK, "Robert", "Guest", "The changes are saved.")
	b.post("/console/people/bob/edit", url.Values{"name": {"Robert"}, "email": {"ADA@example.com"}, "type": {"guest"}}).wants(t, http.StatusUnprocessableEntity, "has this address already")
	b.follow("/console/people/bob/groups", url.Values{"act": {"add"}, "group": {"crew"}}).wants(t, http.StatusOK, "Added to the group.", "crew")
	b.follow("/console/people/bob/groups", url.Values{"act": {"add"}, "group": {"crew"}}).wants(t, http.StatusOK, "It was so already")
	b.follow("/console/people/bob/groups", url.Values{"act": {"remove"}, "group": {"crew"}}).wants(t, http.StatusOK, "In no group.")
	b.post("/console/people/bob/groups", url.Values{"act": {"add"}, "group": {""}}).wants(t, http.StatusUnprocessableEntity, "Group name is missing.")
}

// TestRefusalsInWords: the reasons of contract section 4 as people read them.
func TestRefusalsInWords(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	ctx := context.Background()
	s.AddUsers(directory.User{ID: "ext", DisplayName: "Extra", Type: directory.ExternallyManaged}, directory.User{ID: "bob", DisplayName: "Bob"},
		directory.User{ID: "pen", DisplayName: "Penny", State: directory.Pending}, directory.User{ID: "adm", DisplayName: "Admin", Groups: []string{directory.Administrators}})
	admin := signedIn(t, s, "adm")
	none := url.Values{}
	b.post("/console/people/ext/suspend", none).wants(t, http.StatusForbidden, "Extra is externally managed")
	b.post("/console/people/ext/remove", url.Values{"typed": {"ext@example.com"}}).wants(t, http.StatusForbidden, "Extra is externally managed")
	b.post("/console/people/ada/suspend", none).wants(t, http.StatusForbidden, "You can't do this to yourself")
	admin.post("/console/people/ada/suspend", none).wants(t, http.StatusForbidden, "Ada Lovelace is the last active owner")
	b.post("/console/people/ada/groups", url.Values{"act": {"remove"}, "group": {"owners"}}).wants(t, http.StatusForbidden, "Ada Lovelace is the last active owner")
	admin.post("/console/people/ada/remove", url.Values{"typed": {"ada@example.com"}}).wants(t, http.StatusForbidden, "only owners manage owners")
	b.post("/console/people/pen/suspend", none).wants(t, http.StatusNotFound)
	b.post("/console/people/bob/invite", none).wants(t, http.StatusConflict, "has confirmed already", "Back to Bob")
	b.post("/console/people/pen/reset", none).wants(t, http.StatusConflict, "has not confirmed yet")
	policy := directory.RefuseProvisioning
	if _, err := s.Directory.EditAccount(ctx, operator, testkit.Account, directory.AccountPatch{Provisioning: &policy}); err != nil {
		t.Fatal(err)
	}
	b.post("/console/people/bob/suspend", none).wants(t, http.StatusForbidden, "automated provisioning", "Suspend Bob?")
	b.post("/console/people/bob/reactivate", none).wants(t, http.StatusForbidden, "automated provisioning", "Back to Bob")
}

func TestBulkSuspend(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	s.AddUsers(directory.User{ID: "bob", DisplayName: "Bob"}, directory.User{ID: "cyd", DisplayName: "Cyd"}, directory.User{ID: "ext", DisplayName: "Extra", Type: directory.ExternallyManaged},
		directory.User{ID: "pen", DisplayName: "Penny", State: directory.Pending})
	bob := signedIn(t, s, "bob")
	ids := []string{"bob", "cyd", "ext", "pen", "bob"}
	b.get("/console/people/suspend?id=bob&id=cyd&id=ext&id=pen&id=bob").wants(t, http.StatusOK, "Suspend 4 people?", "Penny")
	b.post("/console/people/suspend", url.Values{"id": ids, "typed": {"Suspend 4 people"}}).wants(t, http.StatusUnprocessableEntity, "Type it exactly")
	bob.get("/console/profile").wants(t, http.StatusOK)
	b.post("/console/people/suspend", url.Values{"id": ids, "typed": {"suspend 4 people"}}).wants(t, http.StatusOK, "2 people are suspended", "2 people were left", "Extra is externally managed", "Pending people")
	bob.get("/console/profile").wants(t, http.StatusSeeOther)
	b.post("/console/people/suspend", url.Values{"typed": {"suspend 0 people"}}).wants(t, http.StatusBadRequest, "Nobody was selected.")
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("u", i)
	}
	b.post("/console/people/suspend", url.Values{"id": many}).wants(t, http.StatusBadRequest, "too many at once")
}

func TestRemovePerson(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "bob", DisplayName: "Bob", Email: "bob@example.com"})
	p := b.post("/console/people/bob/remove", url.Values{"typed": {"Bob"}})
	p.wants(t, http.StatusUnprocessableEntity, "Type it exactly as it stands here: bob@example.com")
	if got := attr(p.input(t, "typed"), "value"); got != "Bob" {
		t.Errorf("what was typed comes back as %q", got)
	}
	b.follow("/console/people/bob/remove", url.Values{"typed": {"bob@example.com"}}).wants(t, http.StatusOK, "The person was removed.")
	b.get("/console/people/bob").wants(t, http.StatusNotFound)
}

// TestRecovery: the ways in end when the link is made; the link works once.
func TestRecovery(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "bob", DisplayName: "Bob", Email: "bob@example.com"})
	bob := signedIn(t, s, "bob")
	p := b.post("/console/people/bob/reset", url.Values{})
	p.wants(t, http.StatusOK, "Recovery link for Bob")
	bob.get("/console/profile").wants(t, http.StatusSeeOther)
	in := url.Values{"email": {"bob@example.com"}, "password": {password}}
	bob.post("/console/sign-in", in).wants(t, http.StatusUnauthorized)
	path := strings.TrimPrefix(p.byID("one-time-link"), s.BaseURL)
	bob.follow(path, url.Values{"password": {"nine slow lanterns"}}).wants(t, http.StatusOK)
	bob.post(path, url.Values{"password": {"nine slow lanterns"}}).wants(t, http.StatusNotFound)
}

// TestSessions: people see where they are signed in and end it; so do those who manage them.
func TestSessions(t *testing.T) {
	t.Parallel()
	s, ada := start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "bob", DisplayName: "Bob", Email: "bob@example.com"})
	first := signedIn(t, s, "bob")
	enter := func() *browser {
		s.Clock.Advance(time.Second) // the newest is listed first
		b := open(t, s)
		b.agent = "Mozilla/5.0 (iPhone) Safari/600"
		b.post("/console/sign-in", url.Values{"email": {"bob@example.com"}, "password": {password}}).wants(t, http.StatusSeeOther)
		return b
	}
	second, third := enter(), enter()
	p := first.get("/console/profile")
	p.wants(t, http.StatusOK, "Firefox on Linux This one", "Safari on iPhone")
	sessions, err := s.SignIn.Sessions(context.Background(), operator, testkit.Account, "bob")
	if err != nil || len(sessions) != 3 {
		t.Fatalf("sessions: %v, %v", sessions, err)
	}
	foreign := "/console/profile/sessions/" + string(sessions[0].ID) + "/end"
	ada.post(foreign, url.Values{}).wants(t, http.StatusNotFound) // it is not hers
	first.follow(foreign, url.Values{}).wants(t, http.StatusOK, "The session has ended.")
	open := 0
	for _, b := range []*browser{second, third} {
		if b.get("/console/profile").status == http.StatusOK {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d of two sessions are left, want 1", open)
	}
	fourth := enter()
	fourth.follow("/console/profile/sessions/end-others", url.Values{}).wants(t, http.StatusOK, "The sessions have ended.")
	first.get("/console/profile").wants(t, http.StatusSeeOther)
	ada.get("/console/people/bob").wants(t, http.StatusOK, "Safari on iPhone")
	ada.follow("/console/people/bob/sessions/end", url.Values{}).wants(t, http.StatusOK, "Nowhere at the moment.")
	fourth.get("/console/profile").wants(t, http.StatusSeeOther)
}

func TestSetPassword(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	other := open(t, s)
	other.post("/console/sign-in", url.Values{"email": {"ada@example.com"}, "password": {password}}).wants(t, http.StatusSeeOther)
	b.post("/console/profile/password", url.Values{"current": {"wrong"}, "new": {"eight loud lanterns"}}).wants(t, http.StatusUnprocessableEntity, "not your current password")
	b.post("/console/profile/password", url.Values{"current": {password}, "new": {"ada@example.com"}}).wants(t, http.StatusUnprocessableEntity, "easily guessed")
	b.follow("/console/profile/password", url.Values{"current": {password}, "new": {"eight loud lanterns"}}).wants(t, http.StatusOK, "The password is set.")
	other.get("/console/profile").wants(t, http.StatusSeeOther)
	other.post("/console/sign-in", url.Values{"email": {"ada@example.com"}, "password": {password}}).wants(t, http.StatusUnauthorized)
	other.post("/console/sign-in", url.Values{"email": {"ada@example.com"}, "password": {"eight loud lanterns"}}).wants(t, http.StatusSeeOther)
}
