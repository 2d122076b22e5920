package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/process"
	"github.com/rollcall-id/rollcall/bench/report"
	authority "github.com/rollcall-id/rollcall/internal/server"
)

// bareCommand is the argument by which this program runs itself as the baseline: net/http alone, which answers the
// same requests in the same words, but checks and stores nothing. It shows how fast this machine is today, and what
// of a figure is not rollcall's to save.
const bareCommand = "bare"

// serveBare serves until ctx ends.
func serveBare(ctx context.Context, args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet(bareCommand, flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "", "address")
	database := flags.String("database", "", "answer out of this PostgreSQL database")
	ca := flags.String("ca", "", "serve TLS, and write the authority's certificate to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("bare: %w", err)
	}
	if *ca != "" {
		local, err := authority.NewLocalAuthority(rand.Reader, time.Now())
		if err != nil {
			return fmt.Errorf("bare: %w", err)
		}
		if err := os.WriteFile(*ca, local.CertificatePEM(), 0o600); err != nil {
			return fmt.Errorf("bare: write authority: %w", err)
		}
		listener = tls.NewListener(listener, &tls.Config{GetCertificate: local.GetCertificate, MinVersion: tls.VersionTLS12})
	}
	handler := bareHandler()
	if *database != "" {
		if handler, err = newBarePgx(ctx, *database); err != nil {
			return fmt.Errorf("bare: %w", err)
		}
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: oneRequest}
	context.AfterFunc(ctx, func() { _ = srv.Close() }) // nothing is lost with it
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("bare: %w", err)
	}
	return nil
}

func bareHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1beta1/users/oauth2/token", bareToken)
	mux.HandleFunc("GET /v1beta1/accounts/{account}/users/{user}", bareUser)
	return mux
}

func bareToken(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := r.BasicAuth(); !ok || r.PostFormValue("grant_type") != api.GrantClientCredentials {
		http.Error(w, "not what the benchmark sends", http.StatusBadRequest)
		return
	}
	bareAnswer(w, api.TokenResponse{AccessToken: rand.Text() + rand.Text(), TokenType: api.TokenTypeBearer, ExpiresIn: 900, Scope: api.ScopeOpenID})
}

func bareUser(w http.ResponseWriter, r *http.Request) {
	account, user := r.PathValue("account"), r.PathValue("user")
	bareAnswer(w, api.User{
		ID: user, Email: "person@bench.example", DisplayName: "A Person", State: api.StateActive,
		CreateTime: api.Timestamp{Time: time.Unix(1_700_000_000, 0)}, Path: "accounts/" + account + "/users/" + user,
	})
}

func bareAnswer(w http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(text)
}

// bare measures the baseline.
func (s *suite) bare(ctx context.Context) error {
	if !s.wants(phaseBare) {
		return nil
	}
	for _, transport := range []report.Transport{report.Plain, report.TLS} {
		if err := s.bareOver(ctx, transport); err != nil {
			return err
		}
	}
	return nil
}

// The rows of the handler that checks and stores nothing.
const (
	postBare = "bare net/http: token"
	getBare  = "bare net/http: get"
)

func (s *suite) bareOver(ctx context.Context, transport report.Transport) error {
	srv, err := s.startBare(ctx, transport)
	if err != nil {
		return err
	}
	defer srv.Kill()
	c := caller{account: newAccountID(), clientID: "bare", secret: "bare"}
	for range s.requests {
		c.people = append(c.people, newAccountID())
	}
	for _, sc := range []scenario{
		{name: postBare, script: func(c caller, _ int) load.Script { return c.token() }},
		{name: getBare, script: caller.get},
	} {
		if err := s.measure(ctx, srv, s.connections, sc, c); err != nil {
			return err
		}
	}
	return srv.Stop()
}

func (s *suite) startBare(ctx context.Context, transport report.Transport, more ...string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	srv := &server{target: load.Target{Address: address}}
	args := append([]string{bareCommand, "-listen", address}, more...)
	ca := filepath.Join(s.dir, "bare.pem")
	if transport == report.TLS {
		args = append(args, "-ca", ca)
	}
	if srv.Process, err = process.Start(ctx, filepath.Join(s.dir, "bare.log"), self, args...); err != nil {
		return nil, err
	}
	if err := srv.connectable(ctx); err != nil {
		srv.Kill()
		return nil, err
	}
	if transport == report.TLS {
		if srv.target.TLS, err = srv.bareTrust(ctx, ca); err != nil {
			srv.Kill()
			return nil, err
		}
	}
	return srv, nil
}

// bareTrust waits for the authority's certificate, which is written before the first connection is accepted in full.
func (srv *server) bareTrust(ctx context.Context, ca string) (config *tls.Config, err error) {
	waited := srv.await(ctx, func() bool {
		config, err = trustFile(ca)
		return err == nil
	})
	return config, errors.Join(waited, err)
}
