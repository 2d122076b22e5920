package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Bounds of a connection, in bytes.
const (
	maxIssuer   = 1000
	maxClientID = 255
	maxSecret   = 1000
)

// SSOSettings is an account's single sign-on as it is shown: the secret never is.
type SSOSettings struct {
	Issuer, ClientID string
	HasSecret        bool
	UpdateTime       time.Time
}

// SSOChange is how an account's single sign-on is to be. Secret is the client secret; empty
// = a public client, unless KeepSecret says that the present one stays, which it can only
// with the same issuer and client id.
type SSOChange struct {
	Issuer, ClientID string
	Secret           string
	KeepSecret       bool
}

func noSSO() error { return fault.NotFound("the account has no single sign-on") }

// SSO returns an account's single sign-on; NotFound if it has none. It takes ManageAccount.
func (s *Service) SSO(ctx context.Context, c access.Caller, account ident.AccountID) (SSOSettings, error) {
	if err := s.may(ctx, c, account, access.ManageAccount, audit.SSOGet, string(account)); err != nil {
		return SSOSettings{}, err
	}
	conn, err := s.Store.Connection(ctx, account)
	if err != nil {
		return SSOSettings{}, err
	}
	return SSOSettings{conn.Issuer, conn.ClientID, len(conn.Secret) > 0, conn.UpdateTime}, nil
}

// SetSSO sets an account's single sign-on, once its issuer has been asked whether it is
// one. It takes ManageOwners beside ManageAccount: who chooses the issuer can sign in as
// anybody.
func (s *Service) SetSSO(ctx context.Context, c access.Caller, account ident.AccountID, ch SSOChange) (SSOSettings, error) {
	if err := s.mayConnect(ctx, c, account, audit.SSOSet); err != nil {
		return SSOSettings{}, err
	}
	if s.SSOProtocol == nil {
		return SSOSettings{}, fault.Precondition("single sign-on can't be used here")
	}
	if err := ch.validate(); err != nil {
		return SSOSettings{}, err
	}
	conn := Connection{Account: account, Issuer: ch.Issuer, ClientID: ch.ClientID, UpdateTime: s.now()}
	before, err := s.Store.Connection(ctx, account)
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return SSOSettings{}, err
	}
	switch {
	case ch.KeepSecret && (before.Issuer != ch.Issuer || before.ClientID != ch.ClientID):
		return SSOSettings{}, fault.Invalid("the client secret is missing: with another issuer or client id it must be given again")
	case ch.KeepSecret:
		conn.Secret = before.Secret
	case ch.Secret != "":
		if conn.Secret, err = s.seal(conn, ch.Secret); err != nil {
			return SSOSettings{}, err
		}
	}
	if err := s.SSOProtocol.Check(ctx, ch.Issuer); err != nil {
		f := fault.Invalid("the issuer %s could not be asked about itself: check its URL, and that this server can reach it", audit.Clean(ch.Issuer, 200))
		f.Cause = err
		return SSOSettings{}, f
	}
	e := audit.New(c, account, audit.SSOSet, string(account), audit.Done, conn.UpdateTime).
		WithChange(fmt.Sprintf("issuer: %q -> %q; client id: %q -> %q; secret: %t", before.Issuer, conn.Issuer, before.ClientID, conn.ClientID, len(conn.Secret) > 0))
	if err := s.Store.SetConnection(ctx, conn, e); err != nil {
		return SSOSettings{}, err
	}
	return SSOSettings{conn.Issuer, conn.ClientID, len(conn.Secret) > 0, conn.UpdateTime}, nil
}

// RemoveSSO removes an account's single sign-on; NotFound if it has none. Sessions go on. It
// takes what SetSSO takes.
func (s *Service) RemoveSSO(ctx context.Context, c access.Caller, account ident.AccountID) error {
	if err := s.mayConnect(ctx, c, account, audit.SSORemove); err != nil {
		return err
	}
	found, err := s.Store.RemoveConnection(ctx, account, audit.New(c, account, audit.SSORemove, string(account), audit.Done, s.now()))
	if err == nil && !found {
		err = noSSO()
	}
	return err
}

func (s *Service) mayConnect(ctx context.Context, c access.Caller, account ident.AccountID, act audit.Action) error {
	if err := s.may(ctx, c, account, access.ManageAccount, act, string(account)); err != nil {
		return err
	}
	return s.may(ctx, c, account, access.ManageOwners, act, string(account))
}

// validate refuses what can be no connection.
func (ch SSOChange) validate() error {
	if err := ValidateIssuer(ch.Issuer); err != nil {
		return err
	}
	if err := ValidateSSOClient(ch.ClientID); err != nil {
		return err
	}
	return ValidateSSOSecret(ch.Secret)
}

