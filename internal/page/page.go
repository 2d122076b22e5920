// Package page owns page tokens (contract section 4): what a walk over a list remembers between two requests, how
// that is sealed so that only this service can write it, and the keys it is sealed with.
//
//	request parameters --ParseSize, filter.Parse--> Cursor --Keyring.Seal--> next_page_token
//	page_token --Keyring.Open--> Cursor --Resume with the parameters present--> Cursor
//
// It leaves to the store how keys are kept and purged, and to directory what a page holds. A token says where a walk
// stands and never what a caller may see: it is no authorisation.
//
// What must always hold: a token opens only for the account and the list it was sealed for, unaltered in every bit, and for no
// longer than Lifetime; every refusal reads the same to the client.
package page

import (
	"strconv"
	"time"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
)

const (
	// DefaultSize is how many entries a page holds when the request does not say.
	DefaultSize int32 = 25
	// MaxSize is the most entries a page holds, whatever the request says.
	MaxSize int32 = 1000
)

// Cursor is where a walk over a list stands and how it goes on.
type Cursor struct {
	Filter filter.Filter
	// Size is how many entries a page holds, 1 to MaxSize.
	Size int32
	// After is the last entry of the page before; the next page begins behind it.
	After Position
}

// Position is a place in the list order: by CreateTime, then by ID.
type Position struct {
	// CreateTime is exact to the microsecond, as it is stored; a token drops finer digits.
	CreateTime time.Time
	// ID is 1 to 128 bytes; in a list of applications it is a client id.
	ID ident.UserID
}

// ParseSize reads max_page_size: empty or 0 is DefaultSize, more than MaxSize is MaxSize. Only decimal digits are
// read, no sign. The error is a fault of kind Invalid.
func ParseSize(s string) (int32, error) {
	if s == "" {
		return DefaultSize, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	// The parser would also take a sign.
	if err != nil || s[0] == '-' || s[0] == '+' {
		return 0, fault.Invalid("max_page_size must be a whole number from 0 to 2147483647; 0 means %d, more than %d means %d",
			DefaultSize, MaxSize, MaxSize)
	}
	if n == 0 {
		return DefaultSize, nil
	}
	return min(int32(n), MaxSize), nil
}

// Resume joins the cursor out of a page token with the parameters sent beside it; nil is a parameter left out, or
// sent empty. What was left out comes from the token and a present size wins. A present filter that differs from the
// token's is a fault of kind Invalid: the walk would mix two lists.
func Resume(c Cursor, present *filter.Filter, size *int32) (Cursor, error) {
	if present != nil && *present != c.Filter {
		return Cursor{}, fault.Invalid("filter is not the one page_token was made with: leave filter out, repeat it as it was, or start the walk again without page_token")
	}
	if size != nil {
		c.Size = *size
	}
	return c, nil
}
