package ident

import "strings"

// The prefixes by which scanners, and we ourselves, find leaked credentials.
const (
	TokenPrefix  = "rct_"
	SecretPrefix = "rcs_"
)

// HideSecret returns text that came from outside, unless it holds a token or client
// secret of ours in the wrong place, as an id or a name: that must reach no log and no
// record in clear.
func HideSecret(s string) string {
	if strings.Contains(s, TokenPrefix) || strings.Contains(s, SecretPrefix) {
		return "[a secret in the wrong place]"
	}
	return s
}
