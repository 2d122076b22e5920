// Package audit owns the record of what happened: who did what, to what, with
// what outcome, when and from where.
//
// Two kinds of entry share one shape. A change entry tells of a changed state
// (a suspension, a new application): it is committed together with the change,
// it advances the account's chain and is kept for ever. Every other entry (a token
// issued, a refusal, a limit hit) hangs under the change before it: it carries
// that entry's hash but does not advance the chain, and may be purged when old.
//
//	account head:  seq 1 <--- seq 2 <--- seq 3        change entries
//	                 ^          ^
//	                 token      refused, limited      entries under them
//
// What must always hold: entries are only ever added; a change entry's Prev is
// the Hash of the change entry one Seq before it; the account's head is its last.
// Storing is the business of store; who may read it, of the callers.
package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Action is what was attempted.
type Action string

// The actions that are audited.
const (
	TokenIssue         Action = "token.issue"
	TokenRevoke        Action = "token.revoke"
	UserList           Action = "users.list"
	UserGet            Action = "users.get"
	UserSuspend        Action = "users.suspend"
	UserReactivate     Action = "users.reactivate"
	UserAdd            Action = "users.add"
	UserImport         Action = "users.import"
	GroupAdd           Action = "groups.add"
	GroupRemove        Action = "groups.remove"
	AccountCreate      Action = "accounts.create"
	AccountClose       Action = "accounts.close"
	AccountReopen      Action = "accounts.reopen"
	ApplicationCreate  Action = "applications.create"
	ApplicationRotate  Action = "applications.rotate"
	ApplicationDisable Action = "applications.disable"
	ApplicationEnable  Action = "applications.enable"
	ApplicationDelete  Action = "applications.delete"
	ApplicationUpdate  Action = "applications.update"
	ApplicationList    Action = "applications.list"
	ApplicationGet     Action = "applications.get"
	ApplicationRevoke  Action = "applications.revoke_tokens"
	Authenticate       Action = "authenticate"
	UserUpdate         Action = "users.update"
	UserRemove         Action = "users.remove"
	UserInvite         Action = "users.invite"  // a link to confirm with was made
	UserConfirm        Action = "users.confirm" // PENDING became ACTIVE
	UserReset          Action = "users.reset"   // all ways to sign in were taken away
	UserSetup          Action = "users.setup"   // a link for an owner who has no way in yet
	AccountGet         Action = "accounts.get"
	AccountUpdate      Action = "accounts.update"
	SignIn             Action = "sign_in"
	SignOut            Action = "sign_out"
	SessionList        Action = "sessions.list"
	SessionEnd         Action = "sessions.end"
	PasswordSet        Action = "passwords.set"
	PasskeyAdd         Action = "passkeys.add"
	PasskeyRemove      Action = "passkeys.remove"
	SSOGet             Action = "sso.get"
	SSOSet             Action = "sso.set"
	SSORemove          Action = "sso.remove"
	RecordRead         Action = "audit.read"
	UsageRead          Action = "usage.read"
)

// Outcome is how it ended.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"      // it happened
	Unchanged Outcome = "unchanged" // it was so already: nothing changed, nothing refused
	Refused   Outcome = "refused"   // a rule, or failed authentication, said no
	Denied    Outcome = "denied"    // the caller may not
	Limited   Outcome = "limited"   // a rate limit said not now
)

// Hash is a SHA-256 over an entry's content and its predecessor's hash.
type Hash [sha256.Size]byte

// String returns the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Lengths, in bytes, to which client-supplied text is cut before it is stored.
const (
	MaxUserAgent = 256
	MaxTarget    = 128
	MaxDetail    = 2048
	MaxChange    = 40 << 10 // of a detail that tells what was before and what is after
)

// Entry is one line of the record.
type Entry struct {
	ID      ident.EntryID
	Account ident.AccountID // empty where no account is known, as for an unknown client
	At      time.Time       // UTC, microseconds

	ActorKind access.Kind
	Actor     string // client id, operator's login name; for failed authentication what was claimed
	Action    Action
	Target    string // user id, client id, group; empty for lists and tokens
	Outcome   Outcome
	Detail    string // why, or what exactly, in words; never a secret

	Address   netip.Addr // zero for local administration
	UserAgent string
	RequestID ident.RequestID

	// Count is how often it happened; more than 1 only where a flood of equal
	// entries was folded into one (see Journal).
	Count int64

	// Seq is the position in the account's chain: a change entry's own, or that of
	// the change entry the entry hangs under (0 = before the first).
	Seq  int64
	Prev Hash
	Hash Hash
}

// New returns an entry that says caller attempted action on target in account,
// with text from outside made storable. ID and chain are set when it is appended.
func New(c access.Caller, account ident.AccountID, a Action, target string, o Outcome, at time.Time) Entry {
	return Entry{
		Account: account, At: at.UTC().Truncate(time.Microsecond),
		ActorKind: c.Kind, Actor: Clean(c.ID(), MaxTarget), Action: a,
		Target: Clean(ident.HideSecret(target), MaxTarget), Outcome: o,
		Address: c.Address, UserAgent: Clean(c.UserAgent, MaxUserAgent),
		RequestID: c.RequestID, Count: 1,
	}
}

// With returns the entry with detail added.
func (e Entry) With(detail string) Entry {
	e.Detail = Clean(detail, MaxDetail)
	return e
}

// WithChange returns the entry with what was before and what is after as its detail:
// longer than any other, for a change that is cut short would be hidden in part.
func (e Entry) WithChange(detail string) Entry {
	e.Detail = Clean(detail, MaxChange)
	return e
}

// Clean cuts s to at most max bytes of valid UTF-8, so that every database takes
// it (PostgreSQL refuses NUL and broken UTF-8) and no client decides how much is stored.
func Clean(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	if isPlain(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] == 0 || s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// IsChange tells whether the entry advances the account's chain. Coming and going, of
// applications and of people, is no change.
func (e Entry) IsChange() bool {
	if e.Outcome != Done || e.Account == "" {
		return false
	}
	switch e.Action {
	case TokenIssue, TokenRevoke, SignIn, SignOut:
		return false
	}
	return true
}

// Head is the end of an account's chain.
type Head struct {
	Seq  int64
	Hash Hash
}

// Link sets the entry's place in the chain that ends at head and returns the new end.
func (h Head) Link(e *Entry) Head {
	e.Prev, e.Seq = h.Hash, h.Seq
	if !e.IsChange() {
		e.Hash = e.Digest()
		return h
	}
	e.Seq++
	e.Hash = e.Digest()
	return Head{Seq: e.Seq, Hash: e.Hash}
}

// Digest computes the entry's hash: SHA-256 over a version, the previous hash and
// every field, each with its length before it, so that no two entries encode alike.
func (e *Entry) Digest() Hash {
	b := make([]byte, 0, 512)
	b = appendText(b, "rollcall audit 1")
	b = append(b, e.Prev[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(e.Count))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMicro()))
	for _, s := range []string{
		string(e.ID), string(e.Account), string(e.ActorKind), e.Actor, string(e.Action), e.Target,
		string(e.Outcome), e.Detail, AddressText(e.Address), e.UserAgent, string(e.RequestID),
	} {
		b = appendText(b, s)
	}
	return sha256.Sum256(b)
}

func appendText(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

// AddressText returns the address as it is stored and shown; empty if there is none.
func AddressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
