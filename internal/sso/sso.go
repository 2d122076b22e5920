// Package sso speaks OpenID Connect for signin: discovery of an issuer, the code flow with
// PKCE, state and nonce, and the checking of ID tokens.
//
// It leaves to signin who may choose an issuer, that each attempt ends once, in time and in
// the browser that began it, and whom an answer lets in. What must always hold: an issuer is
// reached by https alone, unless local ones are allowed for development, and never at an
// address of this machine or of the link, where cloud providers keep secrets; it can make us
// wait no longer, and read no more, than a bound; nothing it says is shown to anybody.
package sso

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// Bounds of what an issuer may take.
const (
	timeout   = 10 * time.Second // of one attempt, all its requests together
	maxAnswer = 1 << 20          // bytes of one answer
	maxCode   = 4096             // bytes of a code
)

// Config says which issuers may be asked.
type Config struct {
	// AllowLocal lets issuers be on this machine and speak plain http: for development.
	AllowLocal bool
	// Roots are authorities that issuers' certificates may come from; nil = the system's.
	Roots *x509.CertPool
	Now   func() time.Time
}

// Protocol implements signin.SSOProtocol.
type Protocol struct {
	config Config
	client *http.Client
}

// New makes a Protocol.
func New(c Config) *Protocol {
	dialer := &net.Dialer{Timeout: timeout / 2}
	if !c.AllowLocal {
		// Here, and not before: only now is it known which address a name has led to.
		dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error { return refuseLocal(address) }
	}
	transport := &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout / 2, ForceAttemptHTTP2: true,
		ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 64 << 10, MaxIdleConns: 8, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
	}
	return &Protocol{config: c, client: &http.Client{
		Transport: bounded{transport, c.AllowLocal},
		Timeout:   timeout,
		// What an issuer is asked is a matter between it and us: it sends nobody elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}}
}

var (
	errRedirect = errors.New("sso: the issuer redirects")
	errPlain    = errors.New("sso: an issuer must be reached by https")
	errEndpoint = errors.New("sso: the issuer names no https URLs to send people to")
	errLocal    = errors.New("sso: an issuer must not be at an address of this machine or of its link")
	errToken    = errors.New("sso: the answer holds no ID token")
	errNonce    = errors.New("sso: the ID token answers another attempt")
	errCode     = errors.New("sso: the code is none")
)

// refuseLocal refuses loopback, link-local and unspecified addresses, among which are those
// where cloud providers keep credentials. Private networks are allowed: there is where an
// organisation's own issuer often is.
func refuseLocal(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("sso: %q is no address: %w", address, err)
	}
	addr := at.Addr().Unmap()
	if addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsUnspecified() || addr.IsMulticast() {
		return errLocal
	}
	return nil
}

// bounded cuts answers that are too long and lets no plain http out.
type bounded struct {
	next  http.RoundTripper
	plain bool
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !b.plain {
		return nil, errPlain
	}
	answer, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	return answer, nil
}

// provider asks an issuer who it is. It is asked each time: what it says, such as its keys, may
// have changed, and people sign in seldom.
func (p *Protocol) provider(ctx context.Context, issuer string) (*oidc.Provider, error) {
	if !p.config.AllowLocal && !strings.HasPrefix(issuer, "https://") {
		return nil, errPlain
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), issuer)
	if err != nil {
		return nil, fmt.Errorf("sso: ask %s about itself: %w", issuer, err)
	}
	return provider, nil
}

// Check implements signin.SSOProtocol.
func (p *Protocol) Check(ctx context.Context, issuer string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	provider, err := p.provider(ctx, issuer)
	if err != nil {
		return err
	}
	return p.endpoints(provider)
}

// endpoints refuses an issuer that would send browsers, or us, elsewhere than to the web.
func (p *Protocol) endpoints(provider *oidc.Provider) error {
	e := provider.Endpoint()
	for _, url := range []string{e.AuthURL, e.TokenURL} {
		if !strings.HasPrefix(url, "https://") && (!p.config.AllowLocal || !strings.HasPrefix(url, "http://")) {
			return errEndpoint
		}
	}
	return nil
}

func configure(c signin.SSOClient, provider *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.ClientID, ClientSecret: c.Secret, RedirectURL: c.RedirectURL, Endpoint: provider.Endpoint(),
		Scopes: []string{oidc.ScopeOpenID, "email"},
	}
}

// Begin implements signin.SSOProtocol.
func (p *Protocol) Begin(ctx context.Context, c signin.SSOClient, a signin.SSOAttempt) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	provider, err := p.provider(ctx, c.Issuer)
	if err == nil {
		err = p.endpoints(provider)
	}
	if err != nil {
		return "", err
	}
	return configure(c, provider).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

// Finish implements signin.SSOProtocol.
func (p *Protocol) Finish(ctx context.Context, c signin.SSOClient, a signin.SSOAttempt, code string) (signin.Claims, error) {
	if code == "" || len(code) > maxCode {
		return signin.Claims{}, errCode
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx = oidc.ClientContext(ctx, p.client)
	provider, err := p.provider(ctx, c.Issuer)
	if err != nil {
		return signin.Claims{}, away(err)
	}
	tokens, err := configure(c, provider).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return signin.Claims{}, exchangeFailed(err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return signin.Claims{}, errToken
	}
	token, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: c.ClientID, Now: p.config.Now}).Verify(ctx, raw)
	if err != nil {
		return signin.Claims{}, fmt.Errorf("sso: check the ID token: %w", err)
	}
	if token.Nonce != a.Nonce {
		return signin.Claims{}, errNonce
	}
	return p.claims(ctx, provider, token, tokens)
}

// exchangeFailed tells an issuer that refuses the code from one that could not be asked.
func exchangeFailed(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < 500 {
		// Its text may hold the code: only the word for it is passed on.
		return fmt.Errorf("sso: the issuer refuses the code: %s", refused.ErrorCode)
	}
	return away(err)
}

func away(err error) error {
	return fault.Unavailable(timeout, err, "the account's identity provider does not answer: try again shortly")
}

// said is what of an ID token, or of what the issuer tells beside it, is looked at. Some
// issuers write truth as text.
type said struct {
	Email    string `json:"email"`
	Verified any    `json:"email_verified"`
}

func (s said) verified() bool { return s.Verified == true || s.Verified == "true" }

// claims reads the address out of the ID token, or, where it is not there, asks for it.
func (p *Protocol) claims(ctx context.Context, provider *oidc.Provider, token *oidc.IDToken, tokens *oauth2.Token) (signin.Claims, error) {
	var s said
	if err := token.Claims(&s); err != nil {
		return signin.Claims{}, fmt.Errorf("sso: read the ID token: %w", err)
	}
	if s.Email == "" && provider.UserInfoEndpoint() != "" {
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil {
			return signin.Claims{}, away(err)
		}
		// OpenID Connect Core section 5.3.2: it must tell of the same person.
		if info.Subject != token.Subject {
			return signin.Claims{}, errors.New("sso: the issuer tells of two people")
		}
		s = said{info.Email, info.EmailVerified}
	}
	return signin.Claims{Issuer: token.Issuer, Subject: token.Subject, Email: s.Email, EmailVerified: s.verified()}, nil
}
