package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rollcall-id/rollcall/internal/envfile"
)

// client trusts the authority in ROLLCALL_CA_FILE.
func client(ts *testscript.TestScript) *http.Client {
	config := &tls.Config{}
	if path := ts.Getenv(envfile.CAFile); path != "" {
		text, err := os.ReadFile(ts.MkAbs(path))
		ts.Check(err)
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(text)
	}
	// A connection a request: a certificate that changed is seen.
	return &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
}

// http METHOD URL [FORM] asks with $TOKEN as bearer if it is set, or as the client of
// the environment for a form, and prints status and body. With ! there must be no answer.
func httpDo(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: [!] http METHOD URL [FORM]")
	}
	form := ""
	if len(args) == 3 {
		form = args[2]
	}
	status, body, err := ask(ts, client(ts), args[0], args[1], form)
	if neg != (err != nil) {
		ts.Fatalf("answer %d %s, error %v", status, body, err)
	}
	fmt.Fprintf(ts.Stdout(), "%d %s\n", status, body)
}

// waittrust URL waits until the server shows a certificate that $ROLLCALL_CA_FILE vouches for.
func waitTrust(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waittrust URL")
	}
	c := client(ts)
	until(ts, "trusted answer from "+args[0], func() bool {
		_, _, err := ask(ts, c, "GET", args[0], "")
		return err == nil
	})
}

// variables are read before a goroutine uses them.
type variables interface{ Getenv(string) string }

func ask(v variables, c *http.Client, method, url, form string) (int, string, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(form))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("User-Agent", v.Getenv("AGENT"))
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(v.Getenv(envfile.ClientID), v.Getenv(envfile.ClientSecret))
	} else if bearer := v.Getenv("TOKEN"); bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// token sets $TOKEN to a new access token of the client in the environment. With ! the
// client must be refused.
func token(ts *testscript.TestScript, neg bool, _ []string) {
	status, body, err := ask(ts, client(ts), "POST", ts.Getenv(envfile.BaseURL)+"/v1/oauth/token", "grant_type=client_credentials")
	ts.Check(err)
	if neg {
		if status != http.StatusUnauthorized {
			ts.Fatalf("answer %d %s, want 401", status, body)
		}
		return
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Token == "" {
		ts.Fatalf("answer %d %s, want a token", status, body)
	}
	ts.Setenv("TOKEN", answer.Token)
}

// frozen is the environment as it was.
type frozen map[string]string

func (f frozen) Getenv(name string) string { return f[name] }

// hammer start asks for tokens, each of them a write, until hammer stop, which says that
// every one was given.
func hammer(ts *testscript.TestScript, neg bool, args []string) {
	switch {
	case !neg && len(args) == 1 && args[0] == "start":
		h := &hammering{stop: make(chan struct{}), begun: make(chan struct{})}
		c, url := client(ts), ts.Getenv(envfile.BaseURL)+"/v1/oauth/token"
		env := frozen{envfile.ClientID: ts.Getenv(envfile.ClientID), envfile.ClientSecret: ts.Getenv(envfile.ClientSecret)}
		h.wg.Go(func() { h.run(env, c, url) })
		hammers.Store(ts.Getenv("WORK"), h)
		ts.Defer(func() { h.end() })
		<-h.begun
	case !neg && len(args) == 1 && args[0] == "stop":
		found, _ := hammers.Load(ts.Getenv("WORK"))
		h := found.(*hammering)
		h.end()
		if h.failed != "" {
			ts.Fatalf("after %d tokens: %s", h.given, h.failed)
		}
		ts.Logf("%d tokens were given", h.given)
	default:
		ts.Fatalf("usage: hammer start|stop")
	}
}

var hammers sync.Map

type hammering struct {
	wg          sync.WaitGroup
	stop, begun chan struct{}
	once, first sync.Once
	given       int
	failed      string
}

func (h *hammering) run(env frozen, c *http.Client, url string) {
	defer h.first.Do(func() { close(h.begun) })
	for {
		select {
		case <-h.stop:
			return
		default:
		}
		status, body, err := ask(env, c, "POST", url, "grant_type=client_credentials")
		if err != nil || status != http.StatusOK {
			h.failed = fmt.Sprint(status, " ", body, " ", err)
			return
		}
		if h.given++; h.given == 5 {
			h.first.Do(func() { close(h.begun) })
		}
	}
}

func (h *hammering) end() {
	h.once.Do(func() { close(h.stop) })
	h.wg.Wait()
}

// makecert NAME CERT KEY writes a self-signed certificate for 127.0.0.1.
func makeCert(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: makecert NAME CERT KEY")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: args[0]}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for path, block := range map[string]*pem.Block{
		args[1]: {Type: "CERTIFICATE", Bytes: der}, args[2]: {Type: "PRIVATE KEY", Bytes: private},
	} {
		ts.Check(os.WriteFile(ts.MkAbs(path), pem.EncodeToMemory(block), 0o600))
	}
}

// sql FILE STATEMENT changes a database behind rollcall's back.
func execSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE STATEMENT")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[1])
	ts.Check(err)
}
