package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Checked returns a client whose every answer is held against api/openapi.yaml and
// the headers of the contract; what is wrong fails the test. It follows no redirect.
func Checked(t testing.TB, through http.RoundTripper) *http.Client {
	t.Helper()
	router, err := contract()
	if err != nil {
		t.Fatalf("testkit: read api/openapi.yaml: %v", err)
	}
	return &http.Client{
		Transport:     &checked{t: t, through: through, router: router, secrets: &secrets{}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// contract reads the document once for all tests of a process.
var contract = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // any host will do
	return gorillamux.NewRouter(doc)
})

type checked struct {
	t       testing.TB
	through http.RoundTripper
	router  routers.Router
	secrets *secrets
}

// RoundTrip implements http.RoundTripper.
func (c *checked) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.through.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err = closing(resp.Body, err); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	c.remember(body)
	if err := c.check(req, resp, body); err != nil {
		c.t.Errorf("%s %s: answer %d breaks the contract: %v\n%v\n%s", req.Method, req.URL.RequestURI(), resp.StatusCode, err, resp.Header, body)
	}
	return resp, nil
}

// CloseIdleConnections lets a client close what it keeps open.
func (c *checked) CloseIdleConnections() {
	if through, ok := c.through.(interface{ CloseIdleConnections() }); ok {
		through.CloseIdleConnections()
	}
}

var issued = regexp.MustCompile(`"(?:access_token|client_secret)":"([^"]+)"`)

// remember keeps tokens that were issued, so that they can be looked for in the logs.
func (c *checked) remember(body []byte) {
	if m := issued.FindSubmatch(body); m != nil {
		c.secrets.add(string(m[1]))
	}
}

func (c *checked) check(req *http.Request, resp *http.Response, body []byte) error {
	return errors.Join(checkHeaders(req, resp, body), c.checkOperation(req, resp, body))
}

// checkOperation holds the answer against the operation's row in the document. The
// validator can't look into what HEAD would have answered, and can't route %3A.
func (c *checked) checkOperation(req *http.Request, resp *http.Response, body []byte) error {
	plain := req.Clone(context.Background())
	raw := strings.NewReplacer("%3A", ":", "%3a", ":").Replace(req.URL.EscapedPath())
	path, err := url.PathUnescape(raw)
	if err != nil {
		return checkUnrouted(req, resp, body)
	}
	plain.URL.Path, plain.URL.RawPath = path, raw
	route, params, err := c.router.FindRoute(plain)
	if err != nil || unrouted(resp, body) {
		return checkUnrouted(req, resp, body)
	}
	if req.Method == http.MethodHead {
		if route.Operation.Responses.Status(resp.StatusCode) == nil {
			return fmt.Errorf("%s describes no status %d", route.Operation.OperationID, resp.StatusCode)
		}
		return nil
	}
	return openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: plain, Route: route, PathParams: params},
		Status:                 resp.StatusCode,
		Header:                 resp.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	})
}

// unrouted tells whether the server knows no such route: the document's patterns
// take an unknown verb for a piece of a user's id.
func unrouted(resp *http.Response, body []byte) bool {
	return resp.StatusCode == http.StatusNotFound && strings.Contains(string(body), api.MessageRouteNotFound)
}

// codes are those of answers outside of all operations.
var codes = map[int]api.Code{
	http.StatusNotFound:                    api.CodeNotFound,
	http.StatusMethodNotAllowed:            api.CodeUnimplemented,
	http.StatusRequestURITooLong:           api.CodeInvalidArgument,
	http.StatusRequestHeaderFieldsTooLarge: api.CodeInvalidArgument,
	http.StatusInternalServerError:         api.CodeInternal,
}

func checkUnrouted(req *http.Request, resp *http.Response, body []byte) error {
	want, ok := codes[resp.StatusCode]
	if !ok {
		return fmt.Errorf("no operation answers here, and %d is no status of the router", resp.StatusCode)
	}
	if allow := resp.Header.Get("Allow"); (resp.StatusCode == http.StatusMethodNotAllowed) != (allow != "") {
		return fmt.Errorf("header Allow is %q", allow)
	}
	if req.Method == http.MethodHead {
		return nil
	}
	var status api.Status
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&status); err != nil {
		return fmt.Errorf("the body is no Status: %w", err)
	}
	if status.Code != want || status.Message == "" || status.Details == nil || len(status.Details) > 0 {
		return fmt.Errorf("the body is not a Status of code %d", want)
	}
	return nil
}

// forbidden are headers that no answer has.
var forbidden = []string{
	"Set-Cookie", "Server", "X-Powered-By", "Location", "Access-Control-Allow-Origin",
	"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Allow-Credentials",
}

// checkHeaders holds an answer against contract sections 2 and 10.
func checkHeaders(req *http.Request, resp *http.Response, body []byte) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	h := resp.Header
	for _, name := range forbidden {
		if _, ok := h[name]; ok {
			wrong("header %s is there", name)
		}
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") {
		wrong("X-Content-Type-Options or Content-Security-Policy is missing")
	}
	id, sent := h.Get("X-Request-Id"), req.Header.Get("X-Request-Id")
	if _, ok := ident.ParseRequestID(sent); ok && id != sent || id == "" {
		wrong("X-Request-Id is %q, the client sent %q", id, sent)
	}
	secure := req.URL.Scheme == "https" || req.Header.Get("X-Forwarded-Proto") == "https"
	if hsts := h.Get("Strict-Transport-Security") != ""; hsts && !secure || !hsts && req.URL.Scheme == "https" {
		wrong("Strict-Transport-Security: %t, https: %t", hsts, secure)
	}
	if resp.StatusCode >= 400 && h.Get("Cache-Control") != "no-store" {
		wrong("an error without Cache-Control: no-store")
	}
	if wait := h.Get("Retry-After") != ""; wait != (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable) {
		wrong("Retry-After: %t", wait)
	}
	if len(body) > 0 && resp.StatusCode >= 400 && h.Get("Content-Type") != "application/json" {
		wrong("an error of Content-Type %q", h.Get("Content-Type"))
	}
	if resp.StatusCode/100 == 3 {
		wrong("a redirect")
	}
	return errors.Join(errs...)
}

// Through returns what the checks are around, for a client of pages, which are not in the document.
func (c *checked) Through() http.RoundTripper { return c.through }
