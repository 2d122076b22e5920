package browser

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestNewcomer starts where somebody begins who has read one line of the README: 'rollcall dev',
// over TLS, opens the link that it prints, sets up an integration, and suspends somebody with the
// commands that it shows, as they stand there.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	link := tried.door(t)
	origin, path, _ := strings.Cut(link, "/console")
	b := openAt(t, origin)
	b.goTo("/console/sign-in")
	b.withAuthenticator()
	b.goTo("/console" + path)
	email := strings.Fields(b.text())
	address := email[slices.IndexFunc(email, func(s string) bool { return strings.Contains(s, "@") })]
	b.fill("New password", password)
	b.press("Set password and sign in")
	b.says("Everything, as an owner.")
	b.keepsOneSafeCookie()
	b.press("Sign out")
	b.fill("E-mail address", address)
	b.fill("Password", password)
	b.press("Sign in")
	b.says("What needs attention")

	b.press("Set up integration")
	b.fill("Name", "Offboarding")
	b.tick("Suspend user")
	b.press("Continue to credentials")
	_, env := b.download("Download as offboarding.env")
	people := b.listed(env)
	i := slices.IndexFunc(people, func(p listedPerson) bool { return p.Email != address })
	if i < 0 {
		t.Fatalf("nobody to suspend: %v", people)
	}
	commands := b.value("try-it") + strings.ReplaceAll(b.value("suspend-it"), "USER_ID", people[i].ID)
	if !strings.Contains(commands, "--cacert "+tried.ca) {
		t.Errorf("the commands name no CA file: %s", commands)
	}
	if out := shell(t, commands); !strings.Contains(out, `"state":"SUSPENDED"`) {
		t.Errorf("the commands print %s", out)
	}
	b.press("I have saved them")
	b.goTo("/console/people/" + people[i].ID)
	b.says("Suspended", "by Offboarding")
	b.press("Reactivate")
	b.says("Active")

	b.goTo("/console/profile")
	b.fill("Name of the passkey", "Test key")
	b.press("Add a passkey")
	b.says("The passkey was added.")
	b.press("Sign out")
	b.press("Sign in with a passkey")
	b.says("Overview")
	b.keepsOneSafeCookie()
}

// TestDownload saves the credentials as a file, and calls the API with what it holds.
func TestDownload(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ada := s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	b := open(t, s)
	b.enter(s, ada)
	b.goTo("/console/integrations/new")
	b.fill("Name", "Märchen & Söhne: $(id) 'Büro'")
	b.tick("Reactivate user")
	b.press("Continue to credentials")
	secret := b.value("client-secret")
	name, env := b.download("Download as m-rchen-s-hne-id-b-ro.env")
	if name != "m-rchen-s-hne-id-b-ro.env" {
		t.Errorf("the file is called %q", name)
	}
	if env["ROLLCALL_CLIENT_SECRET"] != secret || env["ROLLCALL_ACCOUNT_ID"] != string(testkit.Account) {
		t.Errorf("the file holds %q", env)
	}
	if people := b.listed(env); len(people) != 1 || people[0].Email != "ada@example.com" {
		t.Errorf("listed %v", people)
	}
}

// keepsOneSafeCookie: a session over TLS is in a cookie that neither scripts nor other hosts reach.
func (b *tab) keepsOneSafeCookie() {
	b.t.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	got, err := chromedp.Call(ctx, network.GetCookies, network.GetCookiesParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	if len(got.Cookies) != 1 {
		b.t.Fatalf("%d cookies", len(got.Cookies))
	}
	c := got.Cookies[0]
	if c.Name != "__Host-rollcall" || !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || c.Domain != "localhost" || c.Path != "/" || !c.Session {
		b.t.Errorf("the cookie is %s of %q %q, secure %t, for scripts %t, %s, until the browser ends %t", c.Name, c.Domain, c.Path, c.Secure, !c.HTTPOnly, c.SameSite, c.Session)
	}
	if !read[bool](b, "isSecureContext") || read[string](b, "document.cookie") != "" {
		b.t.Error("the page is no secure context, or its script sees a cookie")
	}
}

// listedPerson is of the API's answer what these tests look at.
type listedPerson struct{ ID, Email string }

// listed gets a token with the values of an environment file, and with it the first people.
func (b *tab) listed(env map[string]string) []listedPerson {
	b.t.Helper()
	transport := &http.Transport{}
	if file := env["ROLLCALL_CA_FILE"]; file != "" {
		roots, err := trusting(file)
		if err != nil {
			b.t.Fatal(err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ask := func(method, path, body string, authorize func(*http.Request), answer any) {
		b.t.Helper()
		r, err := http.NewRequestWithContext(ctx, method, env["ROLLCALL_BASE_URL"]+path, strings.NewReader(body))
		if err != nil {
			b.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		authorize(r)
		resp, err := transport.RoundTrip(r)
		if err != nil {
			b.t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(text, answer) != nil {
			b.t.Fatalf("%s: %d %s (%v)", path, resp.StatusCode, text, err)
		}
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	ask(http.MethodPost, "/v1/oauth/token", url.Values{"grant_type": {"client_credentials"}}.Encode(), func(r *http.Request) {
		r.SetBasicAuth(env["ROLLCALL_CLIENT_ID"], env["ROLLCALL_CLIENT_SECRET"])
	}, &token)
	var list struct{ Results []listedPerson }
	ask(http.MethodGet, "/v1/accounts/"+env["ROLLCALL_ACCOUNT_ID"]+"/users", "", func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	}, &list)
	return list.Results
}
