package ident

import (
	"encoding/base32"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// The prefixes by which scanners, and we ourselves, find leaked credentials.
const (
	TokenPrefix   = "rct_" // an access token
	SecretPrefix  = "rcs_" // a client secret
	SessionPrefix = "rcw_" // a session of the console
	LinkPrefix    = "rcl_" // a one-time link
)

const (
	secretBytes   = 32 // 256 bits
	checksumChars = 7  // CRC-32 in base32
	// SecretLength is that of every secret made here: prefix, 52 characters, checksum.
	SecretLength = 4 + 52 + checksumChars
	// The alphabet needs no escaping in any header, form, URL or shell.
	secretAlphabet = "abcdefghijklmnopqrstuvwxyz234567"
)

var secretEncoding = base32.NewEncoding(secretAlphabet).WithPadding(base32.NoPadding)

// NewSecret makes a secret of 256 bits read from rand, between its prefix and a checksum.
func NewSecret(prefix string, rand io.Reader) (string, error) {
	var b [secretBytes]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("ident: read random bytes: %w", err)
	}
	body := prefix + secretEncoding.EncodeToString(b[:])
	return body + checksum(body), nil
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return secretEncoding.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// WellFormedSecret tells whether a text can be a secret made with this prefix: one that
// can't need not be looked up.
func WellFormedSecret(prefix, s string) bool {
	if len(s) != SecretLength || !strings.HasPrefix(s, prefix) {
		return false
	}
	body := s[:SecretLength-checksumChars]
	return checksum(body) == s[len(body):]
}

// HideSecret returns text that came from outside, unless it holds a credential of ours in
// the wrong place, as an id or a name: that must reach no log and no record in clear.
func HideSecret(s string) string {
	for _, prefix := range [...]string{TokenPrefix, SecretPrefix, SessionPrefix, LinkPrefix} {
		if strings.Contains(s, prefix) {
			return "[a secret in the wrong place]"
		}
	}
	return s
}
