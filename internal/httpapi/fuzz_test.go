package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

// FuzzBasic: what is read is what was sent, cut at the first colon, and once more
// decoded; anything else is refused.
func FuzzBasic(f *testing.F) {
	for _, clear := range []string{"a:b", "a", ":", "a:b:c", "%61:%3A", "a+b:%zz", "\x00:\xff", ""} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(clear)))
	}
	f.Add("***")
	f.Add("YTpi\n")
	f.Fuzz(func(t *testing.T, encoded string) {
		creds, err := readBasic(encoded)
		clear, decodeErr := base64.StdEncoding.DecodeString(encoded)
		id, secret, ok := strings.Cut(string(clear), ":")
		if valid := decodeErr == nil && ok; valid != (err == nil) {
			t.Fatalf("%q: got error %v, valid: %t", encoded, err, valid)
		}
		if err != nil {
			return
		}
		if creds[0].ID != ident.ClientID(id) || creds[0].Secret != secret || len(creds) > 2 {
			t.Errorf("%q: got %q first of %d", encoded, creds[0], len(creds))
		}
		if len(creds) == 2 {
			sameID, err1 := url.QueryUnescape(id)
			sameSecret, err2 := url.QueryUnescape(secret)
			if err1 != nil || err2 != nil || string(creds[1].ID) != sameID || creds[1].Secret != sameSecret {
				t.Errorf("%q: got %q second", encoded, creds[1])
			}
		}
	})
}

// FuzzForm compares with the standard library's parser, but for what is repeated.
func FuzzForm(f *testing.F) {
	for _, text := range []string{"", "a=b", "a=b&a=c", "a", "=", "&&", "a=%zz", "%61=b&a=c", "a=b+c", "a==", "token=%00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, ";") {
			return // the library refuses what browsers send as %3B
		}
		got, err := readForm(text)
		want, parseErr := url.ParseQuery(text)
		repeated := slices.ContainsFunc(slices.Collect(maps.Values(want)), func(v []string) bool { return len(v) > 1 })
		if refused := parseErr != nil || repeated; refused != (err != nil) {
			t.Fatalf("%q: got error %v; library %v, repeated %t", text, err, parseErr, repeated)
		}
		for name, values := range want {
			if err == nil && got[name] != values[0] {
				t.Errorf("%q: %s is %q, want %q", text, name, got[name], values[0])
			}
		}
	})
}

// FuzzListQuery: what is accepted is within the bounds, and says what one value a
// parameter says by the standard library.
func FuzzListQuery(f *testing.F) {
	for _, text := range []string{
		"", "filter=user.isActive()", "max_page_size=5", "maxPageSize=0&page_token=a", "pageToken=a&page_token=b",
		"max_page_size=1&max_page_size=1", "filter=%zz", "max%5fpage_size=3", "x=%", "filter", "max_page_size=-1&",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := listQuery(text)
		if err != nil {
			return
		}
		if q.Size != nil && (*q.Size < 1 || *q.Size > page.MaxSize) {
			t.Errorf("%q: size %d", text, *q.Size)
		}
		if q.Filter != nil && !q.Filter.Valid() {
			t.Errorf("%q: filter %d", text, *q.Filter)
		}
		values, err := url.ParseQuery(text)
		if token := values.Get("page_token"); err == nil && token != "" && q.PageToken != token {
			t.Errorf("%q: page token %q, want %q", text, q.PageToken, token)
		}
	})
}

// FuzzRequest sends any method, target and content type without credentials: nothing
// panics, nothing redirects, and every answer is one of those that the contract has.
func FuzzRequest(f *testing.F) {
	for _, target := range []string{
		"/", "*", "//", "/v1/accounts/A/users", "/v1/accounts/A/users/U:suspend", "/v1/oauth/token", "/docs", "/v1/%2e%2e/x",
		"/v1/accounts/A/users/U%3Asuspend", "http://x/v1", "/v1/accounts//users/", "/v1/accounts/A/users/%00:%00", "/?%zz",
	} {
		f.Add("GET", target, "")
		f.Add("POST", target, formType)
	}
	documented := []int{200, 400, 401, 404, 405, 414}
	f.Fuzz(func(t *testing.T, method, target, contentType string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return // net/http refuses it before us
		}
		r := &http.Request{
			Method: method, URL: u, RequestURI: target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {contentType}}, Host: "x", RemoteAddr: "192.0.2.1:1", Body: http.NoBody,
		}
		w := httptest.NewRecorder()
		bare(io.Discard).ServeHTTP(w, r)
		if !slices.Contains(documented, w.Code) || w.Header().Get("X-Request-Id") == "" || w.Header().Get("Location") != "" {
			t.Fatalf("%s %s: got %d %v", method, target, w.Code, w.Header())
		}
		if w.Header().Get("Content-Type") == "application/json" && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: got %s", method, target, w.Body)
		}
		if open := w.Code == http.StatusOK; open && w.Header().Get("Content-Type") == "" {
			t.Errorf("%s %s: got 200 without a type", method, target)
		}
	})
}
