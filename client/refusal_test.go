package client

import (
	"net/http"
	"testing"
	"time"
	"unicode"
)

// FuzzRefusal reads any answer whatever: it always stands for one of the Err...
// values, and its text is one short line that disturbs no terminal.
func FuzzRefusal(f *testing.F) {
	f.Add(403, "application/json", `{"code":7,"message":"no_owner_remain","details":[]}`, "", "request-1")
	f.Add(401, "application/json", `{"error":"invalid_client","error_description":"no"}`, "", "")
	f.Add(429, "application/json", `{"code":8,"message":"too many"}`, "17", "")
	f.Add(503, "text/plain", "out\x1b[31m of order", "Tue, 02 Jan 2035 10:00:09 GMT", "\x00")
	f.Add(302, "", "", "-1", "")
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, status int, contentType, body, wait, requestID string) {
		header := http.Header{"Content-Type": {contentType}, "Retry-After": {wait}, "X-Request-Id": {requestID}, "Location": {body}}
		e := refusal(answer{status: status, header: header, body: []byte(body)}, now)
		if e.Unwrap() == nil || e.Status != status || e.RequestID != requestID {
			t.Errorf("got %#v, want a reason, status %d and request %q", e, status, requestID)
		}
		if e.RetryAfter < 0 || e.Reset.IsZero() != (e.RetryAfter == 0) {
			t.Errorf("retry after %s, at %s", e.RetryAfter, e.Reset)
		}
		text := e.Error()
		if len(text) > 4*(3*maxShown)+200 {
			t.Errorf("%d bytes of text", len(text))
		}
		for _, r := range text {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q holds %q", text, r)
			}
		}
	})
}
