package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"go.uber.org/zap"
)

// ACMEConfig says from whom, for which names and where to keep them certificates are obtained (RFC 8555).
type ACMEConfig struct {
	// Domains are the names to serve; at least one. A client without SNI gets the first.
	Domains []string
	// Email is where the authority writes about the account; may be empty.
	Email string
	// Directory is the authority's directory URL; empty means Let's Encrypt.
	Directory string
	// Storage is the folder for account, keys and certificates; made with mode 0700 when missing.
	Storage string
	// Roots are trusted in place of the system's when speaking to the authority; nil means the system's.
	Roots *x509.CertPool
	// HTTPChallenge also allows HTTP-01, for which port 80 must be free and reachable. TLS-ALPN-01 (RFC 8737) is
	// answered on the public listener itself and needs no second port.
	HTTPChallenge bool
	// Logger receives what certmagic has to say.
	Logger *slog.Logger
}

// ACME obtains and renews certificates. Using it means that the operator agrees to the authority's terms of service.
type ACME struct {
	config ACMEConfig
	magic  atomic.Pointer[certmagic.Config] // set while Maintain runs
}

// errNoCertificate is a handshake before Maintain began or after it ended.
var errNoCertificate = errors.New("server: ACME certificates are not being managed")

// NewACME checks the settings; nothing is contacted before [ACME.Maintain].
func NewACME(config ACMEConfig) (*ACME, error) {
	if len(config.Domains) == 0 {
		return nil, errors.New("server: ACME needs at least one domain")
	}
	if config.Storage == "" {
		return nil, errors.New("server: ACME needs a storage folder, or every restart would ask for new certificates")
	}
	if config.Directory == "" {
		config.Directory = certmagic.LetsEncryptProductionCA
	}
	if u, err := url.Parse(config.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("server: ACME directory %q is not an https URL", config.Directory)
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return &ACME{config: config}, nil
}

// GetCertificate answers challenges of the authority and handshakes of clients.
func (a *ACME) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	magic := a.magic.Load()
	if magic == nil {
		return nil, errNoCertificate
	}
	return magic.GetCertificate(hello)
}

// Protocols is the challenge's own protocol (RFC 8737 section 4).
func (a *ACME) Protocols() []string { return []string{acmez.ACMETLS1Protocol} }

// Maintain obtains what is missing and renews in time, until ctx ends. An authority that can't be reached is retried in the background, so
// that a restart during its outage still serves the stored certificates.
func (a *ACME) Maintain(ctx context.Context, listen net.Addr) error {
	if err := os.MkdirAll(a.config.Storage, 0o700); err != nil {
		return fmt.Errorf("server: ACME storage: %w", err)
	}
	host, port, err := splitListen(listen)
	if err != nil {
		return err
	}
	logger := zap.New(slogCore{a.config.Logger})
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		Logger:           logger,
	})
	defer cache.Stop()
	magic = certmagic.New(cache, certmagic.Config{
		DefaultServerName: a.config.Domains[0],
		Storage:           &certmagic.FileStorage{Path: a.config.Storage},
		Logger:            logger,
	})
	magic.Issuers = []certmagic.Issuer{a.issuer(magic, host, port, logger)}
	a.magic.Store(magic)
	defer a.magic.Store(nil)
	var obtaining sync.WaitGroup
	for _, domain := range a.config.Domains {
		obtaining.Go(func() { a.manage(ctx, magic, domain) })
	}
	<-ctx.Done()
	obtaining.Wait() // they write to the storage until they have noticed
	return nil
}

// manage obtains the certificate if the storage has none, trying again for up to 30 days, and hands it to the renewals.
// It does not leave the first part to ManageAsync, whose attempts would go on after Maintain has returned.
func (a *ACME) manage(ctx context.Context, magic *certmagic.Config, domain string) {
	err := magic.ObtainCertAsync(ctx, domain)
	if err == nil {
		err = magic.ManageAsync(ctx, []string{domain})
	}
	if err != nil && ctx.Err() == nil {
		a.config.Logger.ErrorContext(ctx, "no certificate from the ACME authority; see the lines before for its reasons",
			"domain", domain, "directory", a.config.Directory, "error", err.Error())
	}
}

// issuer names the public listener as the place where challenges are answered: certmagic finds the port taken, as it
// should be, and leaves the answer to GetCertificate.
func (a *ACME) issuer(magic *certmagic.Config, host string, port int, logger *zap.Logger) certmagic.Issuer {
	return certmagic.NewACMEIssuer(magic, certmagic.ACMEIssuer{
		CA:                   a.config.Directory,
		Email:                a.config.Email,
		Agreed:               true,
		TrustedRoots:         a.config.Roots,
		DisableHTTPChallenge: !a.config.HTTPChallenge,
		ListenHost:           host,
		AltTLSALPNPort:       port,
		Logger:               logger,
	})
}

func splitListen(listen net.Addr) (host string, port int, err error) {
	host, service, err := net.SplitHostPort(listen.String())
	if err == nil {
		port, err = strconv.Atoi(service)
	}
	if err != nil {
		return "", 0, fmt.Errorf("server: ACME needs a TCP listener, not %s: %w", listen, err)
	}
	return host, port, nil
}
