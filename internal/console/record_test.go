package console_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	_ "modernc.org/sqlite" // to damage a record behind the server's back

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// entries counts the rows of the audit log on a page.
func (p page) entries() int {
	return len(p.all(func(n *html.Node) bool { return n.Data == "tr" && within(n, "tbody") }))
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	s, _ := start(t, testkit.Options{})
	s.AddUsers(directory.User{ID: "bob", DisplayName: "Bob Stone", Email: "bob@example.com"})
	app := s.AddApplication(access.SuspendUser)
	s.Clock.Advance(time.Hour)
	s.Post(s.Token(app), s.UserPath("bob", ":suspend"))
	s.Clock.Advance(time.Hour)
	b := signedIn(t, s, "ada")
	b.post("/console/people/bob/reactivate", url.Values{})
	b.get("/console/audit").wants(t, http.StatusOK, "Suspend Done on Bob Stone", "Example", "integration", "Reactivate Done on Bob Stone", "Ada Lovelace")
	for query, want := range map[string]int{
		"action=users.suspend":                              1,
		"target=bob&outcome=done":                           2,
		"target=bob%40example.com":                          2,
		"actor=ada@example.com&target=BOB@EXAMPLE.COM":      1,
		"actor=" + string(app.ID) + "&action=users.suspend": 1,
		"target=bob&from=2026-03-02T10:30":                  1,
		"target=bob&until=2026-03-02T10:30":                 1,
		"target=bob&from=2026-03-03":                        0,
		"actor=nobody":                                      0,
	} {
		if got := b.get("/console/audit?" + query).entries(); got != want {
			t.Errorf("%s: got %d entries, want %d", query, got, want)
		}
	}
	p := b.get("/console/audit?from=yesterday&actor=x")
	p.wants(t, http.StatusOK, "1 thing to mend", "Write a time like")
	if got := attr(p.input(t, "from"), "value"); got != "yesterday" {
		t.Errorf("the time comes back as %q", got)
	}
	b.get("/console/audit?before=%00&actor=%01").wants(t, http.StatusOK)
}

func TestAuditPages(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "bob"})
	for range 60 {
		s.Clock.Advance(time.Second)
		if _, err := s.Directory.Suspend(context.Background(), operator, testkit.Account, "bob"); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for path, pages := "/console/audit?action=users.suspend", 0; path != ""; pages++ {
		p := b.get(path)
		total += p.entries()
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
	if total != 60 {
		t.Errorf("walked past %d entries, want 60", total)
	}
}

func TestAuditExport(t *testing.T) {
	t.Parallel()
	s, _ := start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "bob", DisplayName: "Bob <b>Stone"})
	s.Restart()
	b := signedIn(t, s, "ada")
	want, err := s.Store.Entries(context.Background(), testkit.Account, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	p := b.get("/console/audit/export")
	if kind := p.header.Get("Content-Disposition"); !strings.HasPrefix(kind, "attachment; filename=\"audit-") || p.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("headers: %v", p.header)
	}
	lines := strings.Split(strings.TrimSuffix(p.body, "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d", len(lines), len(want))
	}
	for i, line := range lines {
		var e struct {
			ID, Action, Hash string
			Time             time.Time
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID != string(want[i].ID) || e.Hash != want[i].Hash.String() || !e.Time.Equal(want[i].At) {
			t.Errorf("line %d is %s (%v), want %+v", i, line, err, want[i])
		}
	}
	if got := b.get("/console/audit/export?action=users.import&from=2020-01-01"); strings.Count(got.body, "\n") != 2 {
		t.Errorf("people who were added: %s", got.body)
	}
	b.get("/console/audit/export?from=never").wants(t, http.StatusBadRequest)
}

