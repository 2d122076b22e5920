package oauth

import (
	"crypto/sha256"
	"fmt"
	"io"

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
	clear, err := ident.NewSecret(SecretPrefix, rand)
	return GivenSecret(clear), err
}

// NewToken makes an opaque access token of 256 bits read from rand.
func NewToken(rand io.Reader) (string, error) { return ident.NewSecret(TokenPrefix, rand) }

// WellFormed tells whether a text can be a token of ours: one that can't is not looked up.
func WellFormed(token string) bool { return ident.WellFormedSecret(TokenPrefix, token) }
