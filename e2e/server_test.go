package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/api"
)

// application is a client with its credentials.
type application struct{ id, secret string }

// seed is a seed file, and what is in it: an owner who is not touched, people who may be, and applications that may do all.
type seed struct {
	file, account string
	people        []string
	apps          []application
}

// newSeed writes a seed file. The secrets hold every kind of character that clients encode differently.
func newSeed(t *testing.T, people int) seed {
	t.Helper()
	s := seed{file: filepath.Join(t.TempDir(), "seed.yaml"), account: "E2EACCOUNT"}
	var b strings.Builder
	fmt.Fprintf(&b, "accounts:\n- id: %s\n  name: End to end\n  users:\n", s.account)
	b.WriteString("  - {id: OWNER, email: owner@e2e.example, display_name: Owner, groups: [owners]}\n")
	for i := range people {
		id := fmt.Sprintf("PERSON-%04d", i)
		s.people = append(s.people, id)
		fmt.Fprintf(&b, "  - {id: %s, email: p%d@e2e.example, display_name: Person %d}\n", id, i, i)
	}
	b.WriteString("  applications:\n")
	for i := range 2 {
		app := application{fmt.Sprintf("0e2e0e2e-0000-4000-8000-%012d", i), fmt.Sprintf("secret %d-_.~+/:%%41!*'()&=", i)}
		s.apps = append(s.apps, app)
		fmt.Fprintf(&b, "  - {client_id: %s, client_secret: %q, name: App %d, permissions: [users.list, users.get, users.suspend, users.reactivate]}\n",
			app.id, app.secret, i)
	}
	if err := os.WriteFile(s.file, []byte(b.String()), 0o644); err != nil { // read by a user without rights too
		t.Fatal(err)
	}
	return s
}

// noLimits switches every limit off.
var noLimits = []string{"--users-per-minute=0", "--users-per-hour=0", "--token-per-minute=0", "--token-per-hour=0", "--auth-failures-per-minute=0"}

// server is a running `rollcall dev`.
type server struct {
	*process
	base, account, caFile string
	app                   application
	client                *http.Client
}

// devCommand is `rollcall dev` on a free port.
func devCommand(args ...string) *exec.Cmd {
	return exec.Command(binary, append([]string{"dev", "--listen=127.0.0.1:0", "--log-level=warn"}, args...)...)
}

// start starts `rollcall dev` and returns when it is ready.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	return startCommand(t, devCommand(args...))
}

// startCommand starts a prepared `rollcall dev`.
func startCommand(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	envFile := filepath.Join(t.TempDir(), "env")
	cmd.Args = append(cmd.Args, "--env-file="+envFile)
	s := &server{process: launch(t, cmd)}
	eventually(t, "the environment file of rollcall dev", func() bool {
		if !s.running() {
			t.Fatalf("rollcall dev ended: %v\n%s", s.err, &s.stderr)
		}
		_, err := os.Stat(envFile)
		return err == nil
	})
	s.connect(t, readEnv(t, envFile))
	return s
}

// readEnv reads shell assignments by way of a shell, as their readers do.
func readEnv(t *testing.T, file string) map[string]string {
	t.Helper()
	out, err := exec.Command("bash", "-euc", `set -a; . "$1"; env -0`, "bash", file).Output()
	if err != nil {
		t.Fatalf("source the environment file: %v", err)
	}
	values := map[string]string{}
	for line := range strings.SplitSeq(string(out), "\x00") {
		name, value, _ := strings.Cut(line, "=")
		values[name] = value
	}
	return values
}

func (s *server) connect(t *testing.T, env map[string]string) {
	t.Helper()
	s.base, s.account, s.caFile = env["ROLLCALL_BASE_URL"], env["ROLLCALL_ACCOUNT_ID"], env["ROLLCALL_CA_FILE"]
	s.app = application{env["ROLLCALL_CLIENT_ID"], env["ROLLCALL_CLIENT_SECRET"]}
	transport := &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: s.trust(t)}
	s.client = &http.Client{Transport: transport, Timeout: patience}
	t.Cleanup(transport.CloseIdleConnections)
}

