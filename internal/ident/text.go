package ident

import (
	"unicode"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// ValidateText checks a name or description that a person chose: valid UTF-8 without control characters, at most
// most characters, and not empty unless mayBeEmpty. The error is a fault of kind Invalid that names what.
func ValidateText(what, s string, most int, mayBeEmpty bool) error {
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s):
		return fault.Invalid("%s is not valid UTF-8", what)
	case n == 0 && !mayBeEmpty:
		return fault.Invalid("%s is missing", what)
	case n > most:
		return fault.Invalid("%s is %d characters long: at most %d are allowed", what, n, most)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return fault.Invalid("%s holds a control character (U+%04X)", what, r)
		}
	}
	return nil
}
