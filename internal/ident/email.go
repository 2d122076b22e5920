package ident

import (
	"net/mail"
	"strings"
	"unicode"

	"github.com/rollcall-id/rollcall/internal/fault"
)

const (
	// MaxEmail is the longest address in bytes: a path of 256 less its angle brackets (RFC 5321 section 4.5.3.1.3).
	MaxEmail = 254
	// maxLocal is the longest part before the @ in bytes (RFC 5321 section 4.5.3.1.1).
	maxLocal = 64
)

// Email is a person's address as it was written. Two spellings that differ only in case are one address: compare and
// index by Key.
type Email string

// ParseEmail accepts a bare address (addr-spec, RFC 5322 section 3.4.1) of at most 254 bytes with one @ and no
// spaces, control or invisible characters. Display names, angle brackets, comments and quoted local parts are
// refused: they give one mailbox several spellings. The error is a fault of kind Invalid.
func ParseEmail(s string) (Email, error) {
	if len(s) > MaxEmail || strings.IndexByte(s, '@') > maxLocal {
		return "", fault.Invalid("email must be at most %d bytes, at most %d of them before the @", MaxEmail, maxLocal)
	}
	if !bareAddress(s) {
		return "", fault.Invalid("email must be one bare address such as name@example.com, without spaces, quotes or a display name")
	}
	return Email(s), nil
}

// Key is the form that is unique within an account (contract section 8): lower-case, by Unicode's simple mapping and
// without regard to locale.
func (e Email) Key() string { return strings.ToLower(string(e)) }

func bareAddress(s string) bool {
	parsed, err := mail.ParseAddress(s)
	// The parser also reads display names, brackets, quotes and comments; then its address is not what was written.
	return err == nil && parsed.Address == s && !strings.ContainsFunc(s, hidden)
}

// hidden is true of spaces, control characters and format characters such as a direction override.
func hidden(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }
