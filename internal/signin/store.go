package signin

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Hash is how a session, a link and a ceremony are known: the SHA-256 of 256 random bits.
type Hash [sha256.Size]byte

// HashOf returns the hash of a token in clear.
func HashOf(clear string) Hash { return sha256.Sum256([]byte(clear)) }

// Known is everything that decides whether a session counts, read at once.
type Known struct {
	Session Session
	User    directory.User // with groups
	Account directory.Account
}

// Candidate is what checking a password needs, read at once.
type Candidate struct {
	User     directory.User // with groups
	Account  directory.Account
	Password string // encoded; empty = none
}

// StoredLink is a link as it is stored.
type StoredLink struct {
	Hash       Hash
	Account    ident.AccountID
	User       ident.UserID
	Purpose    Purpose
	CreateTime time.Time
	ExpireTime time.Time
}

// StoredPasskey is a passkey as it is stored.
type StoredPasskey struct {
	Passkey
	Account    ident.AccountID
	User       ident.UserID
	Credential []byte // the id its authenticator gave it; unique
	Data       []byte // public key, counters and flags, in the form of PasskeyProtocol
}

// Ceremony is one try to sign in or to add a passkey, between its two requests.
type Ceremony struct {
	Hash       Hash
	Kind       CeremonyKind
	Account    ident.AccountID // empty where it is not known yet
	User       ident.UserID    // the same
	Data       []byte          // what the protocol has to remember
	ExpireTime time.Time
}

// CeremonyKind tells ceremonies apart: one begun as one kind is never ended as another.
type CeremonyKind string

// The kinds.
const (
	AddingPasskey CeremonyKind = "passkey.add"
	UsingPasskey  CeremonyKind = "passkey.use"
	UsingSSO      CeremonyKind = "sso"
)

// Standing is what a rule may know of a person when it decides, read under the lock under
// which the decision is written.
type Standing struct {
	User     directory.User // with groups
	Account  directory.Account
	Password string          // encoded; empty = none
	Sessions []ident.EntryID // the oldest first
	Passkeys []ident.EntryID // the oldest first
	Subject  string          // by which the account's present issuer knows them; empty = none
	Link     StoredLink      // of ChangeByLink and Link
}

// Forget names what of a person ends.
type Forget struct {
	Password, Passkeys, Subjects, Links bool
	Sessions                            bool
	// Keep is a session that goes on where Sessions end; empty = none.
	Keep ident.EntryID
	// Session is one session that ends; empty = none.
	Session ident.EntryID
	// Passkey is one passkey that ends; empty = none.
	Passkey ident.EntryID
}

// Change is what is to happen to a person's ways in, in the order of its fields and in one
// commit with its entries. A refusal writes only those.
type Change struct {
	Activate bool // PENDING becomes ACTIVE
	Forget   Forget
	Password string // encoded; empty = as it is
	Link     *StoredLink
	Passkey  *StoredPasskey
	Used     *StoredPasskey // its Data and LastUsedTime, by Credential
	Subject  *Subject
	Session  *StoredSession
	Entries  []audit.Entry
	Refusal  error
}

// StoredSession is a session as it is stored.
type StoredSession struct {
	Session
	Hash Hash
}

// Subject is the name by which an issuer knows a person.
type Subject struct {
	Issuer, Subject string
}

// Connection is an account's single sign-on.
type Connection struct {
	Account    ident.AccountID
	Issuer     string // its URL
	ClientID   string
	Secret     []byte // sealed; empty = a public client
	UpdateTime time.Time
}

// Store keeps what a person signs in with, and their sessions. Failures are faults:
// Unavailable where trying again may help. Safe for concurrent use.
type Store interface {
	audit.Store

	// OpenAccounts returns up to limit open accounts.
	OpenAccounts(ctx context.Context, limit int) ([]directory.Account, error)
	// SignInAccount returns an account in any state; NotFound if there is none.
	SignInAccount(ctx context.Context, account ident.AccountID) (directory.Account, error)
	// Session returns what is known of a session; NotFound if it or its person is gone.
	Session(ctx context.Context, hash Hash) (Known, error)
	// SeenSession writes when a session was last used, if that is later.
	SeenSession(ctx context.Context, hash Hash, at time.Time) error
	// Candidate returns somebody by address; NotFound if the account has nobody such.
	Candidate(ctx context.Context, account ident.AccountID, email ident.Email) (Candidate, error)
	// Link returns a link with its person; NotFound if either is gone.
	Link(ctx context.Context, hash Hash) (Standing, error)
	// PersonStanding returns somebody with their Standing; NotFound if there is none.
	PersonStanding(ctx context.Context, account ident.AccountID, user ident.UserID) (Standing, error)
	// Sessions returns a person's sessions, the newest first.
	Sessions(ctx context.Context, account ident.AccountID, user ident.UserID) ([]Session, error)
	// Passkeys returns a person's passkeys by creation.
	Passkeys(ctx context.Context, account ident.AccountID, user ident.UserID) ([]StoredPasskey, error)
	// PasskeyByCredential returns the one with that id; NotFound if there is none.
	PasskeyByCredential(ctx context.Context, credential []byte) (StoredPasskey, error)
	// UserBySubject returns whom an issuer knows by a subject; NotFound if nobody.
	UserBySubject(ctx context.Context, account ident.AccountID, s Subject) (directory.User, error)

	// ChangePerson locks a person, asks decide, and does what was decided. decide may run
	// more than once. NotFound if there is no such person: decide is not asked.
	ChangePerson(ctx context.Context, account ident.AccountID, user ident.UserID, decide func(Standing) Change) error
	// ChangeByLink is ChangePerson for the person of a link, who is then in Standing.Link.
	// NotFound if the link is gone.
	ChangeByLink(ctx context.Context, hash Hash, decide func(Standing) Change) error

	// AddCeremony keeps one. TakeCeremony returns it and forgets it: of several who ask at
	// once, one gets it. NotFound if there is none.
	AddCeremony(ctx context.Context, c Ceremony) error
	TakeCeremony(ctx context.Context, hash Hash) (Ceremony, error)

	// Connection returns an account's single sign-on; NotFound if it has none.
	Connection(ctx context.Context, account ident.AccountID) (Connection, error)
	// SetConnection replaces it, and RemoveConnection removes it, with the subjects of another
	// issuer; the entry is written with it.
	SetConnection(ctx context.Context, c Connection, e audit.Entry) error
	RemoveConnection(ctx context.Context, account ident.AccountID, e audit.Entry) (found bool, err error)
}
