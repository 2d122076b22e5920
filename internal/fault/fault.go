// Package fault owns the kinds of failure a caller can be told about.
//
// A Fault is a failure with public words: what is wrong, and what to do next,
// safe to show to any client. Its cause stays private and belongs in the log
// alone. An error that holds no Fault is a defect: to the outside it is
// Internal and says nothing else. Which status a kind becomes on the wire is
// the business of httpapi, never of the code that fails.
//
// What must always hold: the list of kinds is closed, and no text of a driver,
// a file system or another account ever becomes a Message.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure a Fault is. The list is closed.
type Kind uint8

// The kinds of failure.
const (
	KindInternal        Kind = iota // a defect, or anything without public words
	KindInvalid                     // the request itself is wrong and will stay wrong
	KindUnauthenticated             // we do not know who calls
	KindForbidden                   // we know who calls, and they may not
	KindNotFound                    // there is no such thing, or not for this caller
	KindConflict                    // it collides with something that exists
	KindPrecondition                // the state of things does not allow it now
	KindExhausted                   // a limit is used up; RetryAfter says for how long
	KindUnavailable                 // storage can't answer; trying again may help
)

var kindNames = [...]string{
	"internal", "invalid", "unauthenticated", "forbidden", "not found",
	"conflict", "precondition", "exhausted", "unavailable",
}

// String returns the kind's name, for logs.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Fault is a failure with public words.
type Fault struct {
	Kind Kind
	// Message is shown to the client.
	Message string
	// Reason is a protocol's own word for the failure where it has one, such as
	// "invalid_scope" of RFC 6749 section 5.2; empty otherwise.
	Reason string
	// RetryAfter says how long to wait before another try is useful; 0 = unknown.
	RetryAfter time.Duration
	// Cause is private: it is logged and never shown.
	Cause error
}

// Error returns the public message and the private cause; it is for logs.
func (f *Fault) Error() string {
	if f.Cause == nil {
		return f.Message
	}
	return f.Message + ": " + f.Cause.Error()
}

// Unwrap returns the private cause.
func (f *Fault) Unwrap() error { return f.Cause }

func newf(kind Kind, format string, args []any) *Fault {
	if len(args) == 0 {
		return &Fault{Kind: kind, Message: format}
	}
	return &Fault{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Invalid says that the request is wrong; name the parameter and what is allowed.
func Invalid(format string, args ...any) *Fault { return newf(KindInvalid, format, args) }

// Unauthenticated says that the caller is not known.
func Unauthenticated(format string, args ...any) *Fault {
	return newf(KindUnauthenticated, format, args)
}

// Forbidden says that this caller may not.
func Forbidden(format string, args ...any) *Fault { return newf(KindForbidden, format, args) }

// NotFound says that there is no such thing for this caller.
func NotFound(format string, args ...any) *Fault { return newf(KindNotFound, format, args) }

// Conflict says that it collides with something that exists.
func Conflict(format string, args ...any) *Fault { return newf(KindConflict, format, args) }

// Precondition says that the present state does not allow it.
func Precondition(format string, args ...any) *Fault { return newf(KindPrecondition, format, args) }

// Exhausted says that a limit is used up and when to come back.
func Exhausted(retryAfter time.Duration, format string, args ...any) *Fault {
	f := newf(KindExhausted, format, args)
	f.RetryAfter = retryAfter
	return f
}

// Unavailable says that storage can't answer now; cause stays in the log.
func Unavailable(retryAfter time.Duration, cause error, format string, args ...any) *Fault {
	f := newf(KindUnavailable, format, args)
	f.RetryAfter, f.Cause = retryAfter, cause
	return f
}

// As returns the Fault in err's chain, or nil if it has none.
func As(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return nil
}

// KindOf returns the kind of the Fault in err's chain; without one it is KindInternal.
func KindOf(err error) Kind {
	if f := As(err); f != nil {
		return f.Kind
	}
	return KindInternal
}
