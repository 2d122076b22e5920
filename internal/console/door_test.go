package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestFirstOwner goes from the link that the command line prints to a session.
func TestFirstOwner(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "ada", DisplayName: "Ada", State: directory.Pending, Groups: []string{directory.Owners}})
	link, err := s.SignIn.FirstOwnerLink(context.Background(), operator, testkit.Account, "ada")
	if err != nil {
		t.Fatal(err)
	}
	b, path := open(t, s), "/console/link/"+link.Token
	b.get(path).wants(t, http.StatusOK, "Welcome to rollcall", "Ada")
	b.get(path).wants(t, http.StatusOK) // looking at it spends nothing

	p := b.post(path, url.Values{"password": {"short"}})
	p.wants(t, http.StatusUnprocessableEntity, "too short")
	if n := p.input(t, "password"); attr(n, "aria-invalid") != "true" || attr(n, "value") != "" {
		t.Errorf("the password comes back as %v", n.Attr)
	}
	p = b.follow(path, url.Values{"password": {password}})
	p.wants(t, http.StatusOK, "Welcome.", "Everything, as an owner.")

	other := open(t, s)
	other.get(path).wants(t, http.StatusNotFound, "can't be used")
	other.post(path, url.Values{"password": {password}}).wants(t, http.StatusNotFound, "can't be used")
	b.get("/console/overview").wants(t, http.StatusOK)
	for _, secret := range []string{link.Token, password} {
		if strings.Contains(s.Logs(), secret) {
			t.Errorf("%.8s... is in the log", secret)
		}
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s, ada := start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "bob", Email: "bob@example.com"})
	b := open(t, s)
	p := b.get("/console/people?state=ACTIVE")
	p.wants(t, http.StatusSeeOther)
	to := p.header.Get("Location")
	if want := "/console/sign-in?return=" + url.QueryEscape("/console/people?state=ACTIVE"); to != want {
		t.Errorf("led to %s, want %s", to, want)
	}
	back := attr(b.get(to).input(t, "return"), "value")
	var failed string
	for name, form := range map[string]url.Values{
		"wrong password": {"email": {"ada@example.com"}, "password": {"wrong"}},
		"nobody":         {"email": {"nobody@example.com"}, "password": {password}},
		"no password":    {"email": {"bob@example.com"}, "password": {password}},
		"nothing":        {"email": {""}, "password": {""}},
		"no address":     {"email": {"<b>"}, "password": {password}},
	} {
		p := b.post("/console/sign-in", form)
		p.wants(t, http.StatusUnauthorized, "You are not signed in.")
		if got := attr(p.input(t, "email"), "value"); got != form.Get("email") {
			t.Errorf("%s: the address came back as %q", name, got)
		}
		if failed == "" {
			failed = p.text()
		}
		if p.text() != failed {
			t.Errorf("%s fails in other words:\n%s\n%s", name, p.text(), failed)
		}
	}
	p = b.post("/console/sign-in", url.Values{"email": {"ADA@example.com"}, "password": {password}, "return": {back}})
	if p.status != http.StatusSeeOther || p.header.Get("Location") != "/console/people?state=ACTIVE" {
		t.Fatalf("signing in: got %d to %s", p.status, p.header.Get("Location"))
	}
	b.get(back).wants(t, http.StatusOK, "Ada Lovelace")
	b.get("/console/sign-in?return=/console/audit").wants(t, http.StatusSeeOther)
	if p := b.post("/console/sign-out", url.Values{}); p.header.Get("Location") != "/console/sign-in?out=1" {
		t.Errorf("signing out leads to %q", p.header.Get("Location"))
	}
	b.get(back).wants(t, http.StatusSeeOther)
	ada.get("/console/people").wants(t, http.StatusOK) // her other session goes on
}

// TestSessionCookie: its attributes, a new value with each sign-in, and no way to choose it.
func TestSessionCookie(t *testing.T) {
	t.Parallel()
	for _, tls := range []bool{false, true} {
		s := testkit.Start(t, testkit.Options{TLS: tls})
		s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", Groups: []string{directory.Owners}})
		b := open(t, s)
		if tls {
			b.client.Transport = s.Client().Transport.(interface{ Through() http.RoundTripper }).Through()
		}
		link, err := s.SignIn.Reset(context.Background(), operator, testkit.Account, "ada")
		if err != nil {
			t.Fatal(err)
		}
		name := "rollcall"
		if tls {
			name = "__Host-rollcall"
		}
		fixed := http.Header{"Cookie": {name + "=rcw_chosen"}, "Sec-Fetch-Site": {"same-origin"}}
		first := cookieOf(t, b.do(http.MethodPost, "/console/link/"+link.Token, url.Values{"password": {password}}, fixed), name)
		second := cookieOf(t, b.post("/console/sign-in", url.Values{"email": {"ada@example.com"}, "password": {password}}), name)
		for _, c := range []*http.Cookie{first, second} {
			if !c.HttpOnly || c.Secure != tls || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 {
				t.Errorf("tls=%t: %+v", tls, c)
			}
		}
		if first.Value == second.Value || first.Value == "rcw_chosen" || len(first.Value) < 60 {
			t.Errorf("tls=%t: sessions %.8s and %.8s", tls, first.Value, second.Value)
		}
		gone := cookieOf(t, b.post("/console/sign-out", url.Values{}), name)
		if gone.MaxAge >= 0 || gone.Value != "" {
			t.Errorf("signing out leaves %+v", gone)
		}
	}
}

