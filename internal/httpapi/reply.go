package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/internal/server"
)

// reply is an answer before it is written.
type reply struct {
	status      int
	value       any    // encoded as JSON, unless body is set
	body        []byte // as it is
	contentType string
	policy      string // Content-Security-Policy; empty = nothing at all
	challenge   string
	retryAfter  string
	allow       []string
}

// answer is a reply of 200 with a JSON value.
func answer(v any) reply { return reply{status: http.StatusOK, value: v} }

// Header values that never change, shared by all answers.
var (
	jsonType   = []string{"application/json"}
	nosniff    = []string{"nosniff"}
	noPolicy   = []string{"default-src 'none'; frame-ancestors 'none'"}
	noStore    = []string{"no-store"}
	noCache    = []string{"no-cache"}
	hsts       = []string{"max-age=31536000"}
	noReferrer = []string{"no-referrer"}
)

// bodies is space that answers are written into, each a *[]byte.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// mostSpace is the largest space that is kept, in bytes: that of a page of 200 people.
const mostSpace = 64 << 10

// encode returns the body, in space where it is made here; it is complete before the first header is written.
func (r *reply) encode(space []byte) ([]byte, error) {
	if r.value == nil {
		return r.body, nil
	}
	return encode(space, r.value)
}

// write is the only place that touches the ResponseWriter.
func (a *API) write(w http.ResponseWriter, c *call, r reply) int {
	space, _ := bodies.Get().(*[]byte)
	defer bodies.Put(space)
	body, err := r.encode(*space)
	if err != nil {
		a.Logger.Error("an answer could not be encoded", "request_id", c.caller.RequestID, "error", err)
		r = problemReply(c, err)
		body, _ = r.encode(nil)
	}
	if r.value != nil && cap(body) <= mostSpace {
		*space = body // once it is written
	}
	h := w.Header()
	h["X-Request-Id"] = []string{string(c.caller.RequestID)}
	h["X-Content-Type-Options"] = nosniff
	h["Content-Security-Policy"] = noPolicy
	h["Referrer-Policy"] = noReferrer
	if r.policy != "" {
		h["Content-Security-Policy"] = []string{r.policy}
	}
	if server.IsSecure(c.request, a.TrustedProxies) {
		h["Strict-Transport-Security"] = hsts
	}
	if r.body == nil { // only our own documents may be kept
		h["Cache-Control"] = noStore
	}
	if c.op != nil && c.op.Auth == Basic {
		h["Pragma"] = noCache
	}
	setLimits(h, c)
	r.setHeaders(h)
	switch {
	case r.contentType != "":
		h["Content-Type"] = []string{r.contentType}
	case len(body) > 0:
		h["Content-Type"] = jsonType
	default:
		h["Content-Type"] = nil // keeps net/http from guessing one
	}
	if r.status != http.StatusNoContent { // RFC 9110 section 8.6
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	server.Whole(c.request, len(body))
	w.WriteHeader(r.status)
	_, _ = w.Write(body) // a client that has gone is not our failure
	return r.status
}

func (r *reply) setHeaders(h http.Header) {
	if r.challenge != "" {
		h["Www-Authenticate"] = []string{r.challenge}
	}
	if r.retryAfter != "" {
		h["Retry-After"] = []string{r.retryAfter}
	}
	if len(r.allow) > 0 {
		h["Allow"] = []string{strings.Join(r.allow, ", ")}
	}
}

// setLimits tells resource clients about the window closest to exhaustion.
func setLimits(h http.Header, c *call) {
	d := c.decision
	if d.Unlimited() || c.op == nil || c.op.Auth == Open || c.op.Auth == Basic {
		return
	}
	h["Ratelimit-Limit"] = []string{strconv.Itoa(d.Limit.Max)}
	h["Ratelimit-Remaining"] = []string{strconv.Itoa(d.Remaining)}
	h["Ratelimit-Reset"] = []string{strconv.Itoa(int(d.Reset / time.Second))}
}
