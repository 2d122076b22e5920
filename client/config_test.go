package client_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/client"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*client.Config)
		want   string // "" = taken
	}{
		"nothing wrong":               {func(*client.Config) {}, ""},
		"no place":                    {func(c *client.Config) { c.BaseURL = "" }, "neither BaseURL nor Region"},
		"two places":                  {func(c *client.Config) { c.Region = client.RegionEU }, "both BaseURL and Region"},
		"a region of nobody":          {func(c *client.Config) { c.BaseURL, c.Region = "", "mars" }, `Region "mars" is unknown`},
		"a region":                    {func(c *client.Config) { c.BaseURL, c.Region = "", "ca" }, ""},
		"http to elsewhere":           {func(c *client.Config) { c.BaseURL = "http://users.example.com" }, "use https"},
		"http to elsewhere, asked":    {func(c *client.Config) { c.BaseURL, c.AllowInsecureHTTP = "http://users.example.com", true }, ""},
		"http to localhost":           {func(c *client.Config) { c.BaseURL = "http://localhost:8443/" }, ""},
		"http to a name like it":      {func(c *client.Config) { c.BaseURL = "http://localhost.example.com" }, "use https"},
		"http to ::1":                 {func(c *client.Config) { c.BaseURL = "http://[::1]:80" }, ""},
		"a password in the URL":       {func(c *client.Config) { c.BaseURL = "https://u:" + testSecret + "@h" }, "no user, query or fragment"},
		"a broken URL with a secret":  {func(c *client.Config) { c.BaseURL = "https://u:" + testSecret + "@h:port%zz" }, "is no URL"},
		"a query":                     {func(c *client.Config) { c.BaseURL = "https://h/?a=b" }, "no user, query or fragment"},
		"no scheme":                   {func(c *client.Config) { c.BaseURL = "users.example.com" }, "must be a URL like"},
		"another scheme":              {func(c *client.Config) { c.BaseURL = "ftp://users.example.com" }, "must be a URL like"},
		"a version of nobody":         {func(c *client.Config) { c.APIVersion = "v9" }, `APIVersion "v9" is unknown`},
		"no account":                  {func(c *client.Config) { c.AccountID = "" }, "AccountID"},
		"an account that is a path":   {func(c *client.Config) { c.AccountID = ".." }, "AccountID"},
		"no client":                   {func(c *client.Config) { c.ClientID = "" }, "ClientID and ClientSecret"},
		"no secret":                   {func(c *client.Config) { c.ClientSecret = client.Secret{} }, "ClientID and ClientSecret"},
		"an empty secret":             {func(c *client.Config) { c.ClientSecret = client.NewSecret("") }, "ClientID and ClientSecret"},
		"no user agent":               {func(c *client.Config) { c.UserAgent = "" }, "Company/version"},
		"a user agent with no slash":  {func(c *client.Config) { c.UserAgent = "Example" }, "Company/version"},
		"a user agent of two lines":   {func(c *client.Config) { c.UserAgent = "Example/1\r\nX: y" }, "Company/version"},
		"a user agent with more":      {func(c *client.Config) { c.UserAgent = "Example/1.0 (linux) go/1.26" }, ""},
		"an HTTP client and a file":   {func(c *client.Config) { c.HTTPClient, c.CAFile = http.DefaultClient, "ca.pem" }, "both HTTPClient and CAFile"},
		"a file that is not there":    {func(c *client.Config) { c.CAFile = "nowhere.pem" }, "Config.CAFile"},
		"a file without certificates": {func(c *client.Config) { c.CAFile = "config_test.go" }, "no certificate"},
		"fewer than no attempts":      {func(c *client.Config) { c.Retry.MaxAttempts = -1 }, "negative"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := testConfig()
			tt.change(&config)
			c, err := client.New(config)
			if (err == nil) != (tt.want == "") || !strings.Contains(fmt.Sprint(err), tt.want) {
				t.Errorf("got %v, want an error that says %q", err, tt.want)
			}
			if strings.Contains(fmt.Sprint(err), testSecret) {
				t.Errorf("the error tells the secret: %v", err)
			}
			if (c == nil) == (err == nil) {
				t.Errorf("got client %v with error %v", c, err)
			}
		})
	}
}

