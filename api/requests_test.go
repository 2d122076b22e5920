package api_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// TestRequests: what the document lets a client send, and what not.
func TestRequests(t *testing.T) {
	t.Parallel()
	const form, json = "application/x-www-form-urlencoded", "application/json"
	cases := []struct {
		name, method, path, contentType, body string
		ok                                    bool
	}{
		{"list", "GET", "/v1/accounts/A/users", "", "", true},
		{"list, all parameters", "GET", "/v1/accounts/A/users?filter=user.isActive()&max_page_size=0&page_token=aB_-9", "", "", true},
		{"list, other spellings", "GET", "/v1/accounts/A/users?maxPageSize=2147483647&pageToken=a", "", "", true},
		{"list, unknown parameter", "GET", "/v1/accounts/A/users?order=name", "", "", true},
		{"empty filter", "GET", "/v1/accounts/A/users?filter=", "", "", true},
		{"filter in white space", "GET", "/v1/accounts/A/users?filter=%20user.isSuspended()%0A", "", "", true},
		{"unknown filter", "GET", "/v1/accounts/A/users?filter=user.isOwner()", "", "", false},
		{"negative page size", "GET", "/v1/accounts/A/users?max_page_size=-1", "", "", false},
		{"page size over int32", "GET", "/v1/accounts/A/users?maxPageSize=2147483648", "", "", false},
		{"page size in words", "GET", "/v1/accounts/A/users?max_page_size=ten", "", "", false},
		{"longest page token", "GET", "/v1/accounts/A/users?page_token=" + strings.Repeat("a", 512), "", "", true},
		{"page token too long", "GET", "/v1/accounts/A/users?page_token=" + strings.Repeat("a", 513), "", "", false},
		{"page token, odd characters", "GET", "/v1/accounts/A/users?pageToken=a%2Fb", "", "", false},
		{"odd ids", "GET", "/v1beta1/accounts/a.b/users/%F0%9F%92%A9", "", "", true},
		{"suspend", "POST", "/v1/accounts/A/users/U:suspend", "", "", true},
		{"suspend, any type on nothing", "POST", "/v1/accounts/A/users/U:suspend", "text/plain", "", true},
		{"suspend, empty object", "POST", "/v1/accounts/A/users/U:suspend", "application/json", "{}", true},
		{"suspend, a body", "POST", "/v1/accounts/A/users/U:suspend", "application/json", `{"a":1}`, false},
		{"token", "POST", "/v1/oauth/token", form, "grant_type=client_credentials", true},
		{"token, everything", "POST", "/v1beta1/users/oauth2/token", form + "; charset=utf-8", "grant_type=client_credentials&scope=openid&client_id=x&other=y", true},
		{"token, empty scope", "POST", "/v1/oauth/token", form, "grant_type=client_credentials&scope=", true},
		{"token, other scope", "POST", "/v1/oauth/token", form, "grant_type=client_credentials&scope=admin", false},
		{"token, other grant", "POST", "/v1/oauth/token", form, "grant_type=password", false},
		{"token, no grant", "POST", "/v1/oauth/token", form, "scope=openid", false},
		{"token, JSON", "POST", "/v1/oauth/token", "application/json", `{"grant_type":"client_credentials"}`, false},
		{"revoke", "POST", "/v1/oauth/revoke", form, "token=t&token_type_hint=refresh_token", true},
		{"list applications", "GET", "/v1/accounts/A/oauth-clients?max_page_size=5&page_token=a", "", "", true},
		{"create an application", "POST", "/v1/accounts/A/oauth-clients", json, `{"name":"n","permissions":["users.list"]}`, true},
		{"create, everything", "POST", "/v1/accounts/A/oauth-clients", json, `{"name":"n","description":null,"redirect_url":"https://example.com","permissions":["oauth_clients.write"]}`, true},
		{"create, no name", "POST", "/v1/accounts/A/oauth-clients", json, `{"permissions":["users.list"]}`, false},
		{"create, no permission", "POST", "/v1/accounts/A/oauth-clients", json, `{"name":"n","permissions":[]}`, false},
		{"create, unknown permission", "POST", "/v1/accounts/A/oauth-clients", json, `{"name":"n","permissions":["all"]}`, false},
		{"create, an id", "POST", "/v1/accounts/A/oauth-clients", json, `{"id":"x","name":"n","permissions":["users.list"]}`, false},
		{"update", "PATCH", "/v1/accounts/A/oauth-clients/C", json, `{"description":null}`, true},
		{"update nothing", "PATCH", "/v1/accounts/A/oauth-clients/C", json, `{}`, true},
		{"update the state", "PATCH", "/v1/accounts/A/oauth-clients/C", json, `{"state":"DISABLED"}`, false},
		{"rotate", "POST", "/v1/accounts/A/oauth-clients/C:rotate-secret", json, `{"overlap":"604800s"}`, true},
		{"rotate, nothing said", "POST", "/v1/accounts/A/oauth-clients/C:rotate-secret", "", "", true},
		{"rotate, in hours", "POST", "/v1/accounts/A/oauth-clients/C:rotate-secret", json, `{"overlap":"1h"}`, false},
		{"revoke all tokens", "POST", "/v1/accounts/A/oauth-clients/C/tokens:revoke", json, `{}`, true},
		{"revoke nothing", "POST", "/v1/oauth/revoke", form, "token=", false},
	}
	r := router(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			req := httptest.NewRequest(c.method, "https://127.0.0.1:8443"+c.path, strings.NewReader(c.body))
			if c.contentType != "" {
				req.Header.Set("Content-Type", c.contentType)
			}
			route, params, err := r.FindRoute(req)
			if err != nil {
				t.Fatalf("find route: %v", err)
			}
			err = openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
				Request: req, Route: route, PathParams: params,
				Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
			})
			if (err == nil) != c.ok {
				t.Errorf("got error %v, want acceptance %t", err, c.ok)
			}
		})
	}
}
