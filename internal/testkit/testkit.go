// Package testkit owns a whole running rollcall in one call, for tests: a real
// database in a temporary folder, real sockets, the real pipeline, and a clock that
// the test moves.
//
//	s := testkit.Start(t, testkit.Options{})
//	app := s.AddApplication(access.ListUsers)
//	s.AddUser(directory.User{ID: "ada"})
//	r := s.Get(s.Token(app), "/v1/accounts/"+s.Account+"/users")
//
// It leaves what is right to the tests, but for what must always hold, which it
// checks by itself: every answer that passes its client is one that api/openapi.yaml
// describes and has the headers of contract sections 2 and 10 (see Checked), and no
// secret or token that it knows of is ever in a log line.
package testkit

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/httpapi"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/roster"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// Options says how a server is started. The zero value is plain HTTP, no limits, a
// clock that stands at Epoch, and one account named Account without people.
type Options struct {
	// Dir is the data folder; empty makes a temporary one.
	Dir string
	// DatabaseURL names a PostgreSQL database in its place.
	DatabaseURL string
	// Seed is applied in addition to the one account.
	Seed *roster.Seed
	// Clock is moved by the test; nil makes one that stands at Epoch.
	Clock *Clock
	// Now replaces Clock where a test needs the system's time.
	Now func() time.Time
	// Rand replaces the system's randomness, for answers that can be told in advance.
	Rand io.Reader
	// Limits are the rate limits; the zero value limits nothing.
	Limits throttle.Settings
	// TokenLifetime is that of access tokens; 0 = the contract's 900 s.
	TokenLifetime time.Duration
	// TLS serves HTTPS with a certificate of a throwaway authority that Client trusts.
	TLS bool
	// PublicURL, TrustedProxies, WithoutV1Beta1 and PublicHealth are as the settings of those names.
	PublicURL      string
	TrustedProxies []netip.Prefix
	WithoutV1Beta1 bool
	PublicHealth   bool
	// Admission bounds what is served at once; the zero value is node.Patient.
	Admission node.Admission
}

// Account is the id of the account that every server begins with.
const Account = "ACCOUNTAAAAAAAAAAAAAAAAAAA"

// operator is who changes things behind the API's back.
var operator = access.Caller{Kind: access.Operator, Name: "testkit"}

// Server is a running rollcall. Its methods end the test when they fail. It is safe
// for concurrent use, but for Restart, Stop and what calls them.
type Server struct {
	*node.Node

	BaseURL string // without a trailing slash; another one after Restart
	Address string // host:port of BaseURL
	Account string // the account that was there first
	CA      []byte // PEM of the authority to trust; nil without TLS
	Clock   *Clock // nil where Options.Now was given
	Dir     string // the data folder

	t       testing.TB
	options Options
	now     func() time.Time
	logs    *Log
	secrets *secrets
	tls     *server.LocalAuthority
	client  *http.Client
	stop    func()
	ended   chan error
	mended  httpapi.Looks // what Break took away
}

// Start starts a server, which ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{t: t, options: o, Account: Account, Dir: o.Dir, Clock: o.Clock, now: o.Now, logs: &Log{}, secrets: &secrets{}}
	if s.Dir == "" {
		s.Dir = t.TempDir()
	}
	if o.DatabaseURL == "" {
		if err := prepare(s.Dir); err != nil {
			t.Fatalf("testkit: %v", err)
		}
	}
	if s.now == nil {
		if s.Clock == nil {
			s.Clock = NewClock(Epoch)
		}
		s.now = s.Clock.Now
	}
	if s.options.Rand == nil {
		s.options.Rand = rand.Reader
	}
	s.authority()
	s.run()
	t.Cleanup(s.end)
	s.begin()
	return s
}

// authority makes what TLS needs, if it is asked for. Certificates are judged by the
// system's time, whatever the test's clock says.
func (s *Server) authority() {
	if !s.options.TLS {
		return
	}
	var err error
	if s.tls, err = server.NewLocalAuthority(rand.Reader, time.Now()); err != nil {
		s.t.Fatalf("testkit: make a certificate: %v", err)
	}
	s.CA = s.tls.CertificatePEM()
}

