package client

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rollcall-id/rollcall/api"
)

// What an error of this package is, for [errors.Is]. The server's own words are in
// [Error].
var (
	// ErrInvalidArgument: the request is wrong; the message names the parameter.
	ErrInvalidArgument = errors.New("invalid argument")
	// ErrUnauthenticated: the token was refused, and a new one too.
	ErrUnauthenticated = errors.New("unauthenticated")
	// ErrBadCredentials: the client id or secret is wrong, or the application is
	// disabled or deleted. It is an ErrUnauthenticated.
	ErrBadCredentials = fmt.Errorf("%w: bad client credentials", ErrUnauthenticated)
	// ErrPermissionDenied: the application lacks the operation's permission, belongs
	// to another account, or would manage an application that may do more than it.
	ErrPermissionDenied = errors.New("permission denied")
	// ErrLastOwner: the last active owner of an account can't be suspended.
	ErrLastOwner = errors.New("last owner")
	// ErrExternallyManaged: externally managed administrators can't be suspended.
	ErrExternallyManaged = errors.New("externally managed user")
	// ErrAutomatedProvisioning: the account leaves suspensions to its directory.
	ErrAutomatedProvisioning = errors.New("automated provisioning enabled")
	// ErrNotFound: the account has no such person, or they are still invited; or
	// it has no such application.
	ErrNotFound = errors.New("not found")
	// ErrUnknownRoute: nothing is served under this path. The base URL or the
	// version is wrong; it says nothing of a person.
	ErrUnknownRoute = errors.New("unknown route")
	// ErrRateLimited: the limit is used up; Error.RetryAfter and Error.Reset say
	// for how long.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: 502, 503 and 504, when all attempts met them.
	ErrUnavailable = errors.New("unavailable")
	// ErrInternal: a defect of the server; report the request id.
	ErrInternal = errors.New("internal server error")
	// ErrRedirect: the server redirects, which is never followed.
	ErrRedirect = errors.New("redirect refused")
	// ErrUnexpected: what answered doesn't speak this API.
	ErrUnexpected = errors.New("unexpected answer")
	// ErrConnection: no whole answer came, in any attempt. An action may have been
	// done all the same; it is safe to repeat, unless it is an ErrOutcomeUnknown too.
	ErrConnection = errors.New("no answer")
	// ErrOutcomeUnknown: creating an application or rotating its secret may have
	// been done, and a secret with it that nobody knows. It is not repeated, for it
	// would be done twice.
	ErrOutcomeUnknown = errors.New("it is not known whether it was done")
	// ErrPageTokenLoop: the server handed out a page token a second time, so that
	// the walk would never end.
	ErrPageTokenLoop = errors.New("page tokens go round in a loop")
	// ErrClosed: the client has been closed.
	ErrClosed = errors.New("client is closed")
)

// Error is an answer of the server that is no success. Find it with [errors.As].
type Error struct {
	// Status is the HTTP status.
	Status int
	// Code is the google.rpc.Code of the body, 0 where it had none.
	Code api.Code
	// OAuthCode is the error code of an OAuth endpoint, "" elsewhere.
	OAuthCode api.OAuthErrorCode
	// Message is the server's message, or the status in words. It is as it came:
	// mind control characters before you show it. Error() does.
	Message string
	// RequestID names the request in the server's logs; "" where none came.
	RequestID string
	// RetryAfter is how long the server asked to wait, 0 where it did not.
	RetryAfter time.Duration
	// Reset is when that wait is over, by Config.Now; zero where RetryAfter is 0.
	Reset time.Time

	reason error
}

// Error tells status, message, what to do about it where that is known, and the
// request id, in one line of printable characters.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: HTTP %d", e.reason, e.Status)
	if e.OAuthCode != "" {
		fmt.Fprintf(&b, " %s", printable(string(e.OAuthCode)))
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", printable(e.Message))
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %s)", e.RetryAfter)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request id %s)", printable(e.RequestID))
	}
	return b.String()
}

// Unwrap returns the Err... value that the answer stands for.
func (e *Error) Unwrap() error { return e.reason }

// maxShown bounds what Error() repeats of the server's words, in characters.
const maxShown = 300

// printable cuts s and puts a space for what could disturb a terminal or a log.
func printable(s string) string {
	shown := make([]rune, 0, min(len(s), maxShown))
	for _, r := range s {
		if len(shown) == maxShown {
			return string(shown) + "..."
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		shown = append(shown, r)
	}
	return string(shown)
}