// ValidateIssuer refuses what can be no issuer's URL: Invalid, with words for whoever typed it.
// Which addresses an issuer may have is the business of the protocol, which connects to it.
func ValidateIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if len(issuer) > maxIssuer || err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" || ident.ValidateText("", issuer, maxIssuer, false) != nil {
		return fault.Invalid("the issuer must be its https URL, without query, such as https://login.example.com")
	}
	return nil
}

// ValidateSSOClient refuses what an issuer can know nobody by.
func ValidateSSOClient(id string) error {
	if len(id) > maxClientID {
		return fault.Invalid("the client id must be at most %d bytes long", maxClientID)
	}
	return ident.ValidateText("the client id", id, maxClientID, false)
}

// ValidateSSOSecret refuses what can be no client's secret; none at all is one.
func ValidateSSOSecret(secret string) error {
	if len(secret) > maxSecret {
		return fault.Invalid("the client secret must be at most %d bytes long", maxSecret)
	}
	return ident.ValidateText("the client secret", secret, maxSecret, true)
}

// sealedFor is what a secret is bound to: moved to another account, issuer or client it
// does not open.
func (c Connection) sealedFor() []byte {
	return []byte(strings.Join([]string{"rollcall sso 1", string(c.Account), c.Issuer, c.ClientID}, "\x00"))
}

func (s *Service) seal(c Connection, secret string) ([]byte, error) {
	if s.Sealer == nil {
		return nil, fault.Precondition("there is no key to keep a client secret with: leave it out, or start the server with --console-key-file")
	}
	aead, err := s.Sealer()
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, []byte(secret), c.sealedFor()), nil //nolint:gosec // the cipher makes its nonces itself
}

// client returns how the protocol is to meet the issuer.
func (s *Service) client(c Connection, redirect string) (SSOClient, error) {
	client := SSOClient{Issuer: c.Issuer, ClientID: c.ClientID, RedirectURL: redirect}
	if len(c.Secret) == 0 {
		return client, nil
	}
	if s.Sealer == nil {
		return client, errNoKey
	}
	aead, err := s.Sealer()
	if err != nil {
		return client, err
	}
	clear, err := aead.Open(nil, nil, c.Secret, c.sealedFor())
	if err != nil {
		return client, fmt.Errorf("signin: the client secret of account %s was sealed with another key: %w", c.Account, err)
	}
	client.Secret = string(clear)
	return client, nil
}

// SSOStart is a sign-in at an issuer that waits for the browser to come back.
type SSOStart struct {
	// URL is where to send the browser.
	URL string
	// Binding is to be kept in a cookie of this browser alone, for CeremonyLife, and given to
	// FinishSSO: an answer that another browser has begun is refused.
	Binding string
}

// begunSSO is what a ceremony remembers of an attempt.
type begunSSO struct {
	Issuer, ClientID, Nonce, Verifier string
}

// BeginSSO begins signing in at the account's issuer, which is to send the browser back to
// redirect. account may be empty where there is only one. Without single sign-on it fails
// like any try to sign in.
func (s *Service) BeginSSO(ctx context.Context, from access.Caller, account ident.AccountID, redirect string) (SSOStart, error) {
	account, err := s.accountOf(ctx, account)
	if err != nil {
		return SSOStart{}, err
	}
	t, err := s.try(ctx, from, "", "")
	if err != nil {
		return SSOStart{}, err
	}
	if err := s.spendBegin(ctx, from); err != nil {
		return SSOStart{}, err
	}
	conn, err := s.Store.Connection(ctx, account)
	if s.SSOProtocol == nil || fault.KindOf(err) == fault.KindNotFound && err != nil {
		return SSOStart{}, s.refuse(ctx, t, "single sign-on where there is none")
	}
	if err != nil {
		return SSOStart{}, err
	}
	client, err := s.client(conn, redirect)
	if err != nil {
		return SSOStart{}, err
	}
	return s.beginSSO(ctx, conn, client)
}

func (s *Service) beginSSO(ctx context.Context, conn Connection, client SSOClient) (SSOStart, error) {
	b := begunSSO{Issuer: conn.Issuer, ClientID: conn.ClientID}
	var err error
	if b.Nonce, err = ident.NewSecret("", s.Rand); err != nil {
		return SSOStart{}, err
	}
	if b.Verifier, err = ident.NewSecret("", s.Rand); err != nil {
		return SSOStart{}, err
	}
	data, err := json.Marshal(b)
	if err != nil {
		return SSOStart{}, err
	}
	begun, err := s.remember(ctx, Ceremony{Kind: UsingSSO, Account: conn.Account, Data: data}, nil)
	if err != nil {
		return SSOStart{}, err
	}
	to, err := s.SSOProtocol.Begin(ctx, client, SSOAttempt{State: begun.Token, Nonce: b.Nonce, Verifier: b.Verifier})
	if err != nil {
		return SSOStart{}, unreachable(err)
	}
	return SSOStart{URL: to, Binding: begun.Token}, nil
}

