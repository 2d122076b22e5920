package client

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/api"
)

// reasons are the messages that the contract fixes (section 5).
var reasons = map[string]error{
	api.MessagePermissionDenied:             ErrPermissionDenied,
	api.MessageNoOwnerRemain:                ErrLastOwner,
	api.MessageExternallyManagedUser:        ErrExternallyManaged,
	api.MessageAutomatedProvisioningEnabled: ErrAutomatedProvisioning,
}

// refusal reads an answer that is no success. It takes what it finds: a body that
// isn't JSON leaves the status, a field of another type is as if it were absent.
func refusal(a answer, now time.Time) *Error {
	e := &Error{Status: a.status, RequestID: a.header.Get("X-Request-Id")}
	var body map[string]json.RawMessage
	if json.Unmarshal(a.body, &body) == nil {
		e.read(body)
	}
	if e.Message == "" {
		e.Message = substitute(a)
	}
	e.reason = e.classify()
	if e.RetryAfter = retryAfter(a.header, now); e.RetryAfter > 0 {
		e.Reset = now.Add(e.RetryAfter)
	}
	return e
}

func (e *Error) read(body map[string]json.RawMessage) {
	take := func(field string, into any) { _ = json.Unmarshal(body[field], into) } // absent or odd: left alone
	take("code", &e.Code)
	take("message", &e.Message)
	take("error", &e.OAuthCode)
	if e.OAuthCode != "" {
		take("error_description", &e.Message)
	}
}

// substitute finds words for an answer that brought none.
func substitute(a answer) string {
	switch mediaType, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")); {
	case isRedirect(a.status):
		return "to " + redirectTarget(a.header) + ", which is not followed: check the base URL"
	case mediaType == "text/plain" && len(a.body) > 0:
		return strings.TrimSpace(string(a.body[:min(len(a.body), 4*maxShown)]))
	}
	return http.StatusText(a.status)
}

func isRedirect(status int) bool { return status >= 300 && status < 400 }

// redirectTarget names the host only: the rest may hold what is nobody's business.
func redirectTarget(h http.Header) string {
	u, err := url.Parse(h.Get("Location"))
	if err != nil || u.Host == "" {
		return "another path"
	}
	return "host " + u.Host
}

// classify finds the Err... value of an answer, by its message where the contract
// fixes it, else by its status.
func (e *Error) classify() error {
	if reason := reasons[e.Message]; reason != nil && e.Status == http.StatusForbidden {
		return reason
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return ErrInvalidArgument
	case http.StatusUnauthorized:
		return e.unauthenticated()
	case http.StatusForbidden:
		return ErrPermissionDenied
	case http.StatusNotFound:
		return e.notFound()
	case http.StatusMethodNotAllowed:
		return ErrUnknownRoute
	case http.StatusTooManyRequests:
		return ErrRateLimited
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return ErrUnavailable
	}
	switch {
	case isRedirect(e.Status):
		return ErrRedirect
	case e.Status >= 500:
		return ErrInternal
	}
	return ErrUnexpected
}

func (e *Error) unauthenticated() error {
	if e.OAuthCode != "" {
		return ErrBadCredentials
	}
	return ErrUnauthenticated
}

// notFound tells an absent person from an absent route. Whoever repeats a leaver's
// suspension until it says "not found" must not be satisfied by a wrong base URL.
func (e *Error) notFound() error {
	if e.Code == api.CodeNotFound && e.Message != api.MessageRouteNotFound {
		return ErrNotFound
	}
	return ErrUnknownRoute
}

// retryAfter reads how long to wait (RFC 9110 section 10.2.3). A date is taken
// against the server's own clock where it tells it, for ours may be wrong.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return time.Duration(max(0, seconds)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return max(0, at.Sub(now))
}
