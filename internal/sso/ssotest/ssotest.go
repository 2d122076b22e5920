// Package ssotest starts a real OpenID provider, which others have written, for the tests of
// single sign-on: the npm package oidc-provider under node, installed by tools/deps.sh.
package ssotest

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What the provider knows its clients by.
const (
	Redirect           = "https://users.example.com/console/sso/callback"
	PublicClient       = "public"
	ConfidentialClient = "confidential"
	ClientSecret       = "a secret of the tests"
)

// Provider is a running provider.
type Provider struct{ Issuer string }

// Start starts one on a free port; it ends with the test. Browsers are to come back to
// redirect.
func Start(t testing.TB, redirect string) *Provider {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.CommandContext(t.Context(), "node", "provider.mjs", redirect) //nolint:gosec // redirect comes from a test
	cmd.Dir = filepath.Join(filepath.Dir(here), "provider")
	var log strings.Builder
	cmd.Stderr = &log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: tools/deps.sh installs what is missing", err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // it was told to end, or was killed with the test's context
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider does not start (tools/deps.sh installs it): %v\n%s", err, log.String())
	}
	return &Provider{Issuer: strings.TrimSpace(line)}
}

// Person is whom the provider is to vouch for.
type Person struct {
	Subject  string `json:"sub"`
	Email    string `json:"email,omitempty"`
	Verified bool   `json:"verified"`
}

// SignIn goes where a browser is sent, signs in there as the person, and returns what the
// browser brings back.
func (*Provider) SignIn(t testing.TB, at string, p Person) url.Values {
	t.Helper()
	hint, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	next := at + "&login_hint=" + url.QueryEscape(string(hint))
	for range 10 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, next, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		to, err := answer.Location()
		if err != nil {
			t.Fatalf("the provider answers %s at %s", answer.Status, next)
		}
		if to.Scheme == "https" { // home again
			return to.Query()
		}
		next = to.String()
	}
	t.Fatal("the provider sends the browser around")
	return nil
}