// begin fills a new database; one that is continued stays as it is.
func (s *Server) begin() {
	s.t.Helper()
	ctx := context.Background()
	accounts, err := s.Directory.Accounts(ctx, operator)
	if err != nil {
		s.t.Fatalf("testkit: list accounts: %v", err)
	}
	if len(accounts) > 0 {
		return
	}
	s.AddAccount(directory.Account{ID: Account, Name: "Example"})
	if s.options.Seed == nil {
		return
	}
	if _, err := s.options.Seed.Apply(ctx, operator, s.Directory, s.OAuth, nil); err != nil {
		s.t.Fatalf("testkit: apply the seed: %v", err)
	}
}

// run opens the folder and serves it until stop is called.
func (s *Server) run() {
	s.t.Helper()
	logger := slog.New(slog.NewJSONHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	where := store.Options{Dir: s.Dir, Exclusive: true}
	if s.options.DatabaseURL != "" {
		where = store.Options{URL: s.options.DatabaseURL}
	}
	core, err := node.OpenCore(context.Background(), node.CoreOptions{
		Store: where, Lifetime: s.options.TokenLifetime,
		Now: s.now, Rand: s.options.Rand, Logger: logger,
	})
	if err != nil {
		s.t.Fatalf("testkit: open %s: %v", s.Dir, err)
	}
	s.Node, err = node.New(core, s.nodeOptions())
	if err != nil {
		s.t.Fatalf("testkit: make the node: %v", errors.Join(err, core.Close()))
	}
	addr, err := s.Listen(context.Background())
	if err != nil {
		s.t.Fatalf("testkit: listen: %v", errors.Join(err, core.Close()))
	}
	s.Address = addr.String()
	s.BaseURL = "http://" + s.Address
	if s.options.TLS {
		s.BaseURL = "https://" + s.Address
	}
	s.client = Checked(s.t, s.transport())
	s.client.Transport.(*checked).secrets = s.secrets
	ctx, stop := context.WithCancel(context.Background())
	n, ended := s.Node, make(chan error, 1)
	s.stop, s.ended = stop, ended
	go func() { ended <- n.Run(ctx) }()
}

func (s *Server) nodeOptions() node.Options {
	o := node.Options{
		Server: server.Config{
			Addr: "127.0.0.1:0", Admin: server.AdminConfig{Addr: "off"}, PublicHealth: s.options.PublicHealth,
			QuietGrace: time.Millisecond, // nobody but the test is on the way to us
		},
		// Limits go by the test's clock, and no machine is too busy to count them together.
		SharedLimits: node.SharedLimits{GivenTime: s.options.Now == nil, Timeout: 30 * time.Second},
		Limits:       s.options.Limits, PublicURL: s.options.PublicURL, TrustedProxies: s.options.TrustedProxies,
		WithoutV1Beta1: s.options.WithoutV1Beta1, Admission: s.options.Admission,
		Retention: store.Retention{Entries: 90 * 24 * time.Hour, Usage: 90 * 24 * time.Hour},
	}
	if o.Admission == (node.Admission{}) {
		o.Admission = node.Patient()
	}
	if s.tls != nil {
		o.Server.Certificates = s.tls
	}
	return o
}

func (s *Server) transport() http.RoundTripper {
	t := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16, ForceAttemptHTTP2: true}
	if s.CA != nil {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(s.CA)
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return t
}

// Client returns the HTTP client that checks every answer (see Checked). It follows
// no redirect.
func (s *Server) Client() *http.Client { return s.client }

// Restart drains and stops the server and starts it again on the same folder, with
// empty limits. All that was noted for the audit record is then in it.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.run()
}

// Stop drains and stops the server; nothing answers until Restart.
func (s *Server) Stop() {
	s.t.Helper()
	if s.stop == nil {
		return
	}
	s.client.CloseIdleConnections()
	s.stop()
	if err := <-s.ended; err != nil {
		s.t.Errorf("testkit: the server did not end well: %v", err)
	}
	s.stop = nil
}

// end is the last thing that happens to a server.
func (s *Server) end() {
	s.Stop()
	logs := s.Logs()
	for _, secret := range s.secrets.all() {
		if strings.Contains(logs, secret) {
			s.t.Errorf("testkit: a secret or token is in the logs: %.8s...", secret)
		}
	}
}

// Logs returns everything the server has logged, at level debug, a JSON object a line.
func (s *Server) Logs() string { return s.logs.String() }
