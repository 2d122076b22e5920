package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/client"
)

// TestRefusals is the table of contract section 5, and what servers and proxies
// answer that know no contract.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const json, html, text = "application/json", "text/html", "text/plain; charset=utf-8"
	tests := []struct {
		status            int
		contentType, body string
		want              error
		says              string
	}{
		{400, json, `{"code":3,"message":"filter: say user.isActive()","details":[]}`, client.ErrInvalidArgument, "filter: say user.isActive()"},
		{403, json, `{"code":7,"message":"permission_denied","details":[]}`, client.ErrPermissionDenied, "permission_denied"},
		{403, json, `{"code":7,"message":"no_owner_remain","details":[]}`, client.ErrLastOwner, "no_owner_remain"},
		{403, json, `{"code":7,"message":"externally_managed_user","details":[]}`, client.ErrExternallyManaged, ""},
		{403, json, `{"code":7,"message":"automated_provisioning_enabled","details":[]}`, client.ErrAutomatedProvisioning, ""},
		{403, json, `{"code":7,"message":"a refusal of years ahead","details":[]}`, client.ErrPermissionDenied, "years ahead"},
		{403, json, `{"message":"no_owner_remain"}`, client.ErrLastOwner, ""},
		{404, json, `{"code":5,"message":"not_found","details":[]}`, client.ErrNotFound, ""},
		{404, json, `{"code":5,"message":"Not Found","details":[]}`, client.ErrUnknownRoute, ""},
		{404, html, `<h1>nginx</h1>`, client.ErrUnknownRoute, "HTTP 404: Not Found"},
		{405, json, `{"code":12,"message":"Method Not Allowed","details":[]}`, client.ErrUnknownRoute, ""},
		{413, json, `{"code":3,"message":"too large","details":[]}`, client.ErrInvalidArgument, ""},
		{500, json, `{"code":13,"message":"internal error","details":[]}`, client.ErrInternal, ""},
		{500, text, "panic in the proxy\n", client.ErrInternal, "HTTP 500: panic in the proxy (request id"},
		{500, json, ``, client.ErrInternal, "Internal Server Error"},
		{500, json, `[1,2]`, client.ErrInternal, ""},
		{500, json, `{"code":"INTERNAL","message":{"en":"oh"},"details":null}`, client.ErrInternal, "Internal Server Error"},
		{500, json, `{"code":13,"message":"\u001b[31mred\nline","details":[]}`, client.ErrInternal, "HTTP 500:  [31mred line (request id"},
		{418, json, `{"code":2,"message":"teapot"}`, client.ErrUnexpected, "teapot"},
		{204, json, ``, client.ErrUnexpected, ""},
		{200, html, `<html>log in</html>`, client.ErrUnexpected, `"text/html"`},
		{200, json, ``, client.ErrUnexpected, ""},
		{200, json, `null`, client.ErrUnexpected, ""},
		{200, json, `[]`, client.ErrUnexpected, ""},
		{200, json, `{}`, client.ErrUnexpected, "without an id"},
		{200, json, `{"id":7}`, client.ErrUnexpected, ""},
		{200, json, `{"id":"A"} trailing`, client.ErrUnexpected, ""},
		{200, text, ` {"id":"A","email":null,"state":"ON_LEAVE"}`, nil, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, " ", tt.body), func(t *testing.T) {
			t.Parallel()
			f := &fake{users: func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Content-Type", tt.contentType)
				w.Header().Set("X-Request-Id", "request-7")
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			}}
			_, err := dial(t, f, nil).Users.Suspend(t.Context(), "ADA")
			if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), tt.says) {
				t.Errorf("got %v, want %v that says %q", err, tt.want, tt.says)
			}
			var refused *client.Error
			if errors.As(err, &refused) && (refused.Status != tt.status || refused.RequestID != "request-7") {
				t.Errorf("got status %d of request %q, want %d of request-7", refused.Status, refused.RequestID, tt.status)
			}
			if _, calls := f.counts(); calls != 1 {
				t.Errorf("%d requests, want 1", calls)
			}
		})
	}
}

// TestLongMessages bounds what an error repeats, not what it holds.
func TestLongMessages(t *testing.T) {
	t.Parallel()
	f := &fake{users: func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"code":3,"message":%q}`, strings.Repeat("long ", 1000))
	}}
	_, err := dial(t, f, nil).Users.Get(t.Context(), "ADA")
	var refused *client.Error
	if !errors.As(err, &refused) || len(refused.Message) != 5000 || len(err.Error()) > 500 {
		t.Errorf("got %d characters in %v, want at most 500 of the 5000", len(err.Error()), err)
	}
}

// TestOddIDs sends ids as they are, in one path segment, and keeps those to itself
// that would name another route.
func TestOddIDs(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // id -> path sent, "" for none
		"A/../B": "A%2F..%2FB", "a b?c#d": "a%20b%3Fc%23d", "a:suspend": "a:suspend", "%41": "%2541", "ü": "%C3%BC", "...": "...",
		"": "", ".": "", "..": "",
	}
	for id, sent := range tests {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			f := &fake{users: answerUser}
			_, err := dial(t, f, nil).Users.Reactivate(t.Context(), id)
			if sent == "" {
				if _, calls := f.counts(); calls != 0 || !errors.Is(err, client.ErrInvalidArgument) {
					t.Errorf("got %v after %d requests, want %v without any", err, calls, client.ErrInvalidArgument)
				}
				return
			}
			want := "POST /v1beta1/accounts/" + testAccount + "/users/" + sent + ":reactivate"
			if err != nil || len(f.calls) != 1 || f.calls[0] != want {
				t.Errorf("got %q, %v; want %q", f.calls, err, want)
			}
		})
	}
}