func unreachable(err error) error {
	return fault.Unavailable(10*time.Second, err, "the account's identity provider does not answer: try again shortly")
}

// SSOAnswer is what the browser brings back from the issuer, and the cookie it was given.
type SSOAnswer struct {
	State, Code, Error string // of the query
	Binding            string // of the cookie
}

// FinishSSO signs in whom the issuer names: somebody remembered by their subject, or whose
// address the issuer says it has verified. Nobody is made by it, but who is PENDING is
// confirmed: the account has invited that address, and its own issuer vouches for it.
func (s *Service) FinishSSO(ctx context.Context, from access.Caller, a SSOAnswer, redirect string) (NewSession, error) {
	t, err := s.try(ctx, from, "", "")
	if err != nil {
		return NewSession{}, err
	}
	if s.SSOProtocol == nil || a.Binding == "" || !same(a.State, a.Binding) {
		return NewSession{}, s.refuse(ctx, t, "an issuer's answer that this browser has not asked for")
	}
	cer, err := s.recall(ctx, a.State, UsingSSO)
	if fault.KindOf(err) == fault.KindPrecondition {
		return NewSession{}, s.refuse(ctx, t, "an issuer's answer, too late or again")
	}
	if err != nil {
		return NewSession{}, err
	}
	t.account = cer.Account
	claims, why, err := s.redeem(ctx, cer, a, redirect)
	if err != nil {
		return NewSession{}, err
	}
	if why != "" {
		return NewSession{}, s.refuse(ctx, t, why)
	}
	return s.enterBySubject(ctx, t, claims)
}

// redeem trades the code for claims. why says what was wrong with the answer.
func (s *Service) redeem(ctx context.Context, cer Ceremony, a SSOAnswer, redirect string) (claims Claims, why string, err error) {
	var b begunSSO
	if err := json.Unmarshal(cer.Data, &b); err != nil {
		return claims, "", fmt.Errorf("signin: read a ceremony: %w", err)
	}
	conn, err := s.Store.Connection(ctx, cer.Account)
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return claims, "", err
	}
	if err != nil || conn.Issuer != b.Issuer || conn.ClientID != b.ClientID {
		return claims, "an issuer that the account has no more", nil
	}
	if a.Error != "" || a.Code == "" {
		return claims, "the issuer refused: " + audit.Clean(a.Error, 100), nil
	}
	client, err := s.client(conn, redirect)
	if err != nil {
		return claims, "", err
	}
	claims, err = s.SSOProtocol.Finish(ctx, client, SSOAttempt{State: a.State, Nonce: b.Nonce, Verifier: b.Verifier}, a.Code)
	switch {
	case fault.As(err) != nil: // it could not be asked
		return claims, "", err
	case err != nil:
		return claims, "an issuer's answer that does not count: " + audit.Clean(err.Error(), 300), nil
	case claims.Issuer != conn.Issuer || claims.Subject == "" || len(claims.Subject) > 255:
		return claims, "an issuer's answer about nobody", nil
	}
	return claims, "", nil
}

func (s *Service) enterBySubject(ctx context.Context, t attempt, claims Claims) (NewSession, error) {
	subject := Subject{claims.Issuer, claims.Subject}
	u, err := s.Store.UserBySubject(ctx, t.account, subject)
	known := err == nil
	if fault.KindOf(err) == fault.KindNotFound {
		u, err = s.byAddress(ctx, t.account, claims)
	}
	if err != nil {
		return NewSession{}, err
	}
	if u.ID == "" {
		return NewSession{}, s.refuse(ctx, t, "an issuer's answer about somebody who is not here")
	}
	t.user = u.ID
	more := Change{Activate: u.State == directory.Pending}
	if !known {
		more.Subject = &subject
	}
	if more.Activate {
		c := asPerson(t.from, u)
		more.Forget.Links = true
		more.Entries = []audit.Entry{audit.New(c, u.Account, audit.UserConfirm, string(u.ID), audit.Done, t.at).With("by single sign-on")}
	}
	return s.enter(ctx, t, u, BySSO, func(st Standing) bool {
		// Somebody whom the issuer knows by another subject is not who it names now, though they
		// have the address: addresses are given away again.
		return st.Subject == claims.Subject || (!known && st.Subject == "" && st.User.Email.Key() == u.Email.Key())
	}, more)
}

// byAddress returns who has the address that the issuer has verified; nobody if none.
func (s *Service) byAddress(ctx context.Context, account ident.AccountID, claims Claims) (directory.User, error) {
	email, err := ident.ParseEmail(claims.Email)
	if err != nil || !claims.EmailVerified {
		return directory.User{}, nil //nolint:nilerr // an address that is none is nobody's
	}
	c, err := s.candidate(ctx, account, email)
	return c.User, err
}
