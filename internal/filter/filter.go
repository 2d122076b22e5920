// Package filter owns the list filter of the Users API (contract section 4): a closed set of predicates and the text
// they are written in.
//
// It leaves to the store how a predicate is asked of a database, and to page how it travels in a page token. What
// must always hold: a filter that was accepted and is written out again reads back as the same filter.
package filter

import (
	"fmt"
	"strings"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// Filter is one predicate over a user's state. Its values are sealed into page tokens: they never change meaning.
type Filter uint8

const (
	// Any keeps every user the API shows, whatever the state. It is the zero value.
	Any Filter = 0
	// Active keeps users whose state is ACTIVE.
	Active Filter = 1
	// Suspended keeps users whose state is SUSPENDED.
	Suspended Filter = 2
)

const (
	activeText    = "user.isActive()"
	suspendedText = "user.isSuspended()"
)

// Parse reads the filter parameter: nothing or white space is Any; white space around a predicate is ignored, inside
// it is refused; case counts. The error is a fault of kind Invalid that names the parameter and what it allows, and
// does not repeat what was sent.
func Parse(s string) (Filter, error) {
	switch strings.TrimSpace(s) {
	case "":
		return Any, nil
	case activeText:
		return Active, nil
	case suspendedText:
		return Suspended, nil
	}
	return Any, fault.Invalid("filter must be %s or %s, or be left out for users in both states", activeText, suspendedText)
}

// Valid says whether f is one of the closed set.
func (f Filter) Valid() bool { return f <= Suspended }

// String is the text Parse reads as f; Any is the empty text.
func (f Filter) String() string {
	switch f {
	case Any:
		return ""
	case Active:
		return activeText
	case Suspended:
		return suspendedText
	}
	return fmt.Sprintf("filter.Filter(%d)", uint8(f))
}
