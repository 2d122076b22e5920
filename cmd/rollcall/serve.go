package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/rollcall-id/rollcall/internal/config"
	"github.com/rollcall-id/rollcall/internal/node"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

type serveCmd struct{ config.Serve }

// Run serves until it is told to end.
func (cmd *serveCmd) Run(ctx context.Context, w *world) error {
	s := cmd.Serve
	if err := s.Validate(); err != nil {
		return usage(err)
	}
	logger := w.logger(s.Logs)
	certificates, err := certificates(s, logger)
	if err != nil {
		return err
	}
	proxies, err := s.Proxies()
	if err != nil {
		return err
	}
	core, err := node.OpenCore(ctx, node.CoreOptions{
		Store:    store.Options{Dir: s.Data, Exclusive: true},
		Lifetime: s.TokenLifetime, Now: w.now, Rand: w.rand, Logger: logger,
	})
	if err != nil {
		return err
	}
	n, err := node.New(core, node.Options{
		Server: server.Config{
			Addr: s.Listen, Certificates: certificates,
			Limits:       server.Limits{Connections: s.MaxConnections},
			PublicHealth: s.PublicHealth,
			Admin:        server.AdminConfig{Addr: s.AdminListen, AllowRemote: s.AdminAllowRemote, Hosts: s.AdminHosts},
			DrainDelay:   s.DrainDelay, ShutdownTimeout: s.ShutdownTimeout,
		},
		Limits: limits(s.Limits), PublicURL: s.PublicURL, TrustedProxies: proxies, WithoutV1Beta1: !s.V1Beta1,
		Retention: store.Retention{Entries: s.AuditRetention, Usage: s.UsageRetention},
	})
	if err != nil {
		return errors.Join(err, core.Close())
	}
	addr, err := n.Listen(ctx)
	if err != nil {
		return errors.Join(err, n.Close())
	}
	logger.Info("serving", "address", addr.String(), "tls", s.TLS.TLS, "data", s.Data, "version", version())
	err = n.Run(ctx)
	logger.Info("ended")
	return err
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

// limits returns the configured limits over the defaults of those that have no flag.
func limits(l config.Limits) throttle.Settings {
	s := throttle.DefaultSettings()
	s.UsersPerMinute, s.UsersPerHour = l.UsersPerMinute, l.UsersPerHour
	s.TokenPerMinute, s.TokenPerHour = l.TokenPerMinute, l.TokenPerHour
	s.AuthFailuresPerMinute = l.AuthFailuresPerMinute
	return s
}

// baseURL is how clients on this machine reach an address that was listened on.
func baseURL(tls bool, addr fmt.Stringer) string {
	if tls {
		return "https://" + addr.String()
	}
	return "http://" + addr.String()
}
