package client

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a client secret or an access token. Whatever prints, logs or marshals
// it gets "[redacted]"; only Reveal tells it. The zero value is no secret.
type Secret struct {
	// A pointer, because fmt calls no methods of values in unexported fields: it
	// prints an address for it then.
	clear *string
}

// NewSecret wraps a secret in clear.
func NewSecret(clear string) Secret { return Secret{clear: &clear} }

// Reveal returns the secret in clear, "" for the zero value.
func (s Secret) Reveal() string {
	if s.clear == nil {
		return ""
	}
	return *s.clear
}

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// Format writes "[redacted]" for every verb, those of numbers too.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]"; encoding/json uses it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText takes the secret in clear, so that configuration files can hold a
// Secret. It refuses what MarshalText wrote.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == redacted {
		return errors.New("client: the secret was redacted when this was written: put the real one in its place")
	}
	*s = NewSecret(string(text))
	return nil
}
