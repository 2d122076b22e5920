package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/config"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

type serveCmd struct{ config.Serve }

// Help gives examples.
func (*serveCmd) Help() string {
	return `Begin with 'rollcall admin account create'. Every setting is a flag, an environment variable and a key of the --config file; the flag wins over the variable, the variable over the file.

	rollcall serve --data /var/lib/rollcall --tls-cert chain.pem --tls-key key.pem --listen :8443
	rollcall serve --data /var/lib/rollcall --acme-domains users.example.com --listen :443
	rollcall serve --data /var/lib/rollcall --tls off --trusted-proxies 10.0.0.0/8
	rollcall serve --database postgres://rollcall@db.example.com/rollcall --tls-cert chain.pem --tls-key key.pem`
}

// Run serves until it is told to end.
func (cmd *serveCmd) Run(ctx context.Context, w *world) error {
	s := cmd.Serve
	if err := s.Validate(); err != nil {
		return mistyped(err)
	}
	logger, endLog := w.serverLog(s.Logs)
	defer endLog()
	certificates, err := certificates(s, logger)
	if err != nil {
		return err
	}
	proxies, err := s.Proxies()
	if err != nil {
		return err
	}
	shared, err := sharedLimits(s.SharedLimits)
	if err != nil {
		return err
	}
	where, err := storeOptions(s.Database)
	if err != nil {
		return err
	}
	where.Exclusive = true
	core, err := node.OpenCore(ctx, node.CoreOptions{
		Store:    where,
		Lifetime: s.TokenLifetime, Now: w.now, Rand: w.rand, Logger: logger, ConsoleKeyFile: s.ConsoleKeyFile,
	})
	if err != nil {
		return err
	}
	warnIfEmpty(ctx, core, s.Place(), logger)
	n, err := node.New(core, node.Options{
		Server: server.Config{
			Addr: s.Listen, Certificates: certificates,
			Limits:       server.Limits{Connections: s.MaxConnections},
			PublicHealth: s.PublicHealth,
			Admin:        server.AdminConfig{Addr: s.AdminListen, AllowRemote: s.AdminAllowRemote, Hosts: s.AdminHosts},
			DrainDelay:   s.DrainDelay, ShutdownTimeout: s.ShutdownTimeout,
		},
		Limits: limits(s.Limits), SharedLimits: shared, PublicURL: s.PublicURL, TrustedProxies: proxies, WithoutV1Beta1: !s.V1Beta1,
		Retention: store.Retention{Entries: s.AuditRetention, Usage: s.UsageRetention},
		Admission: node.Admission{
			Reads: s.ReadsAtOnce, Writes: s.WritesAtOnce, Waiting: &s.RequestsWaiting, Patience: s.RequestPatience,
		},
	})
	if err != nil {
		return errors.Join(err, core.Close())
	}
	addr, err := n.Listen(ctx)
	if err != nil {
		return errors.Join(err, n.Close())
	}
	logger.Info("serving", "address", addr.String(), "admin_address", addressText(n.Server.AdminAddr()),
		"tls", s.TLS.TLS, "data", s.Place(), "version", version())
	err = n.Run(ctx)
	logger.Info("ended")
	return err
}

// storeOptions is how the configured database is opened.
func storeOptions(d config.Database) (store.Options, error) {
	url, err := d.URL()
	return store.Options{Dir: d.Data, URL: url, Connections: d.DatabaseConnections}, err
}

// warnIfEmpty says what a mistyped folder would otherwise hide: a server that works and
// knows nobody.
func warnIfEmpty(ctx context.Context, core *node.Core, place string, logger *slog.Logger) {
	accounts, err := core.Directory.Accounts(ctx, access.Caller{Kind: access.System, Name: "rollcall serve"})
	if err == nil && len(accounts) == 0 {
		logger.Warn("the database holds no account: is it the right one? 'rollcall admin account create' makes one", "data", place)
	}
}

// certificates returns where the server's certificates come from; nil for plain HTTP.
func certificates(s config.Serve, logger *slog.Logger) (server.CertificateSource, error) {
	switch {
	case s.TLS.TLS == "off":
		return nil, nil //nolint:nilnil // no TLS is no error
	case len(s.ACMEDomains) > 0:
		return server.NewACME(server.ACMEConfig{
			Domains: s.ACMEDomains, Email: s.ACMEEmail, Directory: s.ACMEDirectory,
			Storage: filepath.Join(s.Data, "acme"), HTTPChallenge: s.ACMEHTTPChallenge, Logger: logger,
		})
	default:
		return server.NewCertificateFiles(s.TLSCert, s.TLSKey, s.TLSReloadInterval, logger)
	}
}

// limits returns the configured limits.
func limits(l config.Limits) throttle.Settings {
	s := throttle.DefaultSettings()
	s.UsersPerMinute, s.UsersPerHour = l.UsersPerMinute, l.UsersPerHour
	s.TokenPerMinute, s.TokenPerHour = l.TokenPerMinute, l.TokenPerHour
	s.AuthFailuresPerMinute = l.AuthFailuresPerMinute
	s.ManagementReadsPerMinute, s.ManagementReadsPerHour = l.ManagementReadsPerMinute, l.ManagementReadsPerHour
	s.ManagementWritesPerMinute, s.ManagementWritesPerHour = l.ManagementWritesPerMinute, l.ManagementWritesPerHour
	s.SignInFailuresPerMinute, s.SignInFailuresPerHour = l.SignInFailuresPerMinute, l.SignInFailuresPerHour
	s.SignInBegunPerMinute, s.ConsolePerMinute = l.SignInBegunPerMinute, l.ConsolePerMinute
	return s
}

// sharedLimits returns where limits are counted, with what the files hold.
func sharedLimits(s config.SharedLimits) (node.SharedLimits, error) {
	n := node.SharedLimits{URL: s.LimitsURL, Timeout: s.LimitsTimeout}
	if s.LimitsPasswordFile != "" {
		text, err := os.ReadFile(s.LimitsPasswordFile)
		if err != nil {
			return n, fmt.Errorf("read the password of the store of limits: %w", err)
		}
		n.Password = strings.TrimRight(string(text), "\r\n")
		if n.Password == "" {
			return n, fmt.Errorf("%s is empty: write the password of the store of limits into it", s.LimitsPasswordFile)
		}
	}
	if s.LimitsCA != "" {
		text, err := os.ReadFile(s.LimitsCA)
		if err != nil {
			return n, fmt.Errorf("read the authority of the store of limits: %w", err)
		}
		n.Roots = x509.NewCertPool()
		if !n.Roots.AppendCertsFromPEM(text) {
			return n, fmt.Errorf("%s holds no certificate in PEM", s.LimitsCA)
		}
	}
	return n, nil
}

// addressText is an address for the log; without a listener there is none.
func addressText(a net.Addr) string {
	if a == nil {
		return "off"
	}
	return a.String()
}

// baseURL is how clients on this machine reach an address that was listened on; "all
// addresses" is none that can be called, or that a certificate names.
func baseURL(tls bool, addr net.Addr) string {
	host := addr.String()
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	if tls {
		return "https://" + host
	}
	return "http://" + host
}