func cookieOf(t *testing.T, p page, name string) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: p.header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s in an answer %d: %v", name, p.status, p.header)
	return nil
}

// TestSessionEnds: idleness, age, suspension, removal, reset and a closed account all end it.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	suspend := func(s *testkit.Server) error {
		_, err := s.Directory.Suspend(context.Background(), operator, testkit.Account, "bob")
		return err
	}
	for name, end := range map[string]func(*testkit.Server) error{
		"idle":      func(s *testkit.Server) error { s.Clock.Advance(time.Hour); return nil },
		"suspended": suspend,
		"suspended and back": func(s *testkit.Server) error {
			if err := suspend(s); err != nil {
				return err
			}
			_, err := s.Directory.Reactivate(context.Background(), operator, testkit.Account, "bob")
			return err
		},
		"removed": func(s *testkit.Server) error {
			return s.Directory.RemoveUser(context.Background(), operator, testkit.Account, "bob")
		},
		"reset": func(s *testkit.Server) error {
			_, err := s.SignIn.Reset(context.Background(), operator, testkit.Account, "bob")
			return err
		},
		"closed": func(s *testkit.Server) error { s.CloseAccount(testkit.Account); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			s.AddUser(directory.User{ID: "bob", Email: "bob@example.com"})
			b := signedIn(t, s, "bob")
			b.get("/console/profile").wants(t, http.StatusOK)
			if err := end(s); err != nil {
				t.Fatal(err)
			}
			p := b.get("/console/profile")
			p.wants(t, http.StatusSeeOther)
			b.get(p.header.Get("Location")).wants(t, http.StatusOK, "Your session has ended.")
			b.post("/console/profile/password", url.Values{"current": {password}, "new": {"eight loud lanterns"}}).wants(t, http.StatusSeeOther)
		})
	}
}

func TestSessionAge(t *testing.T) {
	t.Parallel()
	s, b := start(t, testkit.Options{})
	for range 15 {
		s.Clock.Advance(48 * time.Minute)
		if b.get("/console/profile").status != http.StatusOK {
			break
		}
	}
	if got := s.Clock.Now().Sub(testkit.Epoch); got != 12*time.Hour {
		t.Errorf("a session in use lived for %s, want 12 h", got)
	}
}

// TestOnlyLocalReturns: whatever a link to us says, it leads to one of our pages.
func TestOnlyLocalReturns(t *testing.T) {
	t.Parallel()
	_, b := start(t, testkit.Options{})
	for to, want := range map[string]string{
		"/console/people?q=a&state=ACTIVE": "/console/people?q=a&state=ACTIVE",
		"/console":                         "/console",
		"":                                 "/console",
		"https://evil.example/console":     "/console",
		"//evil.example/console":           "/console",
		"/\\evil.example/console":          "/console",
		"\\\\evil.example":                 "/console",
		"/console/../v1/accounts":          "/console",
		"/console/%2e%2e/v1":               "/console",
		"/v1/oauth/token":                  "/console",
		"/consolelike":                     "/console",
		"javascript:alert(1)":              "/console",
		"/console\r\nSet-Cookie: a=b":      "/console",
		"/console/\tpeople":                "/console",
		"//console/people":                 "/console",
		"/console//evil.example":           "/console",
		"http:/console/people":             "/console",
	} {
		if got := b.post("/console/theme", url.Values{"theme": {"dark"}, "return": {to}}).header.Get("Location"); got != want {
			t.Errorf("theme: %q leads to %q, want %q", to, got, want)
		}
		if got := b.get("/console/sign-in?return=" + url.QueryEscape(to)).header.Get("Location"); got != want {
			t.Errorf("sign-in: %q leads to %q, want %q", to, got, want)
		}
	}
}

func TestTheme(t *testing.T) {
	t.Parallel()
	_, b := start(t, testkit.Options{})
	for _, theme := range []string{"dark", "light", ""} {
		p := b.follow("/console/theme", url.Values{"theme": {theme}, "return": {"/console/profile"}})
		if got := attr(p.named("html")[0], "data-theme"); got != theme {
			t.Errorf("theme %q shows as %q", theme, got)
		}
	}
	b.post("/console/theme", url.Values{"theme": {`"><script>`}})
	if p := b.get("/console/profile"); attr(p.named("html")[0], "data-theme") != "" {
		t.Error("a theme that is none was taken")
	}
}

func TestAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	o := testkit.Options{}
	o.Limits.SignInFailuresPerMinute = 3
	s, _ := start(t, o)
	b := open(t, s)
	wrong := url.Values{"email": {"ada@example.com"}, "password": {"wrong"}}
	for range 3 {
		b.post("/console/sign-in", wrong).wants(t, http.StatusUnauthorized)
	}
	b.post("/console/sign-in", wrong).wants(t, http.StatusTooManyRequests, "wait 60 s")
	right := url.Values{"email": {"ada@example.com"}, "password": {password}}
	b.post("/console/sign-in", right).wants(t, http.StatusTooManyRequests)
	s.Clock.Advance(time.Minute)
	b.post("/console/sign-in", right).wants(t, http.StatusSeeOther)
}
