package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/process"
	"github.com/rollcall-id/rollcall/bench/report"
)

const (
	// patience is how long a start may take; the first one makes a million people.
	patience = 5 * time.Minute
	// oneRequest is how long a request outside the load may take.
	oneRequest = 30 * time.Second
	// pollEvery is the resolution with which readiness is seen.
	pollEvery = time.Millisecond
	// unreached limits are counted like any other.
	unreached = "1000000000"
)

// server is a running process and the way to it.
type server struct {
	*process.Process
	target load.Target
	admin  string // host:port; empty without administrative listener
	// database is the process whose children, too, count as the server; 0 = none.
	database int
}

// freeAddress returns an address on which nobody listens at the moment.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it returns at once
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	address := listener.Addr().String()
	return address, listener.Close()
}

// serve starts rollcall on a database and waits until it accepts connections.
func (s *suite) serve(ctx context.Context, d database, transport report.Transport) (*server, error) {
	srv, envFile, err := s.launch(ctx, d, transport)
	if err != nil {
		return nil, err
	}
	if err := srv.connectable(ctx); err != nil {
		srv.Kill()
		return nil, err
	}
	if transport == report.TLS {
		if srv.target.TLS, err = srv.trust(ctx, envFile); err != nil {
			srv.Kill()
			return nil, err
		}
	}
	return srv, nil
}

// launch starts rollcall and does not wait for anything.
func (s *suite) launch(ctx context.Context, d database, transport report.Transport) (*server, string, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	envFile := filepath.Join(s.dir, "server.env")
	if err := os.Remove(envFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("remove old environment file: %w", err)
	}
	srv := &server{target: load.Target{Address: address}}
	if d.url != "" {
		srv.database = s.server.Pid()
		srv.Process, err = s.launchOn(ctx, d, address)
		srv.admin = s.adminOfProfile
		return srv, envFile, err
	}
	args := []string{"dev", "--log-format", "json", "--data", d.folder, "--seed", d.seed, "--listen", address, "--env-file", envFile}
	args = append(args, s.limits()...)
	if transport == report.Plain {
		args = append(args, "--tls=off")
	}
	if s.profile != "" {
		if srv.admin, err = freeAddress(); err != nil {
			return nil, "", err
		}
		args = append(args, "--admin-listen", srv.admin)
	}
	srv.Process, err = process.Start(ctx, filepath.Join(s.dir, "server.log"), s.binary, args...)
	return srv, envFile, err
}

// limits are those of the server: the published ones, or ones that are counted and not reached.
func (s *suite) limits() []string {
	if s.published {
		return nil
	}
	return []string{
		"--users-per-minute", unreached, "--users-per-hour", unreached,
		"--token-per-minute", unreached, "--token-per-hour", unreached,
	}
}

// connectable waits until the server accepts a connection.
func (srv *server) connectable(ctx context.Context) error {
	return srv.await(ctx, func() bool {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", srv.target.Address)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// await polls until done says so, the server ends, or patience does.
func (srv *server) await(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the server is not ready after %v", patience))
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !done() {
		if err := srv.Ended(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// trust returns a TLS configuration that believes the server's throwaway authority, whose certificate the file of
// shell assignments names once the server is ready.
func (srv *server) trust(ctx context.Context, envFile string) (*tls.Config, error) {
	var text []byte
	err := srv.await(ctx, func() bool {
		var err error
		text, err = os.ReadFile(envFile)
		return err == nil && strings.HasSuffix(string(text), "\n")
	})
	if err != nil {
		return nil, fmt.Errorf("wait for %s: %w", envFile, err)
	}
	path := assigned(string(text), "ROLLCALL_CA_FILE")
	if path == "" {
		return nil, fmt.Errorf("%s does not assign ROLLCALL_CA_FILE", envFile)
	}
	return trustFile(path)
}

// assigned returns the value of a shell assignment, with or without "export" and quotes, or nothing.
func assigned(text, name string) string {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.TrimPrefix(key, "export ") == name {
			return strings.Trim(value, `'"`)
		}
	}
	return ""
}

// trustFile returns a TLS configuration that believes the authority in a PEM file.
func trustFile(path string) (*tls.Config, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
