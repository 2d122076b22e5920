package httpapi_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

func authorizationStep(title, value string) step {
	return step{title, func(w *world) testkit.Request {
		return with(anonymous(w.get("ACTIVE")), "Authorization", value)
	}}
}

// asReader is a request by an application that may only list.
func asReader(request func(*world) testkit.Request) func(*world) testkit.Request {
	return func(w *world) testkit.Request {
		r := request(w)
		r.Token = w.Token(w.AddApplication(access.ListUsers))
		return r
	}
}

var refusalTranscripts = []transcript{
	{name: "authentication", about: "Requests that say nothing good about who sends them (contract section 5).", steps: []step{
		{"No credentials", func(w *world) testkit.Request { return anonymous(w.get("ACTIVE")) }},
		authorizationStep("Another scheme", "Basic cGF5cm9sbDpzZWNyZXQ="),
		authorizationStep("A scheme without a token", "Bearer"),
		authorizationStep("An unknown token", "Bearer rct_unknown"),
		{"The scheme in another case", func(w *world) testkit.Request {
			return with(anonymous(w.get("ACTIVE")), "Authorization", "bEARER "+w.token)
		}},
		{"A token in the query is ignored", func(w *world) testkit.Request {
			return anonymous(w.list("access_token=" + w.token))
		}},
		{"A token in the body is ignored", func(w *world) testkit.Request {
			r := anonymous(w.post("ACTIVE:suspend"))
			r.Body = "access_token=" + w.token
			return with(r, "Content-Type", formType)
		}},
		{"An expired token", func(w *world) testkit.Request {
			w.Clock.Advance(15 * time.Minute)
			return w.get("ACTIVE")
		}},
		{"A token of an application that is disabled", func(w *world) testkit.Request {
			app := w.AddApplication()
			w.token = w.Token(app)
			w.Disable(app)
			return w.get("ACTIVE")
		}},
		{"A token of an application that is deleted", func(w *world) testkit.Request {
			app := w.AddApplication()
			w.token = w.Token(app)
			w.Delete(app)
			return w.get("ACTIVE")
		}},
	}},
	{name: "permission", about: "Requests by someone known who may not (contract section 5).", steps: []step{
		{"The application lacks the permission", asReader(func(w *world) testkit.Request { return w.get("ACTIVE") })},
		{"which is said before whether the user exists", asReader(func(w *world) testkit.Request { return w.post("UNKNOWN:suspend") })},
		{"and before what is wrong with the request", asReader(func(w *world) testkit.Request {
			r := w.post("ACTIVE:reactivate")
			r.Body = "nonsense"
			return r
		})},
		{"Another account, which exists", func(w *world) testkit.Request {
			return testkit.Request{Path: w.users(elsewhere), Token: w.token}
		}},
		{"Another account, which does not", func(w *world) testkit.Request {
			return testkit.Request{Path: w.users("NOWHERE"), Token: w.token}
		}},
	}},
	{name: "provisioning", about: "An account whose directory is provisioned by SCIM, with the policy to refuse (contract section 8).", steps: []step{
		{"Suspend", func(w *world) testkit.Request { return w.provisioned("ACTIVE:suspend") }},
		{"Reactivate", func(w *world) testkit.Request { return w.provisioned("SUSPENDED:reactivate") }},
	}},
	{name: "routes", about: "Routes and methods that are not there (contract sections 1 and 5).", steps: []step{
		{"An unknown route", func(*world) testkit.Request { return testkit.Request{Path: "/v1/nothing"} }},
		postStep("An unknown verb", "ACTIVE:promote"),
		getStep("GET of an action", "ACTIVE:suspend"),
		postStep("POST to a user", "ACTIVE"),
		{"DELETE of a list", func(w *world) testkit.Request {
			r := w.list("")
			r.Method = http.MethodDelete
			return r
		}},
		getStep("A trailing slash", "ACTIVE/"),
		{"Metrics are elsewhere", func(*world) testkit.Request { return testkit.Request{Path: "/metrics"} }},
	}},
	{name: "caps", about: "Requests that are too large (contract section 10).", steps: []step{
		bodyStep("A body over 64 KiB", "ACTIVE:suspend", strings.Repeat("x", 65537)),
		{"A request target over 16 KiB", func(w *world) testkit.Request { return w.list("x=" + strings.Repeat("x", 16384)) }},
		{"Headers over 32 KiB", func(w *world) testkit.Request {
			return with(w.list(""), "X-Filler", strings.Repeat("x", 32768))
		}},
	}},
	{name: "storage", about: "Without storage (contract section 5).", steps: []step{
		{"List", func(w *world) testkit.Request { w.Break(); return w.list("") }},
		postStep("Suspend", "ACTIVE:suspend"),
		tokenStep("Token", grant),
		{"Once the storage is back", func(w *world) testkit.Request { w.Mend(); return w.get("ACTIVE") }},
	}},
	{name: "defect", about: "A defect of the server: randomness fails. Nothing inside is told.", steps: []step{
		{"List", func(w *world) testkit.Request {
			w.nextPage("max_page_size=1")
			w.rand.broken.Store(true)
			return w.list("max_page_size=1")
		}},
		tokenStep("Token", grant),
	}},
}

// provisioned is an action in an account with the policy to refuse.
func (w *world) provisioned(user string) testkit.Request {
	account := ident.AccountID("SCIM-" + user[:6])
	w.AddAccount(directory.Account{ID: account, Provisioning: directory.RefuseProvisioning})
	w.AddUser(directory.User{Account: account, ID: "ACTIVE"})
	w.AddUser(directory.User{Account: account, ID: "SUSPENDED", State: directory.Suspended})
	r := w.post(user)
	r.Path = w.user(string(account), user)
	r.Token = w.Token(w.AddApplicationTo(account))
	return r
}
