// Package signin owns who a person is at the console: how they prove it (password,
// passkey, single sign-on, one-time link), and the sessions that follow.
//
//	link (invitation, setup, reset) --sets--> password ---+
//	                                          passkey  ---+--> session --> Signed, for every request
//	issuer of the account --confirms--> verified address -+
//
// It leaves who a person is and stands where to directory, what they may do to access,
// the protocols of WebAuthn and OpenID Connect to the edges that speak them (see
// PasskeyProtocol and SSOProtocol), cookies and pages to the console, and how things are
// kept to its Store. What must always hold: whether a session counts is decided in one
// place, Known.live, from facts read for this very request; session and link tokens are
// known by their hashes alone, passwords by argon2id; every failure to sign in is alike
// in text and in time; a link works once; whatever ends a person's access ends their
// sessions in the same commit.
package signin

import (
	"crypto/cipher"
	"io"
	"net/netip"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// Method is how a session was begun.
type Method string

// The methods.
const (
	ByPassword Method = "password"
	ByPasskey  Method = "passkey"
	BySSO      Method = "sso"
	ByLink     Method = "link"
)

// How long things live.
const (
	SessionIdle     = time.Hour          // without a request
	SessionLife     = 12 * time.Hour     // in all
	InvitationLife  = 7 * 24 * time.Hour // of an invitation's link
	SetupLife       = 24 * time.Hour     // of a first owner's link
	ResetLife       = time.Hour          // of a reset's link
	CeremonyLife    = 5 * time.Minute    // of one try with a passkey or an issuer
	seenEvery       = time.Minute        // how often a session's last use is written
	maxSkew         = 5 * time.Minute    // how far the clocks of replicas may be apart
	MaxSessions     = 20                 // of a person; the oldest make room
	MaxPasskeys     = 20                 // of a person
	MaxPasskeyName  = 100                // characters
	hashingDeadline = 5 * time.Second    // how long to wait for a turn to hash a password
)

// Session is one sign-in that lasts.
type Session struct {
	ID           ident.EntryID
	Account      ident.AccountID
	User         ident.UserID
	Method       Method
	CreateTime   time.Time
	LastSeenTime time.Time  // to the minute
	ExpireTime   time.Time  // at the latest; see SessionIdle
	Address      netip.Addr // where it was begun
	UserAgent    string
}

// Signed is what every request of the console knows of who makes it, read at once for
// this request: nothing of it is cached.
type Signed struct {
	Caller  access.Caller  // of kind Person, with the permissions of their groups
	User    directory.User // with groups
	Account directory.Account
	Session Session
}

// NewSession is a session that has just begun. Token is the cookie's value: it is told to
// nobody but the browser, and never stored.
type NewSession struct {
	Token string
	Session
}

// Purpose is what a one-time link is for.
type Purpose string

// The purposes.
const (
	Invitation Purpose = "invitation" // a PENDING person confirms and chooses a password
	Setup      Purpose = "setup"      // the first owner, or one without a way in, chooses a password
	Recovery   Purpose = "reset"      // somebody whose ways to sign in were taken away begins anew
)

// Link is a one-time link to be handed to a person. Token goes into its URL.
type Link struct {
	Token      string
	Purpose    Purpose
	ExpireTime time.Time
}

// LinkInfo is what a link is for, as shown before it is used.
type LinkInfo struct {
	Purpose    Purpose
	ExpireTime time.Time
	Account    directory.Account
	User       directory.User // with groups
}

// Passkey is one passkey of a person, as it is listed.
type Passkey struct {
	ID           ident.EntryID
	Name         string // chosen by the person
	CreateTime   time.Time
	LastUsedTime time.Time // zero = never
}

// Entrance is what a page to sign in at has to ask for.
type Entrance struct {
	// Account is the only open account there is, or empty: then the person names theirs.
	Account ident.AccountID
	Name    string // of that account
	SSO     bool   // whether that account has single sign-on
}

// Service is the use cases. PasskeyProtocol, SSOProtocol and Sealer may be nil.
type Service struct {
	Store   Store
	Journal *audit.Journal
	Limiter throttle.Limiter
	Now     func() time.Time
	Rand    io.Reader // of cryptographic quality
	Hasher  *Hasher

	PasskeyProtocol PasskeyProtocol // nil = no passkeys
	SSOProtocol     SSOProtocol     // nil = no single sign-on
	// Sealer returns the cipher that seals an issuer's client secrets with a key from outside
	// the database; nil = no secret can be kept.
	Sealer func() (cipher.AEAD, error)
}
