// Package oauth owns applications, their secrets and their tokens: who an OAuth
// client is, what it was given, and whether a token still counts.
//
//	application --has--> secrets (the newest, and one living out its overlap)
//	secret --issues--> token: lives for Lifetime, dies sooner with its secret,
//	                          application or account, or when revoked
//
// It leaves the wire forms of RFC 6749 to httpapi, limits to throttle, and how
// things are kept to its Store. What must always hold: secrets and tokens are known
// only by their hashes; whether a token counts is decided in one place,
// Grant.live, from facts read for this very request; nothing here is cached.
package oauth

import (
	"context"
	"crypto/subtle"
	"io"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

// DefaultLifetime of an access token (contract section 6).
const DefaultLifetime = 900 * time.Second

// Scope is the only scope there is; what an application may do is set on it, never requested.
const Scope = "openid"

// ApplicationState tells whether an application may be used.
type ApplicationState string

// The states of an application.
const (
	Enabled  ApplicationState = "enabled"
	Disabled ApplicationState = "disabled"
)

// Application is an OAuth client of one account (contract section 7).
type Application struct {
	ID          ident.ClientID
	Account     ident.AccountID
	Name        string
	Description string
	RedirectURL string
	Permissions access.Set
	State       ApplicationState
	CreateTime  time.Time // UTC, microseconds
	Secrets     []Secret  // by creation, the current one last; without hashes
}

// current is the id of the secret that is not over; "" if there is none.
func (a Application) current() ident.EntryID {
	if len(a.Secrets) == 0 {
		return ""
	}
	return a.Secrets[len(a.Secrets)-1].ID
}

// Secret is one client secret of an application, known by its hash alone.
type Secret struct {
	ID         ident.EntryID
	Client     ident.ClientID
	Hash       Hash
	CreateTime time.Time
	// ExpireTime is when a rotated secret stops working; zero while it is the current one.
	ExpireTime time.Time
	// LastUsedTime is when it last authenticated; zero = never. It is not filled in for
	// authentication.
	LastUsedTime time.Time
}

// live tells whether the secret still works at now.
func (s Secret) live(now time.Time) bool { return s.ExpireTime.IsZero() || now.Before(s.ExpireTime) }

// Token is an access token as it is stored.
type Token struct {
	Hash       Hash
	Client     ident.ClientID
	Account    ident.AccountID
	Secret     ident.EntryID // the secret that obtained it: they die together
	Epoch      int64         // the application's when the secret was shown: it dies when that is over
	IssueTime  time.Time
	ExpireTime time.Time
}

// Identity is what every request needs to know of an application.
type Identity struct {
	ID          ident.ClientID
	Account     ident.AccountID
	Permissions access.Set
	State       ApplicationState
	AccountOpen bool
}

// usable tells whether the application may do anything at all now.
func (i Identity) usable() bool { return i.AccountOpen && i.State == Enabled }

// caller returns from with the application's identity filled in.
func (i Identity) caller(from access.Caller) access.Caller {
	from.Kind, from.Account, from.Client, from.Permissions = access.Application, i.Account, i.ID, i.Permissions
	return from
}

// Client is what authenticating an application needs to know, read at once.
type Client struct {
	Identity
	Secrets []Secret // without creation times
	Epoch   int64    // of its tokens
	// Head is the end of its account's audit chain at that moment.
	Head audit.Head
}

// Grant is everything that decides whether a token counts, read at once.
type Grant struct {
	Identity
	ExpireTime time.Time
	// SecretExpireTime is that of the secret which obtained the token; zero = current.
	SecretExpireTime time.Time
}

// live is the one place that decides whether a token counts. The commonest severe
// defect of identity servers is a disabled principal that still gets in: every
// reason a token may be dead is a line here, and nowhere else.
func (g Grant) live(now time.Time) bool {
	return now.Before(g.ExpireTime) &&
		g.usable() &&
		Secret{ExpireTime: g.SecretExpireTime}.live(now)
}

// Grants tells what is known of tokens: the Store, or a look that one request takes at
// its token and at what it asks for together.
type Grants interface {
	// Grant returns what is known of a token; NotFound if it, its application, its
	// secret or its account is gone, or its epoch is over.
	Grant(ctx context.Context, hash Hash) (Grant, error)
}

// Store keeps applications, secrets and tokens. Failures are faults: Unavailable
// where trying again may help. Safe for concurrent use.
type Store interface {
	audit.Store
	Grants

	// Client returns an application with its secrets; NotFound if there is none.
	Client(ctx context.Context, id ident.ClientID) (Client, error)
	// AddToken commits a token and its entry, which is no change and hangs under the end that its account's
	// chain had when the client was read; on disk when it returns nil.
	AddToken(ctx context.Context, t Token, e audit.Entry, under audit.Head) error
	// RevokeToken deletes a client's token and writes the entry with it; another
	// client's token or none: found is false and nothing is written.
	RevokeToken(ctx context.Context, hash Hash, client ident.ClientID, e audit.Entry) (found bool, err error)

	// CreateApplication adds an application with its first secret; Conflict if the
	// id is taken, NotFound if there is no such account.
	CreateApplication(ctx context.Context, a Application, s Secret, e audit.Entry) error
	// Application returns one of an account's applications; NotFound if it has none such.
	Application(ctx context.Context, account ident.AccountID, id ident.ClientID) (Application, error)
	// Applications returns up to limit of an account's applications behind a position (the
	// zero position = from the start), by CreateTime, then ID; NotFound if there is no such account.
	Applications(ctx context.Context, account ident.AccountID, after page.Position, limit int) ([]Application, error)
	// ChangeApplication locks an application, asks decide, does what was decided and writes
	// the entry with it, if there is one. decide may run more than once. NotFound if the
	// account has no such application: decide is not asked.
	ChangeApplication(ctx context.Context, account ident.AccountID, id ident.ClientID, decide func(Application) Decision) (Decision, error)
}

// Service is the use cases. All fields but Uses are required.
type Service struct {
	Store    Store
	Journal  *audit.Journal
	Now      func() time.Time
	Rand     io.Reader     // of cryptographic quality
	Lifetime time.Duration // of access tokens, whole seconds
	Keys     *page.Keyring
	Uses     *Uses // nil where nobody authenticates
}

// Credentials are what a client sent to authenticate: its id and secret in every
// reading to be tried, in order (contract section 6: raw first, then decoded).
type Credentials []Credential

// Credential is one reading of a client's id and secret.
type Credential struct {
	ID     ident.ClientID
	Secret string
}

func invalidClient() error {
	return fault.Unauthenticated("the client id or the client secret is wrong, or the application can't be used any more")
}

// AuthenticatedClient is an application that has shown a live secret.
type AuthenticatedClient struct {
	Identity
	secret ident.EntryID
	epoch  int64
	head   audit.Head
}

// AuthenticateClient finds the application whose live secret was sent. Unknown
// client, wrong secret, disabled application and closed account fail alike, after
// the same work; the failure is remembered as one of act. The caller names where the
// request came from; its identity is
// filled in here.
func (s *Service) AuthenticateClient(ctx context.Context, from access.Caller, act audit.Action, creds Credentials) (AuthenticatedClient, error) {
	for _, cred := range creds {
		client, err := s.client(ctx, cred.ID)
		if err != nil {
			return AuthenticatedClient{}, err
		}
		now := s.now()
		if secret, ok := client.check(cred.Secret, now); ok {
			s.Uses.note(secret, now)
			return AuthenticatedClient{Identity: client.Identity, secret: secret, epoch: client.Epoch, head: client.Head}, nil
		}
	}
	s.noteRefusal(ctx, from, act, creds)
	return AuthenticatedClient{}, invalidClient()
}

// client reads an application; for an unknown one it returns one whose only secret
// nobody knows, so that both cost the same.
func (s *Service) client(ctx context.Context, id ident.ClientID) (Client, error) {
	if !ident.Possible(string(id)) {
		id = "-" // still costs its read
	}
	client, err := s.Store.Client(ctx, id)
	if fault.KindOf(err) == fault.KindNotFound {
		return Client{Secrets: make([]Secret, 1)}, nil
	}
	return client, err
}

// check compares against every secret, whatever matched, in constant time.
func (c Client) check(secret string, now time.Time) (ident.EntryID, bool) {
	hash := HashOf(secret)
	var id ident.EntryID
	matched := 0
	for _, have := range c.Secrets {
		same := subtle.ConstantTimeCompare(hash[:], have.Hash[:])
		if same == 1 && have.live(now) {
			id, matched = have.ID, 1
		}
	}
	return id, matched == 1 && c.usable()
}

// noteRefusal remembers a failed authentication under the account of the client
// that was named, if there is one, so that its administrators see it.
func (s *Service) noteRefusal(ctx context.Context, from access.Caller, act audit.Action, creds Credentials) {
	var account ident.AccountID
	if len(creds) > 0 {
		if client, err := s.client(ctx, creds[0].ID); err == nil {
			account = client.Account
		}
	}
	e := audit.New(from, account, act, "", audit.Refused, s.Now()).With("client authentication failed")
	e.Actor = audit.Clean(creds.claimed(), audit.MaxTarget)
	s.Journal.Note(e)
}

// claimed is the client id as it was sent, unless that is a secret or token of ours in
// the wrong place, in any reading: it must not reach the record in clear.
func (c Credentials) claimed() string {
	for _, reading := range c {
		if id := string(reading.ID); ident.HideSecret(id) != id {
			return ident.HideSecret(id)
		}
	}
	if len(c) == 0 {
		return ""
	}
	return string(c[0].ID)
}

// Issued is a new token in clear, told to nobody but the client.
type Issued struct {
	AccessToken string
	ExpiresIn   time.Duration
}

// Issue makes a token for an authenticated client. It is on disk when Issue returns.
func (s *Service) Issue(ctx context.Context, from access.Caller, c AuthenticatedClient) (Issued, error) {
	clear, err := NewToken(s.Rand)
	if err != nil {
		return Issued{}, err
	}
	now := s.Now().UTC().Truncate(time.Microsecond)
	t := Token{
		Hash: HashOf(clear), Client: c.ID, Account: c.Account, Secret: c.secret, Epoch: c.epoch,
		IssueTime: now, ExpireTime: now.Add(s.Lifetime),
	}
	e := audit.New(c.caller(from), c.Account, audit.TokenIssue, "", audit.Done, now)
	if err := s.Store.AddToken(ctx, t, e, c.head); err != nil {
		return Issued{}, err
	}
	return Issued{AccessToken: clear, ExpiresIn: s.Lifetime}, nil
}

// Revoke ends a token of this client at once (RFC 7009). Unknown tokens and those
// of other clients are left alone without telling.
func (s *Service) Revoke(ctx context.Context, from access.Caller, c AuthenticatedClient, token string) error {
	e := audit.New(c.caller(from), c.Account, audit.TokenRevoke, "", audit.Done, s.Now())
	if !WellFormed(token) {
		return nil
	}
	_, err := s.Store.RevokeToken(ctx, HashOf(token), c.ID, e)
	return err
}

func invalidToken() error {
	return fault.Unauthenticated("the access token is unknown, expired or revoked: ask for a new one")
}

// Authenticate returns the caller a token stands for; Unauthenticated if the token
// does not count now, whatever the reason. What is known of it is read from grants,
// for this very request.
func (s *Service) Authenticate(ctx context.Context, from access.Caller, token string, grants Grants) (access.Caller, error) {
	g, err := grantOf(ctx, token, grants)
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return from, err
	}
	if err != nil || !g.live(s.Now()) {
		e := audit.New(from, g.Account, audit.Authenticate, "", audit.Refused, s.Now())
		e.Actor = string(g.ID)
		s.Journal.Note(e.With("the access token does not count"))
		return from, invalidToken()
	}
	return g.caller(from), nil
}

func grantOf(ctx context.Context, token string, grants Grants) (Grant, error) {
	if !WellFormed(token) {
		return Grant{}, fault.NotFound("no such token")
	}
	return grants.Grant(ctx, HashOf(token))
}

// Caller returns from as the authenticated application.
func (c AuthenticatedClient) Caller(from access.Caller) access.Caller {
	return c.caller(from)
}
