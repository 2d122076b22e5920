package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/fault"
)

// problem is what a kind of failure is on the wire.
type problem struct {
	status int
	code   api.Code           // on resource routes
	oauth  api.OAuthErrorCode // on OAuth routes
}

// The only table from kinds to statuses (contract sections 5 and 6).
var problems = map[fault.Kind]problem{
	fault.KindInvalid:         {http.StatusBadRequest, api.CodeInvalidArgument, api.OAuthInvalidRequest},
	fault.KindUnauthenticated: {http.StatusUnauthorized, api.CodeUnauthenticated, api.OAuthInvalidClient},
	fault.KindForbidden:       {http.StatusForbidden, api.CodePermissionDenied, api.OAuthInvalidRequest},
	fault.KindNotFound:        {http.StatusNotFound, api.CodeNotFound, api.OAuthInvalidRequest},
	fault.KindConflict:        {http.StatusBadRequest, api.CodeInvalidArgument, api.OAuthInvalidRequest},
	fault.KindPrecondition:    {http.StatusBadRequest, api.CodeInvalidArgument, api.OAuthInvalidRequest},
	fault.KindExhausted:       {http.StatusTooManyRequests, api.CodeResourceExhausted, api.OAuthTemporarilyUnavailable},
	fault.KindUnavailable:     {http.StatusServiceUnavailable, api.CodeUnavailable, api.OAuthTemporarilyUnavailable},
	fault.KindInternal:        {http.StatusInternalServerError, api.CodeInternal, api.OAuthServerError},
}

// Reasons that are told apart: all but the last have a status of their own.
const (
	reasonURI     = "uri_too_long"
	reasonHeaders = "headers_too_large"
	reasonBody    = "body_too_large"
	reasonRoute   = "unknown_route"
	reasonMethod  = "method_not_allowed"
	reasonBusy    = "busy"
)

var statuses = map[string]int{
	reasonURI:     http.StatusRequestURITooLong,
	reasonHeaders: http.StatusRequestHeaderFieldsTooLarge,
	reasonBody:    http.StatusRequestEntityTooLarge,
	reasonMethod:  http.StatusMethodNotAllowed,
}

var (
	errUnknownRoute = &fault.Fault{Kind: fault.KindNotFound, Reason: reasonRoute, Message: "Not Found"}
	errWrongMethod  = &fault.Fault{Kind: fault.KindInvalid, Reason: reasonMethod, Message: "Method Not Allowed"}
)

// problemReply turns a failure into an answer. What is not a fault is a defect, of
// which the client learns only the request id.
func problemReply(c *call, err error) reply {
	f := fault.As(err)
	if f == nil {
		f = &fault.Fault{Kind: fault.KindInternal}
	}
	p := problems[f.Kind]
	if status, ok := statuses[f.Reason]; ok {
		p.status = status
	}
	message := f.Message
	switch {
	case f.Kind == fault.KindInternal:
		message = fmt.Sprintf("internal error (request id %s)", c.caller.RequestID)
	case f.Reason == reasonMethod:
		p.code = api.CodeUnimplemented
	}
	r := answer(api.NewStatus(p.code, message))
	if c.op != nil && c.op.Auth == Basic {
		if f.Reason == reasonUnsupportedGrantType || f.Reason == reasonInvalidScope {
			p.oauth = api.OAuthErrorCode(f.Reason)
		}
		r = answer(api.OAuthError{Error: p.oauth, ErrorDescription: message})
	}
	r.status = p.status
	r.retryAfter = retryAfter(f)
	r.challenge = challenge(c, f)
	if f.Reason == reasonMethod {
		r.allow = c.allow
	}
	return r
}

// retryAfter is in whole seconds, at least 1, on every 429 and 503 (RFC 9110 section 10.2.3).
func retryAfter(f *fault.Fault) string {
	if f.Kind != fault.KindExhausted && f.Kind != fault.KindUnavailable {
		return ""
	}
	seconds := math.Ceil(float64(f.RetryAfter) / float64(time.Second))
	return strconv.Itoa(int(max(1, seconds)))
}

const realm = `realm="rollcall"`

// challenge is the WWW-Authenticate of a refusal (RFC 6750 section 3). Without
// bearer credentials it has no error attribute.
func challenge(c *call, f *fault.Fault) string {
	basic := c.op != nil && c.op.Auth == Basic
	switch {
	case f.Kind == fault.KindUnauthenticated && basic:
		return "Basic " + realm
	case f.Kind == fault.KindUnauthenticated && f.Cause == errNoCredentials: //nolint:errorlint // set by us, unwrapped
		return "Bearer " + realm
	case f.Kind == fault.KindUnauthenticated:
		return "Bearer " + realm + `, error="invalid_token"`
	case f.Kind == fault.KindForbidden && f.Message == api.MessagePermissionDenied:
		return "Bearer " + realm + `, error="insufficient_scope"`
	}
	return ""
}
