package oauth

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/rollcall-id/rollcall/internal/ident"
)

// Hash is how a secret or token is known: its SHA-256. What is hashed holds 256
// random bits, so there is nothing to guess and a slow password hash would protect
// nothing.
type Hash [sha256.Size]byte

// HashOf returns the hash of a secret or token in clear.
func HashOf(clear string) Hash { return sha256.Sum256([]byte(clear)) }

// The prefixes by which scanners find leaked credentials.
const (
	TokenPrefix  = ident.TokenPrefix
	SecretPrefix = ident.SecretPrefix
)

const (
	randomBytes   = 32                                 // 256 bits
	randomChars   = 52                                 // of base32
	checksumChars = 7                                  // CRC-32 in base32
	clearLength   = 4 + randomChars + checksumChars    // prefix, random part, checksum
	alphabet      = "abcdefghijklmnopqrstuvwxyz234567" // needs no escaping in any header, form or shell
)

var encoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// ClientSecret is a client secret in clear; the zero value is none. It prints and logs as
// a placeholder; Reveal is the only way to its text.
type ClientSecret struct {
	// Behind a pointer: within an unexported field of something that is dumped, no method
	// is asked and all that is seen is an address.
	clear *string
}

// GivenSecret wraps a secret that was chosen by somebody else, as in a seed file.
func GivenSecret(clear string) ClientSecret {
	if clear == "" {
		return ClientSecret{}
	}
	return ClientSecret{&clear}
}

// Reveal returns the secret's text, to be shown once to the person who asked for it.
func (s ClientSecret) Reveal() string {
	if s.clear == nil {
		return ""
	}
	return *s.clear
}

// Hash returns how the secret is stored.
func (s ClientSecret) Hash() Hash { return HashOf(s.Reveal()) }

// String keeps the secret out of messages.
func (ClientSecret) String() string { return "[client secret]" }

// Format keeps the secret out of messages and dumps, whatever the verb.
func (s ClientSecret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText keeps the secret out of logs and encoded structures.
func (s ClientSecret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// NewClientSecret makes a secret of 256 bits read from rand.
func NewClientSecret(rand io.Reader) (ClientSecret, error) {
	clear, err := newClear(SecretPrefix, rand)
	return GivenSecret(clear), err
}

// NewToken makes an opaque access token of 256 bits read from rand.
func NewToken(rand io.Reader) (string, error) { return newClear(TokenPrefix, rand) }

func newClear(prefix string, rand io.Reader) (string, error) {
	var b [randomBytes]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("oauth: read random bytes: %w", err)
	}
	body := prefix + encoding.EncodeToString(b[:])
	return body + checksum(body), nil
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return encoding.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// WellFormed tells whether a text can be a token of ours: one that can't is not looked up.
func WellFormed(token string) bool {
	if len(token) != clearLength || !strings.HasPrefix(token, TokenPrefix) {
		return false
	}
	body := token[:clearLength-checksumChars]
	return checksum(body) == token[len(body):]
}
