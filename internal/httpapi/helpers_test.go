package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

func basicHeader(clear string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(clear))
}

// page reads an answer as a page of users; another answer is an empty page.
func page(r testkit.Response) api.ListUsersResponse {
	var p api.ListUsersResponse
	_ = json.Unmarshal([]byte(r.Body), &p)
	return p
}

// nextPage lists with a query and returns the token of the page after.
func (w *world) nextPage(query string) string { return page(w.Do(w.list(query))).NextPageToken }

// status reads an answer as an error of a resource route.
func status(r testkit.Response) api.Status {
	var s api.Status
	_ = json.Unmarshal([]byte(r.Body), &s)
	return s
}

// oauthError reads an answer as an error of an OAuth route.
func oauthError(r testkit.Response) api.OAuthError {
	var e api.OAuthError
	_ = json.Unmarshal([]byte(r.Body), &e)
	return e
}

// user reads an answer as a user.
func user(r testkit.Response) api.User {
	var u api.User
	_ = json.Unmarshal([]byte(r.Body), &u)
	return u
}

// expect compares the status of an answer.
func expect(t *testing.T, r testkit.Response, want int) {
	t.Helper()
	if r.Status != want {
		t.Errorf("got %d %s, want %d %s", r.Status, r.Body, want, http.StatusText(want))
	}
}

func clientID(s string) ident.ClientID { return ident.ClientID(s) }