// TestCAFile reaches a server by its authority, and refuses it, at once, without.
func TestCAFile(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser}
	server := httptest.NewUnstartedServer(f)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, file, server.Certificate())
	for caFile, want := range map[string]error{file: nil, "": client.ErrConnection} {
		c := dial(t, f, func(c *client.Config) { c.BaseURL, c.CAFile = server.URL, caFile })
		_, err := c.Users.Get(t.Context(), "ADA")
		if !errors.Is(err, want) || strings.Contains(fmt.Sprint(err), "attempts") {
			t.Errorf("with authority %q: got %v, want %v without retries", caFile, err, want)
		}
	}
}

func writePEM(t *testing.T, file string, c *x509.Certificate) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBaseURLWithPath(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	c := dial(t, f, func(c *client.Config) { c.BaseURL = server.URL + "/rollcall/" })
	if _, err := c.Users.Get(t.Context(), "ADA"); err != nil {
		t.Fatal(err)
	}
	want := []string{"GET /rollcall/v1beta1/accounts/" + testAccount + "/users/ADA"}
	if diff := cmp.Diff(want, f.calls); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestSecretsStaySecret prints, logs and marshals everything that holds a secret.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	config := testConfig()
	c := dial(t, &fake{users: answerUser}, nil)
	if _, err := c.Users.Get(t.Context(), "ADA"); err != nil {
		t.Fatal(err)
	}
	token, err := c.Tokens.Issue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	logs := slog.New(slog.NewJSONHandler(&b, nil))
	texts := slog.New(slog.NewTextHandler(&b, nil))
	hidden := struct{ inner client.Secret }{config.ClientSecret}
	for _, v := range []any{config, &config, config.ClientSecret, &config.ClientSecret, hidden, c, c.Tokens, token, map[string]any{"secret": config.ClientSecret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&b, verb+"\n", v)
		}
		logs.Info("it", "value", v)
		texts.Info("it", "value", v)
	}
	if err := json.NewEncoder(&b).Encode(map[string]any{"secret": config.ClientSecret, "token": token}); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{testSecret, fmt.Sprintf("%x", testSecret), "token-1", "token-2"} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("%q shows in:\n%s", secret, &b)
		}
	}
	if !strings.Contains(b.String(), `"secret":"[redacted]"`) {
		t.Errorf("no [redacted] in:\n%s", &b)
	}
}

func TestSecretFormats(t *testing.T) {
	t.Parallel()
	secret := client.NewSecret("1234")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		if got := fmt.Sprintf(verb, secret); got != "[redacted]" {
			t.Errorf("%s: got %s, want [redacted]", verb, got)
		}
	}
}

// TestCookiesAreNotKept sets one with every answer and looks for it in the next request.
func TestCookiesAreNotKept(t *testing.T) {
	t.Parallel()
	f := &fake{users: func(w http.ResponseWriter, r *http.Request, n int) {
		if len(r.Cookies()) > 0 {
			t.Errorf("request %d carries %v", n, r.Cookies())
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1", Path: "/"}) //nolint:gosec // it goes over plain HTTP to a test
		answerUser(w, r, n)
	}}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, f, func(c *client.Config) { c.HTTPClient = &http.Client{Jar: jar} })
	for range 2 {
		if err := get(t.Context(), c)(); err != nil {
			t.Error(err)
		}
	}
}

func TestSecretInConfigurationFile(t *testing.T) {
	t.Parallel()
	var file struct{ Secret client.Secret }
	if err := json.Unmarshal([]byte(`{"Secret":"open sesame"}`), &file); err != nil || file.Secret.Reveal() != "open sesame" {
		t.Errorf("got %q, %v; want the secret", file.Secret.Reveal(), err)
	}
	if err := json.Unmarshal([]byte(`{"Secret":"[redacted]"}`), &file); err == nil {
		t.Error("a redacted secret was taken for one")
	}
}

// TestErrorsTellNoSecrets fails in every way and looks for the secret and the token.
func TestErrorsTellNoSecrets(t *testing.T) {
	t.Parallel()
	echo := func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Location", "https://elsewhere.example/?token="+r.Header.Get("Authorization"))
		w.WriteHeader(302)
	}
	for name, f := range map[string]*fake{
		"hung up": {users: hangUp(99)}, "cut": {users: cut(99)}, "redirected": {users: echo}, "limited": {users: refuseFirst(99, 429)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := dial(t, f, nil).Users.Get(t.Context(), "ADA")
			if err == nil {
				t.Fatal("got no error")
			}
			for _, text := range []string{err.Error(), fmt.Sprintf("%#v", err), fmt.Sprintf("%+v", err)} {
				if strings.Contains(text, testSecret) || strings.Contains(text, "token-1") {
					t.Errorf("the error tells: %s", text)
				}
			}
		})
	}
}
