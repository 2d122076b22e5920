package httpapi_test

import (
	"net/http"
	"strings"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

const grant = "grant_type=client_credentials"

// tokenStep is a request to the token endpoint with a body and other credentials.
func tokenStep(title, body string, change ...func(*testkit.Request)) step {
	return step{title, func(w *world) testkit.Request {
		r := w.form("/token", body)
		for _, c := range change {
			c(&r)
		}
		return r
	}}
}

func header(name, value string) func(*testkit.Request) {
	return func(r *testkit.Request) { *r = with(*r, name, value) }
}

func credentials(id, secret string) func(*testkit.Request) {
	return func(r *testkit.Request) {
		*r = anonymous(*r)
		*r = with(*r, "Authorization", basicHeader(id+":"+secret))
	}
}

func noCredentials(r *testkit.Request) { *r = anonymous(*r) }

var oauthTranscripts = []transcript{
	{name: "token", about: "Access tokens (contract section 6).", steps: []step{
		tokenStep("A token by client credentials", grant),
		tokenStep("The scope may be named", grant+"&scope=openid"),
		tokenStep("Id and secret percent-encoded byte by byte, as strict OAuth libraries send them", grant,
			credentials("%70%61yroll", "secret%2Dof%2Dpayroll")),
		tokenStep("The type in another case with a parameter; unknown and empty parameters", grant+"&scope=&audience=x",
			header("Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")),
		tokenStep("The body may repeat the client id", grant+"&client_id=payroll"),
		tokenStep("No credentials", grant, noCredentials),
		tokenStep("Another scheme", grant, noCredentials, header("Authorization", "Bearer x")),
		tokenStep("Credentials only in the body", grant+"&client_id=payroll&client_secret=secret-of-payroll", noCredentials),
		tokenStep("A wrong secret", grant, credentials("payroll", "guess")),
		tokenStep("An unknown client", grant, credentials("nobody", "guess")),
		tokenStep("Credentials that are no base64", grant, noCredentials, header("Authorization", "Basic !")),
		tokenStep("Credentials without a colon", grant, noCredentials, header("Authorization", basicHeader("payroll"))),
		tokenStep("Credentials twice: Basic, and a secret in the body", grant+"&client_secret=secret-of-payroll"),
		tokenStep("Another client id in the body", grant+"&client_id=other"),
		tokenStep("No grant type", "scope=openid"),
		tokenStep("An empty grant type counts as none", "grant_type="),
		tokenStep("Another grant", "grant_type=password"),
		tokenStep("Another scope", grant+"&scope=openid+users.list"),
		tokenStep("A repeated parameter", grant+"&"+grant),
		tokenStep("A broken escape", grant+"&scope=%zz"),
		tokenStep("Another content type", `{"grant_type":"client_credentials"}`, header("Content-Type", "application/json")),
		tokenStep("A body over 64 KiB", grant+"&x="+strings.Repeat("x", 65536)),
		{"The wrong method", func(w *world) testkit.Request { return testkit.Request{Path: w.oauth + "/token"} }},
	}},
	{name: "revoke", about: "Revocation (contract section 6, RFC 7009).", steps: []step{
		{"A token that works", func(w *world) testkit.Request { return w.get("ACTIVE") }},
		{"is revoked: an empty answer without Content-Type", func(w *world) testkit.Request {
			return w.form("/revoke", "token="+w.token+"&token_type_hint=refresh_token")
		}},
		{"and does not count any more", func(w *world) testkit.Request { return w.get("ACTIVE") }},
		{"Revoking it again", func(w *world) testkit.Request { return w.form("/revoke", "token="+w.token) }},
		{"An unknown token", func(w *world) testkit.Request { return w.form("/revoke", "token=unknown") }},
		{"No token", func(w *world) testkit.Request { return w.form("/revoke", "") }},
		{"No credentials", func(w *world) testkit.Request { return anonymous(w.form("/revoke", "token=x")) }},
		{"A wrong secret", func(w *world) testkit.Request {
			return with(anonymous(w.form("/revoke", "token=x")), "Authorization", basicHeader("payroll:guess"))
		}},
		{"Another content type", func(w *world) testkit.Request {
			return with(w.form("/revoke", "token=x"), "Content-Type", "text/plain")
		}},
		{"A repeated parameter", func(w *world) testkit.Request { return w.form("/revoke", "token=x&token=y") }},
	}},
	{name: "token-limit", about: "Over the limit of token requests; the world's own token was the first of 2.",
		options: testkit.Options{Limits: throttle.Settings{TokenPerMinute: 2}},
		steps: []step{
			tokenStep("The last that is admitted", grant),
			tokenStep("One too many", grant),
			{"Revocations are counted with them", func(w *world) testkit.Request { return w.form("/revoke", "token="+w.token) }},
		}},
	{name: "token-guesses", about: "Failed authentication is limited by network address, here to 1 a minute.",
		options: testkit.Options{Limits: throttle.Settings{AuthFailuresPerMinute: 1}},
		steps: []step{
			tokenStep("A wrong secret", grant, credentials("payroll", "guess")),
			tokenStep("Now even the right one must wait", grant),
			{"and so must a good token", func(w *world) testkit.Request { return w.get("ACTIVE") }},
		}},
	{name: "discovery", about: "Metadata for OAuth clients (RFC 8414, RFC 9728). It names the paths of v1.", steps: []step{
		{"The authorization server", func(*world) testkit.Request {
			return testkit.Request{Path: "/.well-known/oauth-authorization-server"}
		}},
		{"The protected resource", func(*world) testkit.Request {
			return testkit.Request{Path: "/.well-known/oauth-protected-resource"}
		}},
		{"HEAD", func(*world) testkit.Request {
			return testkit.Request{Method: http.MethodHead, Path: "/.well-known/oauth-protected-resource"}
		}},
		{"The wrong method", func(*world) testkit.Request {
			return testkit.Request{Method: http.MethodPost, Path: "/.well-known/oauth-protected-resource"}
		}},
	}},
}
