package httpapi_test

import (
	"net/http"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

func listStep(title, query string) step {
	return step{title, func(w *world) testkit.Request { return w.list(query) }}
}

func getStep(title, user string) step {
	return step{title, func(w *world) testkit.Request { return w.get(user) }}
}

func postStep(title, user string) step {
	return step{title, func(w *world) testkit.Request { return w.post(user) }}
}

func bodyStep(title, user, body string) step {
	return step{title, func(w *world) testkit.Request {
		r := w.post(user)
		r.Body = body
		return r
	}}
}

var resourceTranscripts = []transcript{
	{name: "list", about: "List users (contract section 4).", steps: []step{
		listStep("Everybody: pending people are not there", ""),
		listStep("The first page of two people", "max_page_size=2"),
		{"The next page, by its token alone: filter and size come out of it", func(w *world) testkit.Request {
			return w.list("page_token=" + w.nextPage("max_page_size=2"))
		}},
		{"The page token's other spelling, and another size, which wins", func(w *world) testkit.Request {
			return w.list("maxPageSize=1&pageToken=" + w.nextPage("max_page_size=2"))
		}},
		listStep("Only active users", "filter=user.isActive()"),
		listStep("Only suspended users", "filter=%20user.isSuspended()+"),
		{"Nobody matches", func(w *world) testkit.Request {
			w.Do(w.post("SUSPENDED:reactivate"))
			return w.list("filter=user.isSuspended()")
		}},
		{"HEAD", func(w *world) testkit.Request {
			r := w.list("")
			r.Method = http.MethodHead
			return r
		}},
		listStep("Unknown parameters are ignored", "max_page_size=1&order_by=email&order_by=id&broken=%zz"),
		listStep("Another filter", "filter=user.isPending()"),
		listStep("A negative page size", "max_page_size=-1"),
		listStep("A page size that is no int32", "max_page_size=2147483648"),
		listStep("A page token that is none", "page_token=nonsense"),
		{"A page token with another filter than it was made with", func(w *world) testkit.Request {
			return w.list("filter=user.isActive()&page_token=" + w.nextPage("max_page_size=2"))
		}},
		listStep("Both spellings with different values", "max_page_size=1&maxPageSize=2"),
		listStep("A repeated parameter", "filter=&filter="),
		listStep("A broken escape", "filter=%zz"),
	}},
	{name: "get", about: "Get user (contract sections 3 to 5).", steps: []step{
		getStep("An active user", "ACTIVE"),
		getStep("A suspended user", "SUSPENDED"),
		getStep("A time with a fraction", "EXTERNAL"),
		{"HEAD", func(w *world) testkit.Request {
			r := w.get("ACTIVE")
			r.Method = http.MethodHead
			return r
		}},
		getStep("An unknown user", "UNKNOWN"),
		getStep("A user of another account", "STRANGER"),
		getStep("A pending user", "PENDING"),
		getStep("An odd id is just not found", "a%2Fb%00"),
	}},
	{name: "suspend", about: "Suspend user (contract sections 4 and 5).", steps: []step{
		postStep("An active user", "ACTIVE:suspend"),
		postStep("Again: nothing changes", "ACTIVE:suspend"),
		postStep("The colon escaped", "ACTIVE%3Asuspend"),
		bodyStep("An empty object as body", "ACTIVE:suspend", " {}\n"),
		bodyStep("Any other body", "ACTIVE:suspend", `{"reason":"left"}`),
		postStep("An unknown user", "UNKNOWN:suspend"),
		postStep("A user of another account", "STRANGER:suspend"),
		postStep("A pending user", "PENDING:suspend"),
		postStep("The last owner", "OWNER:suspend"),
		postStep("An externally managed administrator", "EXTERNAL:suspend"),
		postStep("An id with a colon", "a:b:suspend"),
	}},
	{name: "reactivate", about: "Reactivate user (contract sections 4 and 5).", steps: []step{
		postStep("A suspended user", "SUSPENDED:reactivate"),
		postStep("Again: nothing changes", "SUSPENDED:reactivate"),
		bodyStep("Any body but {}", "SUSPENDED:reactivate", "null"),
		postStep("An unknown user", "UNKNOWN:reactivate"),
		postStep("A user of another account", "STRANGER:reactivate"),
		postStep("A pending user", "PENDING:reactivate"),
	}},
	{name: "users-limit", about: "Over the limit of the Users API, here 2 a minute (contract sections 2 and 9).",
		options: testkit.Options{Limits: throttle.Settings{UsersPerMinute: 2, UsersPerHour: 100}},
		steps: []step{
			getStep("The first", "ACTIVE"),
			getStep("The second; what is not found counts too", "UNKNOWN"),
			getStep("One too many", "ACTIVE"),
			{"Another token of the same application changes nothing", func(w *world) testkit.Request {
				w.token = w.Token(w.app)
				return w.list("")
			}},
		}},
}