// TestVerify: a whole record is called whole, and one that was changed is not.
func TestVerify(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	b.post("/console/audit/verify", url.Values{}).wants(t, http.StatusOK, "The chain is whole.")
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.Dir, store.File)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE audit_entries SET detail = 'nothing happened' WHERE action = 'users.reset'`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b.post("/console/audit/verify", url.Values{}).wants(t, http.StatusOK, "The audit log is not what was written.", "its content is not what was written")
}

func TestAccountPage(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{PublicURL: "https://users.example.com/"})
	p := b.get("/console/account")
	p.wants(t, http.StatusOK, testkit.Account, "https://users.example.com", "https://users.example.com/console/sign-in/sso/callback", "Off")
	if strings.Contains(p.byID("base-url"), "com/") {
		t.Errorf("the base URL is %s", p.byID("base-url"))
	}
	p = b.post("/console/account", url.Values{"name": {""}, "provisioning": {"sometimes"}})
	p.wants(t, http.StatusUnprocessableEntity, "2 things to mend", "Choose one of the three.")
	b.follow("/console/account", url.Values{"name": {"Northwind"}, "provisioning": {"refuse"}}).wants(t, http.StatusOK, "The changes are saved.")
	if a, err := s.Directory.Account(context.Background(), operator, testkit.Account); err != nil || a.Name != "Northwind" || a.Provisioning != directory.RefuseProvisioning {
		t.Errorf("the account is %+v, %v", a, err)
	}
	p = b.post("/console/account/sso", url.Values{"issuer": {"http://127.0.0.1:1"}, "client_id": {"rollcall"}})
	p.wants(t, http.StatusUnprocessableEntity)
	if got := attr(p.input(t, "issuer"), "value"); got != "http://127.0.0.1:1" {
		t.Errorf("the issuer comes back as %q", got)
	}
	b.post("/console/account/sso/remove", url.Values{}).wants(t, http.StatusNotFound)
}

// TestProblems: errors of every kind are pages, and say no more than they should.
func TestProblems(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	out := open(t, s)
	for path, want := range map[string]int{
		"/console/nothing": http.StatusNotFound, "/console/": http.StatusNotFound, "/console/people/": http.StatusNotFound,
		"/console/people/nobody": http.StatusNotFound, "/console/people/%00": http.StatusNotFound, "/console/people/..": http.StatusNotFound,
		"/console/people/a%2Fb": http.StatusNotFound, "/console/integrations/%FF": http.StatusNotFound, "/console/assets/nothing.css": http.StatusNotFound,
		"/console/integrations?page=nonsense": http.StatusBadRequest,
	} {
		if p := b.get(path); p.status != want {
			t.Errorf("%s: got %d, want %d", path, p.status, want)
		}
	}
	out.get("/console/nothing").wants(t, http.StatusNotFound, "There is no such page")
	big := url.Values{"name": {strings.Repeat("a", 200<<10)}}
	b.post("/console/account", big).wants(t, http.StatusRequestEntityTooLarge, "too large")
	p := b.send(http.MethodPost, "/console/account", strings.NewReader("name=%zz"), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}})
	p.wants(t, http.StatusBadRequest, "could not be read")
	p = b.send(http.MethodPut, "/console/account", nil, http.Header{})
	p.wants(t, http.StatusMethodNotAllowed)
	if head := b.send(http.MethodHead, "/console/profile", nil, http.Header{}); head.status != http.StatusOK || head.body != "" {
		t.Errorf("HEAD: got %d %q", head.status, head.body)
	}
}

// TestDefect: what is broken inside is a page with the request's id and nothing else.
func TestDefect(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	working := s.Directory.Store
	s.Directory.Store = broken{working}
	p := b.get("/console/people")
	p.wants(t, http.StatusInternalServerError, "Something went wrong here")
	if id := p.header.Get("X-Request-Id"); p.byID("request-id") != id || !strings.Contains(s.Logs(), id) {
		t.Errorf("the page names the request %q, the header %q, and the log it: %t", p.byID("request-id"), id, strings.Contains(s.Logs(), id))
	}
	if strings.Contains(p.body, "innards") {
		t.Error("the page tells of innards")
	}
	b.get("/console/people/ada").wants(t, http.StatusInternalServerError)
}

// broken fails as no store should.
type broken struct{ directory.Store }

func (broken) People(context.Context, ident.AccountID, directory.PeopleQuery) (directory.PeoplePage, error) {
	return directory.PeoplePage{}, errors.New("innards")
}

func (broken) Person(context.Context, ident.AccountID, ident.UserID) (directory.User, error) {
	panic("innards")
}

// TestStories: who only claimed to be somebody is not said to be them, and what happened is told in
// words rather than as it is kept.
func TestStories(t *testing.T) {
	t.Parallel()
	s, _ := start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "bob", DisplayName: "Bob Stone", Email: "bob@example.com"})
	signedIn(t, s, "bob")
	app := s.Rotate(s.AddApplication(), 30*time.Hour)
	open(t, s).post("/console/sign-in", url.Values{"email": {"bob@example.com"}, "password": {"a guess"}}).wants(t, http.StatusUnauthorized)
	s.Entries(testkit.Account) // writes what is waiting
	b := signedIn(t, s, "ada")
	p := b.get("/console/people/bob")
	p.wants(t, http.StatusOK, "Sign-in refused with a password", "Signed in by Bob Stone with a one-time link")
	if strings.Contains(p.text(), "session 0") || strings.Contains(p.text(), "refused by Bob") {
		t.Errorf("told as it is kept:\n%s", p.text())
	}
	b.get("/console/audit?target=bob&outcome=refused").wants(t, http.StatusOK, "Bob Stone or somebody else")
	b.get("/console/integrations/"+string(app.ID)).wants(t, http.StatusOK, "the old secret works on for 30 hours")
}
