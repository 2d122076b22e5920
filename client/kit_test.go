package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/client"
)

const (
	testSecret  = "s3cret-of-the-application"
	testAccount = "ACCOUNTAAAAAAAAAAAAAAAAAAA"
)

// pipes is a network in memory: unlike sockets it lets the time of a bubble pass
// while somebody waits for it.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	ended chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), ended: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.ended) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.ended:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fake is a server that issues tokens as the contract says, and does with requests
// on users whatever its test wants.
type fake struct {
	lifetime time.Duration // of tokens; 0 = 900 s
	// token answers a token request in place of the fake where it returns true; n counts from 1.
	token func(w http.ResponseWriter, r *http.Request, n int) bool
	// users answers the nth request that came with a live token.
	users func(w http.ResponseWriter, r *http.Request, n int)

	mu      sync.Mutex
	live    map[string]time.Time
	issued  int // token requests, whatever came of them
	calls   []string
	served  int
	revoked []string
	secrets int // requests that carried the client secret
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, _, basic := r.BasicAuth(); basic {
		f.mu.Lock()
		f.secrets++
		f.mu.Unlock()
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/token"):
		f.issue(w, r)
	case strings.HasSuffix(r.URL.Path, "/revoke"):
		f.end(r.FormValue("token"))
	default:
		f.serve(w, r)
	}
}

func (f *fake) issue(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // a server notices that its client is gone once the body is read
	f.mu.Lock()
	f.issued++
	n := f.issued
	if f.lifetime == 0 {
		f.lifetime = 900 * time.Second
	}
	token := fmt.Sprintf("token-%d", n)
	f.mu.Unlock()
	if f.token != nil && f.token(w, r, n) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.live == nil {
		f.live = map[string]time.Time{}
	}
	f.live[token] = time.Now().Add(f.lifetime)
	writeJSON(w, http.StatusOK, api.TokenResponse{AccessToken: token, TokenType: "Bearer", ExpiresIn: int64(f.lifetime / time.Second), Scope: "openid"})
}

// end ends a token, or all of them ("").
func (f *fake) end(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if token == "" {
		clear(f.live)
		return
	}
	delete(f.live, token)
	f.revoked = append(f.revoked, token)
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.calls = append(f.calls, r.Method+" "+r.URL.RequestURI())
	expiry, ok := f.live[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	ok = ok && time.Now().Before(expiry)
	if ok {
		f.served++
	}
	n := f.served
	f.mu.Unlock()
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="fake", error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, api.NewStatus(api.CodeUnauthenticated, "unknown token"))
		return
	}
	f.users(w, r, n)
}

// counts returns how many requests came for tokens and for users.
func (f *fake) counts() (tokens, calls int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.issued, len(f.calls)
}

func (f *fake) revocations() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.revoked)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", "request-1")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func aUser(id string) client.User {
	return client.User{ID: id, Email: id + "@example.com", DisplayName: id, State: client.StateActive, Path: "accounts/" + testAccount + "/users/" + id}
}

// answerUser answers every request with one person.
func answerUser(w http.ResponseWriter, _ *http.Request, _ int) {
	writeJSON(w, http.StatusOK, aUser("ADA"))
}

func testConfig() client.Config {
	return client.Config{
		BaseURL: "http://127.0.0.1:1", AccountID: testAccount, ClientID: "payroll",
		ClientSecret: client.NewSecret(testSecret), UserAgent: "Example/1.0",
		Rand: func() float64 { return 0 },
	}
}

// inBubble runs f, in a bubble of its own time, with a client whose every request
// is answered by handler. The client is closed after f.
func inBubble(t *testing.T, handler http.Handler, change func(*client.Config), f func(t *testing.T, c *client.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := newPipes()
		server := &http.Server{Handler: handler}
		go func() { _ = server.Serve(network) }()
		transport := &http.Transport{DialContext: network.dial}
		config := testConfig()
		config.HTTPClient = &http.Client{Transport: transport}
		if change != nil {
			change(&config)
		}
		c, err := client.New(config)
		if err != nil {
			t.Fatal(err)
		}
		f(t, c)
		closeClient(t, c)
		transport.CloseIdleConnections()
		server.Close()
		synctest.Wait()
	})
}

func closeClient(t *testing.T, c *client.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = c.Close(ctx) // the server may be one that answers nothing
}
