// Package ident owns the names of things: identifiers and how they are made, e-mail addresses as identities, the
// resource path of a user, and the reading of a request path into segments and a ":verb".
//
// It leaves to others what a name stands for: whether an account or user exists is directory's question, whether a
// caller may see it is access's. Randomness and time come in as arguments.
//
// What must always hold: a generated identifier never needs escaping in a path, and an identifier that came from a
// client is opaque. It is compared, never interpreted, and an odd one is simply not found.
package ident

import (
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/rollcall-id/rollcall/internal/fault"
)

type (
	// AccountID names an account: 26 characters of upper-case base32 when made here (contract section 8).
	AccountID string
	// UserID names a person within an account: the same form as AccountID.
	UserID string
	// ClientID names an OAuth application: a lower-case version 4 UUID when made here (contract section 7).
	ClientID string
	// RequestID names one request, in its answer's X-Request-Id, in the log and in the audit trail.
	RequestID string
	// EntryID names one audit entry. Entry ids sort, byte by byte, by the millisecond they were made in.
	EntryID string
)

const (
	// MaxGiven is the longest identifier, in bytes, that may be given to us in place of a generated one.
	MaxGiven = 64
	// MaxRequestID is the longest request id, in bytes, that is kept when a client sends one (contract section 2).
	MaxRequestID = 128

	idBytes = 16
)

var (
	plain = base32.StdEncoding.WithPadding(base32.NoPadding)
	// The base32hex alphabet is in ASCII order (RFC 4648 section 7), so text sorts as the bytes did.
	sorted = base32.HexEncoding.WithPadding(base32.NoPadding)
)

// NewAccountID makes an account id of 16 bytes read from rand; it fails only when rand does.
func NewAccountID(rand io.Reader) (AccountID, error) {
	s, err := random32(rand)
	return AccountID(s), err
}

// NewUserID makes a user id of 16 bytes read from rand; it fails only when rand does.
func NewUserID(rand io.Reader) (UserID, error) {
	s, err := random32(rand)
	return UserID(s), err
}

// NewRequestID makes a request id of 16 bytes read from rand; it fails only when rand does.
func NewRequestID(rand io.Reader) (RequestID, error) {
	s, err := random32(rand)
	return RequestID(s), err
}

// NewClientID makes a version 4 UUID (RFC 9562 section 5.4), lower-case, of 16 bytes read from rand.
func NewClientID(rand io.Reader) (ClientID, error) {
	b, err := randomBytes(rand)
	if err != nil {
		return "", err
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:], b[0:4])
	hex.Encode(text[9:], b[4:6])
	hex.Encode(text[14:], b[6:8])
	hex.Encode(text[19:], b[8:10])
	hex.Encode(text[24:], b[10:16])
	for _, at := range [...]int{8, 13, 18, 23} {
		text[at] = '-'
	}
	return ClientID(text[:]), nil
}

// NewEntryID makes an entry id of now in Unix milliseconds (48 bits) and 80 bits read from rand: 26 characters of
// upper-case base32hex. Ids of the same millisecond sort at random. It fails when rand does and when now is before
// 1970 or does not fit 48 bits (during the year 10889).
func NewEntryID(now time.Time, rand io.Reader) (EntryID, error) {
	ms := now.UnixMilli()
	if ms < 0 || ms >= 1<<48 {
		return "", fmt.Errorf("ident: entry id: the time %v is outside 1970 to 10889; check the clock", now)
	}
	b, err := randomBytes(rand)
	if err != nil {
		return "", err
	}
	low := binary.BigEndian.Uint16(b[6:8])
	binary.BigEndian.PutUint64(b[0:8], uint64(ms)<<16|uint64(low))
	return EntryID(sorted.EncodeToString(b[:])), nil
}

// ParseRequestID accepts a client's request id: 1 to 128 printable ASCII characters, 0x20 to 0x7E (contract section 2).
func ParseRequestID(s string) (RequestID, bool) {
	if len(s) == 0 || len(s) > MaxRequestID {
		return "", false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return "", false
		}
	}
	return RequestID(s), true
}

// ValidateGiven checks an identifier that was given instead of generated, in a seed or import file: 1 to 64 visible
// ASCII characters without / : % ? # and not "." or "..", so that it is one path segment as it stands. The error is
// a fault of kind Invalid that names kind, such as "account id".
func ValidateGiven(kind, s string) error {
	if Possible(s) {
		return nil
	}
	return fault.Invalid(`%s must be 1 to %d visible ASCII characters without spaces and / : %% ? #, and not "." or ".."`,
		kind, MaxGiven)
}

// Possible says whether s can be an identifier of ours at all, generated or given. One that cannot need not be
// looked up: it may hold bytes, such as NUL, that a database refuses with an error instead of finding nothing.
func Possible(s string) bool {
	if len(s) == 0 || len(s) > MaxGiven || s == "." || s == ".." || !visible(s) {
		return false
	}
	for i := range len(s) {
		switch s[i] {
		case '/', ':', '%', '?', '#':
			return false
		}
	}
	return true
}

// visible says whether s is only ASCII characters that leave a mark: no space, no control character.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

func random32(rand io.Reader) (string, error) {
	b, err := randomBytes(rand)
	if err != nil {
		return "", err
	}
	return plain.EncodeToString(b[:]), nil
}

func randomBytes(rand io.Reader) (b [idBytes]byte, err error) {
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return b, fmt.Errorf("ident: read %d random bytes: %w", idBytes, err)
	}
	return b, nil
}
