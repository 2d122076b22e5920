package console_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// filled is a form that was filled in wrongly: which field is, and what else was typed.
type filled struct {
	path, wrong string
	form        url.Values
}

// filledForms are all forms with something to type; {app} and {link} are an integration and a link.
var filledForms = []filled{
	{"/console/link/{link}", "password", url.Values{"password": {"password1234"}}},
	{"/console/profile/password", "new", url.Values{"current": {password}, "new": {"short"}}},
	{"/console/profile/password", "current", url.Values{"current": {"wrong"}, "new": {"eight loud lanterns"}}},
	{"/console/people/new", "name", url.Values{"name": {"\x07"}, "email": {"new@example.com"}, "type": {"guest"}, "other": {"crew"}, "invite": {"no"}}},
	{"/console/people/new", "email", url.Values{"name": {"New"}, "email": {"new@"}, "type": {"guest"}, "other": {"crew"}, "invite": {"no"}}},
	{"/console/people/new", "other", url.Values{"name": {"New"}, "email": {"new@example.com"}, "type": {"guest"}, "other": {"Owners"}, "invite": {"no"}}},
	{"/console/people/bob/edit", "email", url.Values{"name": {"Robert"}, "email": {"ada@example.com"}, "type": {"guest"}}},
	{"/console/people/bob/edit", "name", url.Values{"name": {strings.Repeat("n", 300)}, "email": {"robert@example.com"}, "type": {"guest"}}},
	{"/console/people/bob/groups", "group", url.Values{"act": {"add"}, "group": {"OWNERS"}}},
	{"/console/people/bob/groups", "group", url.Values{"act": {"add"}, "group": {""}}},
	{"/console/people/bob/remove", "typed", url.Values{"typed": {"bob"}}},
	{"/console/people/suspend", "typed", url.Values{"id": {"bob"}, "typed": {"yes"}}},
	{"/console/integrations/new", "name", url.Values{"name": {""}, "description": {"Words"}, "redirect_url": {"https://example.com/"}, "permissions": {"users.list"}}},
	{"/console/integrations/new", "redirect_url", url.Values{"name": {"App"}, "description": {"Words"}, "redirect_url": {"ftp://example.com/"}, "permissions": {"users.list"}}},
	{"/console/integrations/{app}/edit", "description", url.Values{"name": {"App"}, "description": {strings.Repeat("d", 2000)}, "redirect_url": {""}, "permissions": {"users.list"}}},
	{"/console/integrations/{app}/delete", "typed", url.Values{"typed": {"app"}}},
	{"/console/account", "name", url.Values{"name": {""}, "provisioning": {"allow"}}},
	{"/console/account/sso", "issuer", url.Values{"issuer": {"http://example.com"}, "client_id": {"id"}, "client_secret": {"hush"}}},
	{"/console/account/sso", "client_id", url.Values{"issuer": {"https://example.com"}, "client_id": {"\x01"}, "client_secret": {"hush"}}},
}

// TestEveryFormComesBack: what was typed stands in the form again, the field that is wrong says
// why, and the first of them has the focus. Passwords and secrets alone do not come back.
func TestEveryFormComesBack(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	s.AddUsers(directory.User{ID: "bob", DisplayName: "Bob", Email: "bob@example.com"}, directory.User{ID: "pen", State: directory.Pending})
	app := s.AddApplication(access.ListUsers)
	link, err := s.SignIn.Invite(context.Background(), operator, testkit.Account, "pen")
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("{app}", string(app.ID), "{link}", link.Token).Replace
	tried := map[string]bool{"/console/sign-in": true} // which says of no field that it is wrong: TestSignIn
	for _, f := range filledForms {
		path := fill(f.path)
		tried[path] = true
		p := b.post(path, f.form)
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d\n%s", path, p.status, p.text())
			continue
		}
		if n := p.input(t, f.wrong); attr(n, "aria-invalid") != "true" || !has(n, "autofocus") {
			t.Errorf("%s: the field %s is not the one that is wrong: %v", path, f.wrong, n.Attr)
		}
		for name, want := range f.form {
			if got := p.typed(name); !slices.Equal(got, want) && !p.secret(t, name) && !within(p.input(t, name), "fieldset") && name != "act" {
				t.Errorf("%s: %s comes back as %q, want %q", path, name, got, want)
			}
		}
	}
	for _, page := range []string{
		"/console/sign-in", "/console/link/{link}", "/console/profile", "/console/people/new", "/console/people/bob", "/console/people/bob/edit", "/console/people/bob/remove",
		"/console/people/bob/suspend", "/console/people/bob/reset", "/console/people/suspend?id=bob", "/console/integrations/new", "/console/integrations/{app}",
		"/console/integrations/{app}/edit", "/console/integrations/{app}/delete", "/console/integrations/{app}/disable", "/console/integrations/{app}/revoke", "/console/account",
	} {
		for _, form := range b.get(fill(page)).named("form") {
			if attr(form, "method") == "post" && asksForWords(form) && !tried[attr(form, "action")] {
				t.Errorf("%s: nobody tried the form for %s", page, attr(form, "action"))
			}
		}
	}
}

// TestEveryFilterComesBack: so do the forms that look for something.
func TestEveryFilterComesBack(t *testing.T) {
	t.Parallel()
	_, b := start(t, testkit.Options{})
	for path, wrong := range map[string]string{
		"/console/people?q=" + strings.Repeat("a", 300): "q", "/console/audit?actor=ada&from=yesterday": "from", "/console/audit?actor=ada&until=2026-13-01T00%3A00": "until",
	} {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		p := b.get(path)
		p.wants(t, http.StatusOK)
		if n := p.input(t, wrong); attr(n, "aria-invalid") != "true" {
			t.Errorf("%s: the field %s is not the one that is wrong: %v", path, wrong, n.Attr)
		}
		for name, want := range u.Query() {
			if got := p.typed(name); !slices.Equal(got, want) {
				t.Errorf("%s: %s comes back as %q, want %q", path, name, got, want)
			}
		}
	}
}

// typed is what stands in the fields of a name.
func (p page) typed(name string) []string {
	var values []string
	for _, n := range p.all(func(n *html.Node) bool {
		return attr(n, "name") == name && (n.Data == "input" && attr(n, "type") != "radio" && attr(n, "type") != "checkbox" || n.Data == "textarea")
	}) {
		if n.Data == "textarea" {
			values = append(values, textOf(n))
		} else {
			values = append(values, attr(n, "value"))
		}
	}
	return values
}

// secret tells of a field whose value is never sent back.
func (p page) secret(t *testing.T, name string) bool {
	t.Helper()
	n := p.input(t, name)
	return attr(n, "type") == "password" && attr(n, "value") == ""
}

func asksForWords(form *html.Node) bool {
	for n := range form.Descendants() {
		if n.Data == "textarea" || n.Data == "input" && !has(n, "readonly") && !slices.Contains([]string{"hidden", "radio", "checkbox"}, attr(n, "type")) {
			return true
		}
	}
	return false
}