// trust is a TLS configuration that believes in the server's authority; nil without TLS.
func (s *server) trust(t *testing.T) *tls.Config {
	t.Helper()
	if s.caFile == "" {
		return nil
	}
	text, err := os.ReadFile(s.caFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s holds no certificate", s.caFile)
	}
	return &tls.Config{RootCAs: pool}
}

// stop ends the server by SIGTERM. Connections that a pool opened and never used go first: a drain would wait for their
// first request as long as any client may take.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.client.CloseIdleConnections()
	s.process.stop(t)
}

// addr is where the server listens.
func (s *server) addr() string { return s.base[strings.LastIndex(s.base, "/")+1:] }

// answer is a whole answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// ask describes one request; empty fields are left out.
type ask struct {
	method, path string
	token        string       // sent as Bearer
	app          *application // sent as Basic, raw
	form         url.Values
	id           string // request id
}

// do sends a request; the error is one of the connection.
func (s *server) do(ctx context.Context, q ask) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, s.base+q.path, strings.NewReader(q.form.Encode()))
	if err != nil {
		return answer{}, err
	}
	if q.app != nil {
		r.SetBasicAuth(q.app.id, q.app.secret)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	if q.id != "" {
		r.Header.Set("X-Request-Id", q.id)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, body}, err
}

// The requests of the contract, by v1beta1.

const oauthPath = "/v1beta1/users/oauth2/"

func (s *server) askToken(id string) ask {
	return ask{method: "POST", path: oauthPath + "token", app: &s.app, form: url.Values{"grant_type": {"client_credentials"}}, id: id}
}

func (s *server) askRevoke(token, id string) ask {
	return ask{method: "POST", path: oauthPath + "revoke", app: &s.app, form: url.Values{"token": {token}}, id: id}
}

func (s *server) askUsers(token, rest string) ask {
	return ask{method: "GET", path: "/v1beta1/accounts/" + s.account + "/users" + rest, token: token}
}

func (s *server) askAct(token, user, verb, id string) ask {
	return ask{method: "POST", path: "/v1beta1/accounts/" + s.account + "/users/" + user + ":" + verb, token: token, id: id}
}

// must sends a request that has to be answered with 200.
func (s *server) must(t *testing.T, q ask) answer {
	t.Helper()
	a, err := s.do(t.Context(), q)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", q.method, q.path, err, &s.stderr)
	}
	if a.status != http.StatusOK {
		t.Fatalf("%s %s: got %v, want 200\n%s", q.method, q.path, a, &s.stderr)
	}
	return a
}

// issue returns a new token.
func (s *server) issue(t *testing.T) string {
	t.Helper()
	return decode[api.TokenResponse](t, s.must(t, s.askToken(""))).AccessToken
}

// state returns a person's state.
func (s *server) state(t *testing.T, token, user string) api.State {
	t.Helper()
	return decode[api.User](t, s.must(t, s.askUsers(token, "/"+user))).State
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Errorf("answer %v: %v", a, err)
	}
	return v
}

// unavailable fails the test unless the answer is the contract's 503.
func unavailable(t *testing.T, what string, a answer) {
	t.Helper()
	if a.status != http.StatusServiceUnavailable {
		t.Fatalf("%s: got %v, want 503", what, a)
	}
	if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || seconds < 1 {
		t.Errorf("%s: Retry-After is %q, want whole seconds, at least 1", what, a.header.Get("Retry-After"))
	}
	if strings.Contains(what, "oauth2") {
		if e := decode[api.OAuthError](t, a); e.Error != api.OAuthTemporarilyUnavailable || e.ErrorDescription == "" {
			t.Errorf("%s: got %v, want error temporarily_unavailable with a description", what, a)
		}
		return
	}
	if p := decode[api.Status](t, a); p.Code != api.CodeUnavailable || p.Message == "" || p.Details == nil {
		t.Errorf("%s: got %v, want code %d, a message and details", what, a, api.CodeUnavailable)
	}
}
