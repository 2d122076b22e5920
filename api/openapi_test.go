package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
)

// load reads and validates openapi.yaml, examples and defaults included, once:
// the tests only read it.
var load = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("load openapi.yaml: %w", err)
	}
	if err := doc.Validate(context.Background(), openapi3.EnableMultiError(), openapi3.EnableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("validate openapi.yaml: %w", err)
	}
	return doc, nil
})

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// eachOperation calls do for every operation of the document, HEAD included.
func eachOperation(doc *openapi3.T, do func(method, path string, item *openapi3.PathItem, op *openapi3.Operation)) {
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			do(method, path, item, op)
		}
	}
}

func TestDocumentIsOpenAPI31(t *testing.T) {
	t.Parallel()
	doc := document(t)
	if !doc.IsOpenAPI31OrLater() {
		t.Errorf("openapi: got %q, want 3.1 or later", doc.OpenAPI)
	}
	if !strings.Contains(doc.Info.Description, "not made, endorsed, sponsored or supported by 1Password") {
		t.Error("info.description does not state independence from 1Password")
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	var got []string
	eachOperation(document(t), func(method, path string, _ *openapi3.PathItem, op *openapi3.Operation) {
		if method != http.MethodHead {
			permission, _ := op.Extensions["x-rollcall-permission"].(string)
			class, _ := op.Extensions["x-rollcall-rate-class"].(string)
			got = append(got, strings.TrimSpace(strings.Join([]string{op.OperationID, method, path, class, permission}, " ")))
		}
	})
	slices.Sort(got)
	want := []string{
		"authorizationServerMetadata GET /.well-known/oauth-authorization-server none",
		"docs GET /docs none",
		"livez GET /livez none",
		"openapi GET /openapi.yaml none",
		"protectedResourceMetadata GET /.well-known/oauth-protected-resource none",
		"readyz GET /readyz none",
		"v1.createOAuthClient POST /v1/accounts/{account_id}/oauth-clients management_write oauth_clients.write",
		"v1.deleteOAuthClient DELETE /v1/accounts/{account_id}/oauth-clients/{client_id} management_write oauth_clients.write",
		"v1.disableOAuthClient POST /v1/accounts/{account_id}/oauth-clients/{client_id}:disable management_write oauth_clients.write",
		"v1.enableOAuthClient POST /v1/accounts/{account_id}/oauth-clients/{client_id}:enable management_write oauth_clients.write",
		"v1.getOAuthClient GET /v1/accounts/{account_id}/oauth-clients/{client_id} management_read oauth_clients.read",
		"v1.getUser GET /v1/accounts/{account_id}/users/{user_id} users users.get",
		"v1.issueToken POST /v1/oauth/token token",
		"v1.listOAuthClients GET /v1/accounts/{account_id}/oauth-clients management_read oauth_clients.read",
		"v1.listUsers GET /v1/accounts/{account_id}/users users users.list",
		"v1.reactivateUser POST /v1/accounts/{account_id}/users/{user_id}:reactivate users users.reactivate",
		"v1.revokeOAuthClientTokens POST /v1/accounts/{account_id}/oauth-clients/{client_id}/tokens:revoke management_write oauth_clients.write",
		"v1.revokeToken POST /v1/oauth/revoke token",
		"v1.rotateOAuthClientSecret POST /v1/accounts/{account_id}/oauth-clients/{client_id}:rotate-secret management_write oauth_clients.write",
		"v1.suspendUser POST /v1/accounts/{account_id}/users/{user_id}:suspend users users.suspend",
		"v1.updateOAuthClient PATCH /v1/accounts/{account_id}/oauth-clients/{client_id} management_write oauth_clients.write",
		"v1beta1.getUser GET /v1beta1/accounts/{account_id}/users/{user_id} users users.get",
		"v1beta1.issueToken POST /v1beta1/users/oauth2/token token",
		"v1beta1.listUsers GET /v1beta1/accounts/{account_id}/users users users.list",
		"v1beta1.reactivateUser POST /v1beta1/accounts/{account_id}/users/{user_id}:reactivate users users.reactivate",
		"v1beta1.revokeToken POST /v1beta1/users/oauth2/revoke token",
		"v1beta1.suspendUser POST /v1beta1/accounts/{account_id}/users/{user_id}:suspend users users.suspend",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

// TestVersionsAgree: an operation of v1 differs from its twin of v1beta1 by its
// path, and by a 404 that only a version that can be switched off has.
func TestVersionsAgree(t *testing.T) {
	t.Parallel()
	shapes := map[string]string{}
	eachOperation(document(t), func(_, _ string, _ *openapi3.PathItem, op *openapi3.Operation) {
		shapes[op.OperationID] = shape(t, op)
	})
	compared := 0
	for id, want := range shapes {
		if name, ok := strings.CutPrefix(id, "v1beta1."); ok {
			compared++
			if diff := cmp.Diff(want, shapes["v1."+name]); diff != "" {
				t.Errorf("%s and its twin of v1 (-v1beta1 +v1):\n%s", id, diff)
			}
		}
	}
	if compared != 8 {
		t.Errorf("compared %d operations of v1beta1, want 8", compared)
	}
}

// shape is what twins share. RouteNotFound alone may be missing from v1.
func shape(t *testing.T, op *openapi3.Operation) string {
	t.Helper()
	twin := *op
	twin.OperationID, twin.Description, twin.Responses = "", "", openapi3.NewResponses()
	twin.Responses.Delete("default")
	for status, response := range op.Responses.Map() {
		if response.Ref != "#/components/responses/RouteNotFound" {
			twin.Responses.Set(status, response)
		}
	}
	twin.Extensions = map[string]any{}
	for name, value := range op.Extensions {
		if name != "x-rollcall-head-of" {
			twin.Extensions[name] = value
		}
	}
	text, err := json.MarshalIndent(&twin, "", " ")
	if err != nil {
		t.Fatalf("marshal %s: %v", op.OperationID, err)
	}
	return string(text)
}

func TestHeadWhereverGet(t *testing.T) {
	t.Parallel()
	for path, item := range document(t).Paths.Map() {
		if item.Get == nil {
			continue
		}
		if item.Head == nil {
			t.Errorf("%s has GET but no HEAD", path)
			continue
		}
		if got, want := item.Head.Extensions["x-rollcall-head-of"], item.Get.OperationID; got != want {
			t.Errorf("%s x-rollcall-head-of: got %v, want %s", path, got, want)
		}
	}
}

// TestEverythingHasExamples: the values themselves are checked against their
// schemas when the document is validated.
func TestEverythingHasExamples(t *testing.T) {
	t.Parallel()
	eachOperation(document(t), func(method, path string, item *openapi3.PathItem, op *openapi3.Operation) {
		at := method + " " + path
		for _, p := range slices.Concat(item.Parameters, op.Parameters) {
			if p.Value.Example == nil && len(p.Value.Examples) == 0 {
				t.Errorf("%s: parameter %s has no example", at, p.Value.Name)
			}
		}
		if op.RequestBody != nil {
			checkExamples(t, at+" request", op.RequestBody.Value.Content)
		}
		for status, r := range op.Responses.Map() {
			checkExamples(t, at+" "+status, r.Value.Content)
		}
	})
}

func checkExamples(t *testing.T, at string, content openapi3.Content) {
	t.Helper()
	for mediaType, m := range content {
		if len(m.Examples) == 0 {
			t.Errorf("%s %s has no examples", at, mediaType)
		}
		for name, e := range m.Examples {
			if e.Value.Summary == "" {
				t.Errorf("%s %s example %s has no summary", at, mediaType, name)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	eachOperation(document(t), func(method, path string, item *openapi3.PathItem, op *openapi3.Operation) {
		for _, p := range slices.Concat(item.Parameters, op.Parameters) {
			s := p.Value.Schema.Value
			bounded := s.MaxLength != nil || s.Min != nil && s.Max != nil
			if !bounded || p.Value.Description == "" {
				t.Errorf("%s %s: parameter %s lacks a bound or a description", method, path, p.Value.Name)
			}
		}
	})
}

// TestResponseHeaders holds each status to the headers of CONTRACT section 2.
func TestResponseHeaders(t *testing.T) {
	t.Parallel()
	required := map[string][]string{
		"401": {"WWW-Authenticate"}, "405": {"Allow"}, "429": {"Retry-After"}, "503": {"Retry-After"},
	}
	metered := []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
	eachOperation(document(t), func(method, path string, _ *openapi3.PathItem, op *openapi3.Operation) {
		class := op.Extensions["x-rollcall-rate-class"]
		users := class == "users" || class == "management_read" || class == "management_write"
		done := "200"
		if method == http.MethodDelete {
			done = "204"
		}
		for _, status := range []string{done, "405", "414", "431", "500"} {
			if op.Responses.Value(status) == nil {
				t.Errorf("%s %s: no %s", method, path, status)
			}
		}
		for status, r := range op.Responses.Map() {
			at := method + " " + path + " " + status
			has := r.Value.Headers
			if has["X-Request-Id"] == nil {
				t.Errorf("%s: no X-Request-Id", at)
			}
			for _, name := range required[status] {
				if has[name] == nil || !has[name].Value.Required {
					t.Errorf("%s: no required %s", at, name)
				}
			}
			for _, name := range metered {
				if users && slices.Contains([]string{"200", "204", "400", "403", "429"}, status) && has[name] == nil {
					t.Errorf("%s: no %s", at, name)
				}
			}
		}
	})
}

// TestWords: the words that clients match on are in the document exactly as in
// the constants, each with its code, in the place that CONTRACT section 5 says.
func TestWords(t *testing.T) {
	t.Parallel()
	doc := document(t)
	cases := []struct {
		response, example string
		want              api.Status
	}{
		{"PermissionDenied", "permission_denied", api.NewStatus(api.CodePermissionDenied, api.MessagePermissionDenied)},
		{"SuspendRefused", "permission_denied", api.NewStatus(api.CodePermissionDenied, api.MessagePermissionDenied)},
		{"SuspendRefused", "no_owner_remain", api.NewStatus(api.CodePermissionDenied, api.MessageNoOwnerRemain)},
		{"SuspendRefused", "externally_managed_user", api.NewStatus(api.CodePermissionDenied, api.MessageExternallyManagedUser)},
		{"SuspendRefused", "automated_provisioning_enabled", api.NewStatus(api.CodePermissionDenied, api.MessageAutomatedProvisioningEnabled)},
		{"ReactivateRefused", "automated_provisioning_enabled", api.NewStatus(api.CodePermissionDenied, api.MessageAutomatedProvisioningEnabled)},
		{"OAuthClientNotFound", "oauth_client_not_found", api.NewStatus(api.CodeNotFound, api.MessageNotFound)},
		{"UserNotFound", "not_found", api.NewStatus(api.CodeNotFound, api.MessageNotFound)},
		{"RouteNotFound", "unknown_route", api.NewStatus(api.CodeNotFound, api.MessageRouteNotFound)},
		{"MethodNotAllowed", "method_not_allowed", api.NewStatus(api.CodeUnimplemented, api.MessageMethodNotAllowed)},
	}
	for _, c := range cases {
		e := doc.Components.Responses[c.response].Value.Content["application/json"].Examples[c.example]
		if e == nil {
			t.Errorf("%s has no example %s", c.response, c.example)
			continue
		}
		if diff := cmp.Diff(generic(t, c.want), generic(t, e.Value.Value)); diff != "" {
			t.Errorf("%s %s (-constants +document):\n%s", c.response, c.example, diff)
		}
	}
}

// generic is v as a JSON reader sees it.
func generic(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("marshal %T: %v", v, err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("unmarshal %s: %v", text, err)
	}
	return out
}

func router(t *testing.T) routers.Router {
	t.Helper()
	r, err := gorillamux.NewRouter(document(t))
	if err != nil {
		t.Fatalf("gorillamux: %v", err)
	}
	return r
}

// TestRoutes: the verb probes, as an independent reader of the document
// decides them. It can't read %3A; that probe belongs to the server's tests.
func TestRoutes(t *testing.T) {
	t.Parallel()
	r := router(t)
	cases := []struct{ method, path, want string }{
		{"GET", "/accounts/A/users", "listUsers"},
		{"HEAD", "/accounts/A/users", "listUsers.head"},
		{"GET", "/accounts/A/users/U", "getUser"},
		{"HEAD", "/accounts/A/users/U", "getUser.head"},
		{"POST", "/accounts/A/users/U:suspend", "suspendUser"},
		{"POST", "/accounts/A/users/U:reactivate", "reactivateUser"},
		{"POST", "/accounts/A/users/a:b:suspend", "suspendUser"},
		{"GET", "/accounts/A/users/U:suspend", routers.ErrMethodNotAllowed.Error()},
		{"POST", "/accounts/A/users/U", routers.ErrMethodNotAllowed.Error()},
		{"DELETE", "/accounts/A/users", routers.ErrMethodNotAllowed.Error()},
		{"GET", "/accounts/A/users/", routers.ErrPathNotFound.Error()},
		{"GET", "/accounts/A", routers.ErrPathNotFound.Error()},
	}
	for _, version := range []api.Version{api.V1Beta1, api.V1} {
		for _, c := range cases {
			target := "https://127.0.0.1:8443/" + string(version) + c.path
			route, _, err := r.FindRoute(httptest.NewRequest(c.method, target, nil))
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = strings.TrimPrefix(route.Operation.OperationID, string(version)+".")
			}
			if got != c.want {
				t.Errorf("%s %s: got %s, want %s", c.method, target, got, c.want)
			}
		}
	}
}

// TestAnswers passes right and wrong answers through the same validator that
// the server's tests use, to know that it would notice.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const user = `{"id":"U","email":"a@example.com","display_name":"","state":"ACTIVE","create_time":"2024-01-15T10:30:00Z","path":"accounts/A/users/U"}`
	cases := []struct {
		name, method, path string
		status             int
		header, body       string
		ok                 bool
	}{
		{"list", "GET", "/v1/accounts/A/users", 200, "", `{"results":[` + user + `]}`, true},
		{"empty list", "GET", "/v1/accounts/A/users", 200, "", `{"results":[]}`, true},
		{"null list", "GET", "/v1/accounts/A/users", 200, "", `{"results":null}`, false},
		{"empty page token", "GET", "/v1/accounts/A/users", 200, "", `{"results":[],"next_page_token":""}`, false},
		{"get", "GET", "/v1beta1/accounts/A/users/U", 200, "", user, true},
		{"seventh field", "GET", "/v1/accounts/A/users/U", 200, "", strings.Replace(user, "{", `{"type":"x",`, 1), false},
		{"zone", "GET", "/v1/accounts/A/users/U", 200, "", strings.Replace(user, "00Z", "00+00:00", 1), false},
		{"zero fraction", "GET", "/v1/accounts/A/users/U", 200, "", strings.Replace(user, "00Z", "00.000Z", 1), false},
		{"suspend, still active", "POST", "/v1/accounts/A/users/U:suspend", 200, "", user, false},
		{"reactivate", "POST", "/v1/accounts/A/users/U:reactivate", 200, "", user, true},
		{"404", "GET", "/v1/accounts/A/users/U", 404, "", `{"code":5,"message":"not_found","details":[]}`, true},
		{"404, wrong code", "GET", "/v1/accounts/A/users/U", 404, "", `{"code":7,"message":"not_found","details":[]}`, false},
		{"404, no details", "GET", "/v1/accounts/A/users/U", 404, "", `{"code":5,"message":"not_found"}`, false},
		{"401", "GET", "/v1/accounts/A/users", 401, `WWW-Authenticate: Bearer realm="rollcall"`, `{"code":16,"message":"x","details":[]}`, true},
		{"401, no challenge", "GET", "/v1/accounts/A/users", 401, "", `{"code":16,"message":"x","details":[]}`, false},
		{"429", "GET", "/v1/accounts/A/users", 429, "Retry-After: 1", `{"code":8,"message":"x","details":[]}`, true},
		{"429, zero wait", "GET", "/v1/accounts/A/users", 429, "Retry-After: 0", `{"code":8,"message":"x","details":[]}`, false},
		{"unknown status", "GET", "/v1/accounts/A/users", 418, "", `{}`, false},
		{"token", "POST", "/v1/oauth/token", 200, "Pragma: no-cache", `{"access_token":"0123456789abcdef0123456789abcdef","token_type":"Bearer","expires_in":900,"scope":"openid"}`, true},
		{"token, cacheable", "POST", "/v1/oauth/token", 200, "", `{"access_token":"0123456789abcdef0123456789abcdef","token_type":"Bearer","expires_in":900,"scope":"openid"}`, false},
		{"revoked", "POST", "/v1/oauth/revoke", 200, "", "", true},
	}
	r := router(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"r"}, "Cache-Control": {"no-store"}}
			if name, value, ok := strings.Cut(c.header, ": "); ok {
				header.Set(name, value)
			}
			err := validateAnswer(t, r, c.method, c.path, c.status, header, c.body)
			if (err == nil) != c.ok {
				t.Errorf("got error %v, want acceptance %t", err, c.ok)
			}
		})
	}
}

func validateAnswer(t *testing.T, r routers.Router, method, path string, status int, header http.Header, body string) error {
	t.Helper()
	req := httptest.NewRequest(method, "https://127.0.0.1:8443"+path, nil)
	route, params, err := r.FindRoute(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route, PathParams: params},
		Status:                 status,
		Header:                 header,
		Body:                   io.NopCloser(bytes.NewBufferString(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	})
}
