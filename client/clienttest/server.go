package clienttest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/store"
)

// operator is who fills the database behind the API's back.
var operator = access.Caller{Kind: access.Operator, Name: "clienttest"}

// closeTimeout bounds the end of a server.
const closeTimeout = 20 * time.Second

// Server is a running rollcall. It is safe for concurrent use.
type Server struct {
	BaseURL      string // without a trailing slash
	AccountID    string
	ClientID     string
	ClientSecret client.Secret

	dir    string
	core   *node.Core
	client *client.Client
	end    func() error
}

// Start starts a server that ends with the test. It fails the test where it can't.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("clienttest: end the server: %v", err)
		}
	})
	return s
}

// New starts a server where there is no test to end it with, as in an example. The
// caller closes it.
func New(options ...Option) (*Server, error) {
	o := &settings{now: time.Now}
	for _, option := range options {
		option(o)
	}
	dir, err := os.MkdirTemp("", "rollcall-clienttest-")
	if err != nil {
		return nil, fmt.Errorf("clienttest: %w", err)
	}
	s := &Server{dir: dir}
	if err := s.start(o); err != nil {
		return nil, fmt.Errorf("clienttest: start a server: %w", errors.Join(err, os.RemoveAll(dir)))
	}
	return s, nil
}

// start leaves nothing open where it fails.
func (s *Server) start(o *settings) error {
	file, err := emptyDatabase()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, store.File), file, 0o600); err != nil {
		return err
	}
	s.core, err = node.OpenCore(context.Background(), node.CoreOptions{
		Store: store.Options{Dir: s.dir, Exclusive: true}, Lifetime: o.lifetime,
		Now: o.now, Rand: rand.Reader, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	if err := errors.Join(s.fill(o), s.serve(o)); err != nil {
		if s.end != nil {
			return errors.Join(err, s.end())
		}
		return errors.Join(err, s.core.Close())
	}
	s.client, err = client.New(s.Config())
	return err
}

// fill makes the account, its people and its application.
func (s *Server) fill(o *settings) error {
	ctx := context.Background()
	account, err := s.core.Directory.CreateAccount(ctx, operator, directory.Account{Name: "Example", Provisioning: o.provisioning})
	if err != nil {
		return err
	}
	people, err := o.people(s.core, account.ID)
	if err != nil {
		return err
	}
	each := func(yield func(directory.User, error) bool) {
		for _, u := range people {
			if !yield(u, nil) {
				return
			}
		}
	}
	if _, err := s.core.Directory.AddUsers(ctx, operator, account.ID, each); err != nil {
		return err
	}
	permissions, err := o.permissionSet()
	if err != nil {
		return err
	}
	app, secret, err := s.core.OAuth.Create(ctx, operator, oauth.Application{Account: account.ID, Name: "Example", Permissions: permissions}, oauth.ClientSecret{})
	s.AccountID, s.ClientID, s.ClientSecret = string(account.ID), string(app.ID), client.NewSecret(secret.Reveal())
	return err
}

// serve opens the port and answers on it until end is called.
func (s *Server) serve(o *settings) error {
	n, err := node.New(s.core, node.Options{
		Server: server.Config{
			Addr: "127.0.0.1:0", Admin: server.AdminConfig{Addr: "off"},
			QuietGrace: time.Millisecond, // nobody but the test is on the way to us
		},
		Limits:    o.limits,
		Admission: node.Patient(),
		Retention: store.Retention{Entries: 24 * time.Hour, Usage: 24 * time.Hour},
	})
	if err != nil {
		return err
	}
	addr, err := n.Listen(context.Background())
	if err != nil {
		return err
	}
	s.BaseURL = "http://" + addr.String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	s.end = sync.OnceValue(func() error {
		stop()
		return <-ended
	})
	return nil
}

// Close ends the server and its client and removes all that it kept. Closing twice
// is no error.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.client.Close(ctx)
	if errors.Is(err, client.ErrBadCredentials) {
		err = nil // the test has disabled the application
	}
	return errors.Join(err, s.end(), os.RemoveAll(s.dir))
}

// Config returns what a client of this server is made with, for tests that change
// something of it.
func (s *Server) Config() client.Config {
	return client.Config{
		BaseURL: s.BaseURL, AccountID: s.AccountID, ClientID: s.ClientID, ClientSecret: s.ClientSecret,
		UserAgent: "clienttest/1",
	}
}

// Client returns the client of this server. The server closes it.
func (s *Server) Client() *client.Client { return s.client }

// DisableApplication switches the OAuth application off: its secret and its tokens
// are refused until EnableApplication.
func (s *Server) DisableApplication(ctx context.Context) error {
	return s.setState(ctx, oauth.Disabled)
}

// EnableApplication switches the OAuth application on again.
func (s *Server) EnableApplication(ctx context.Context) error { return s.setState(ctx, oauth.Enabled) }

func (s *Server) setState(ctx context.Context, state oauth.ApplicationState) error {
	_, _, err := s.core.OAuth.SetState(ctx, operator, ident.AccountID(s.AccountID), ident.ClientID(s.ClientID), state)
	if err != nil {
		return fmt.Errorf("clienttest: make the application %s: %w", state, err)
	}
	return nil
}

// emptyDatabase is a new database file. It is made once for all servers of a
// process: the migrations take longer than most tests.
var emptyDatabase = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "rollcall-clienttest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := store.Open(context.Background(), store.Options{Dir: dir, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, store.File))
})
