package httpapi

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// call is one request on its way through the pipeline.
type call struct {
	match
	request *http.Request
	began   time.Time

	// caller says where the request came from, and after authentication who sent it.
	caller access.Caller
	// lane is in which the request waits for its place in work, and credentials the hash of
	// what it sends, if the door needs it; unknown tells that they have not counted here yet.
	lane        admit.Lane
	place       admit.Place
	credentials uint64
	unknown     bool
	// sender is the application of an operation authenticated with Basic.
	sender oauth.AuthenticatedClient
	form   form

	bodyText string
	bodyErr  error
	bodyRead bool

	// look is what was read with the token; nil where nothing is.
	look Look
	// cursor is the query of a list of people, once it is read.
	cursor    page.Cursor
	cursorErr error
	listed    bool

	guard    throttle.Key      // under which failures of the caller's address are counted
	stranger access.Caller     // the caller before authentication
	decision throttle.Decision // zero before metering
}

// Caps of a request (contract section 10), in bytes.
const (
	maxBody    = 64 << 10
	maxHeaders = 32 << 10
	maxURI     = 16 << 10
)

var (
	errURITooLong    = &fault.Fault{Kind: fault.KindInvalid, Reason: reasonURI, Message: "the request target is too long: at most 16384 bytes are allowed"}
	errHeadersTooBig = &fault.Fault{Kind: fault.KindInvalid, Reason: reasonHeaders, Message: "the request headers are too large: at most 32768 bytes are allowed"}
	errBodyTooBig    = &fault.Fault{Kind: fault.KindInvalid, Reason: reasonBody, Message: "the request body is too large: at most 65536 bytes are allowed"}
)

// capped refuses a request whose target or headers are too large.
func capped(r *http.Request) error {
	if len(r.RequestURI) > maxURI {
		return errURITooLong
	}
	size := 0
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	if size > maxHeaders {
		return errHeadersTooBig
	}
	return nil
}

// body is the whole request body, up to the cap. It is read once.
func (c *call) body() (string, error) {
	if !c.bodyRead {
		c.bodyRead = true
		c.bodyText, c.bodyErr = c.readBody()
	}
	return c.bodyText, c.bodyErr
}

func (c *call) readBody() (string, error) {
	if c.request.ContentLength == 0 || c.request.Body == nil {
		return "", nil
	}
	if c.request.ContentLength > maxBody {
		return "", errBodyTooBig
	}
	b, err := io.ReadAll(io.LimitReader(c.request.Body, maxBody+1))
	switch {
	case err != nil:
		f := fault.Invalid("the request body could not be read to its end")
		f.Cause = err
		return "", f
	case len(b) > maxBody:
		return "", errBodyTooBig
	}
	return string(b), nil
}

// noBody accepts what an action may carry: nothing, white space, or an empty JSON object.
func (c *call) noBody() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	switch compact(body) {
	case "", "{}":
		return nil
	}
	return fault.Invalid("the request body must be empty or {}")
}

// compact drops the white space of JSON (RFC 8259 section 2).
func compact(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, s)
}

var errNoCredentials = errors.New("no credentials were sent")
