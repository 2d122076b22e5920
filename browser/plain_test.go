package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestWithoutScript: whoever lets no script run gets in, manages people and integrations, reads
// the record and gets out.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ada := s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	s.AddUsers(directory.User{ID: "bob", DisplayName: "Bob Stone"}, directory.User{ID: "cyd", DisplayName: "Cyd Moon"})
	b := open(t, s)
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.enter(s, ada)
	b.press("Sign out")
	if !read[bool](b, `document.querySelector("[data-passkey]").hidden`) {
		t.Fatal("a script runs")
	}
	b.fill("E-mail address", "ada@example.com")
	b.fill("Password", password)
	b.press("Sign in")

	b.goTo("/console/people/new")
	b.fill("Name", "Dan Hill")
	b.fill("E-mail address", "not an address")
	b.do("leave the judging to the server", chromedp.SetAttributeValue(chromedp.CSS("form.form"), "novalidate", ""))
	b.press("Add person")
	b.says("to mend")
	if got := b.valueOf("Name"); got != "Dan Hill" {
		t.Errorf("the name that was typed comes back as %q", got)
	}
	b.fill("E-mail address", "dan@example.com")
	b.press("Add person")
	b.says("Dan Hill")
	b.goTo("/console/people/bob")
	b.press("Suspend…")
	b.press("Suspend")
	b.says("Suspended.")
	b.press("Reactivate")
	b.says("Active")
	b.goTo("/console/people")
	for _, id := range []string{"bob", "cyd"} {
		b.do("select "+id, chromedp.Click(chromedp.CSS(`input[name=id][value=`+id+`]`)))
	}
	b.press("Suspend…")
	b.fill("Type", "suspend 2 people")
	b.press("Suspend 2 people")
	b.says("2 people are suspended")

	b.goTo("/console/integrations/new")
	b.fill("Name", "Offboarding")
	b.tick("Suspend user")
	b.press("Continue to credentials")
	if out := shell(t, b.value("try-it")); !strings.Contains(out, `"ada@example.com"`) {
		t.Errorf("the commands print %s", out)
	}
	b.press("I have saved them")
	b.press("Rotate secret")
	b.says("Copy the secret now.")
	b.goTo("/console/audit?action=users.suspend")
	b.says("Bob Stone", "Cyd Moon")
	b.press("Verify the chain")
	b.says("The chain is whole.")
	b.press("Sign out")
	b.says("You are signed out.")
}

// TestTimes: times are told in the reader's zone, and in UTC to whoever points at them; who reads
// elsewhere is told another hour, but the same moment.
func TestTimes(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ada := s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	b := open(t, s)
	b.enter(s, ada)
	for zone, hours := range map[string]time.Duration{"Asia/Tokyo": 9, "America/Bogota": -5} {
		if _, err := chromedp.Call(b.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone}); err != nil {
			t.Fatal(err)
		}
		b.goTo("/console/audit")
		const first = `document.querySelector("td time[data-as]")`
		at, err := time.Parse(time.RFC3339, read[string](b, first+`.getAttribute("datetime")`))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := read[string](b, first+`.textContent`), at.UTC().Add(hours*time.Hour).Format("15:04"); !strings.Contains(got, want) {
			t.Errorf("in %s: %q does not tell %s", zone, got, want)
		}
		if got, want := read[string](b, first+`.title`), at.UTC().Format("15:04"); !strings.Contains(got, want) || !strings.Contains(got, "UTC") {
			t.Errorf("in %s: pointing at it says %q, want %s UTC", zone, got, want)
		}
	}
}

// TestFirstViewInBrowser: what a browser with nothing kept transfers for the door and for the overview.
func TestFirstViewInBrowser(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ada := s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	s.AddClient(oauth.Application{Account: testkit.Account, Name: "Robot", Permissions: access.AllUsers}, "")
	b := open(t, s)
	b.enter(s, ada)
	if _, err := chromedp.Call(b.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}); err != nil {
		t.Fatal(err)
	}
	weigh := func(path string) {
		t.Helper()
		b.goTo(path)
		sizes := read[[]int](b, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((e) => e.transferSize)`)
		sum := 0
		for _, n := range sizes {
			if n == 0 {
				t.Errorf("%s: something comes from a cache: %v", path, sizes)
			}
			sum += n
		}
		if len(sizes) < 3 || sum >= 100_000 {
			t.Errorf("%s: %d bytes in %v, want fewer than 100000 in a page, its style and its script", path, sum, sizes)
		}
		t.Logf("%s: %d bytes in %v", path, sum, sizes)
	}
	weigh("/console/overview")
	b.press("Sign out")
	weigh("/console/sign-in")
}
