package httpapi_test

import (
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// clientStep is a request about the account's applications.
func clientStep(title, method, suffix, body string) step {
	return step{title, func(w *world) testkit.Request { return w.send(method, suffix, body) }}
}

// bridgeStep is a clientStep before which the application "bridge" is added.
func bridgeStep(title, method, suffix, body string) step {
	return step{title, func(w *world) testkit.Request {
		w.addBridge()
		return w.send(method, suffix, body)
	}}
}

func (w *world) addBridge() {
	w.AddClient(oauth.Application{
		ID: "bridge", Account: testkit.Account, Name: "Alarm bridge", Description: "Suspends",
		RedirectURL: "https://bridge.example.com/", Permissions: access.Set(access.ListUsers | access.SuspendUser),
	}, "secret-of-bridge")
}

// byManager has a step sent by an application that may manage and list users, no more.
func byManager(s step) step {
	request := s.request
	s.request = func(w *world) testkit.Request {
		r := request(w)
		r.Token = w.Token(w.AddApplication(access.ReadApplications, access.WriteApplications, access.ListUsers))
		return r
	}
	return s
}

var clientTranscripts = []transcript{
	{name: "clients-list", about: "List OAuth applications.", only: "v1", steps: []step{
		clientStep("The only one", "GET", "", ""),
		bridgeStep("The first page of one", "GET", "?max_page_size=1", ""),
		{"The next page, by its token alone", func(w *world) testkit.Request {
			return w.send("GET", "?page_token="+page(w.Do(w.send("GET", "?max_page_size=1", ""))).NextPageToken, "")
		}},
		{"A page token of the account's users", func(w *world) testkit.Request {
			return w.send("GET", "?page_token="+w.nextPage("max_page_size=1"), "")
		}},
		{"A page token of applications, sent to the users", func(w *world) testkit.Request {
			return w.list("page_token=" + page(w.Do(w.send("GET", "?max_page_size=1", ""))).NextPageToken)
		}},
		clientStep("There is no filter: what it says is ignored", "GET", "?filter=%zz&max_page_size=1", ""),
		clientStep("A negative page size", "GET", "?max_page_size=-1", ""),
		clientStep("HEAD", "HEAD", "", ""),
		clientStep("Wrong method", "PUT", "", ""),
		{"A stranger to the account", func(w *world) testkit.Request {
			r := w.send("GET", "", "")
			r.Path = clients(elsewhere, "")
			return r
		}},
	}},
	{name: "clients-create", about: "Create an OAuth application.", only: "v1", steps: []step{
		clientStep("What is needed", "POST", "", `{"name":"Alarm bridge","permissions":["users.list","users.suspend"]}`),
		clientStep("Everything", "POST", "", `{"name":"Zürich \"7\"","description":"what for","redirect_url":"https://example.com/cb","permissions":["oauth_clients.write"]}`),
		clientStep("No name", "POST", "", `{"permissions":["users.list"]}`),
		clientStep("No permissions", "POST", "", `{"name":"n"}`),
		clientStep("An unknown permission", "POST", "", `{"name":"n","permissions":["users.delete"]}`),
		clientStep("A field that can't be set", "POST", "", `{"name":"n","permissions":["users.list"],"state":"DISABLED"}`),
		clientStep("A repeated field", "POST", "", `{"name":"n","name":"m","permissions":["users.list"]}`),
		clientStep("A name that is none", "POST", "", `{"name":["n"],"permissions":["users.list"]}`),
		clientStep("Something deep", "POST", "", `{"name":{"name":{}}}`),
		clientStep("Text behind the object", "POST", "", `{"name":"n","permissions":["users.list"]} {}`),
		clientStep("No object", "POST", "", `["n"]`),
		clientStep("Nothing", "POST", "", ""),
		clientStep("A redirect URL on localhost", "POST", "", `{"name":"n","redirect_url":"https://localhost/","permissions":["users.list"]}`),
		clientStep("A name of two lines", "POST", "", `{"name":"a\nb","permissions":["users.list"]}`),
		clientStep("Too much", "POST", "", `{"name":"`+strings.Repeat("n", 65536)+`"}`),
		byManager(clientStep("More than the caller holds", "POST", "", `{"name":"n","permissions":["users.list","users.get"]}`)),
		byManager(clientStep("As much as the caller holds", "POST", "", `{"name":"n","permissions":["users.list","oauth_clients.write"]}`)),
	}},
	{name: "clients-update", about: "Get and update an OAuth application.", only: "v1", steps: []step{
		bridgeStep("As it is", "GET", "/bridge", ""),
		clientStep("HEAD", "HEAD", "/bridge", ""),
		clientStep("Another name", "PATCH", "/bridge", `{"name":"Bridge"}`),
		clientStep("Nothing", "PATCH", "/bridge", `{}`),
		clientStep("All there is; null takes away", "PATCH", "/bridge", `{"name":"B","description":null,"redirect_url":null,"permissions":["users.list"]}`),
		clientStep("A name can't be taken away", "PATCH", "/bridge", `{"name":null}`),
		clientStep("Nor all permissions", "PATCH", "/bridge", `{"permissions":[]}`),
		clientStep("Nor null", "PATCH", "/bridge", `{"permissions":null}`),
		clientStep("What can't be set", "PATCH", "/bridge", `{"account_id":"x"}`),
		clientStep("An unknown application", "PATCH", "/nobody", `{"name":"n"}`),
		clientStep("An odd id is just not found", "GET", "/a%2Fb%00", ""),
		byManager(clientStep("Giving what the caller lacks", "PATCH", "/bridge", `{"permissions":["users.get"]}`)),
		byManager(clientStep("An application that holds more", "PATCH", "/payroll", `{"redirect_url":"https://evil.example.com/"}`)),
		byManager(clientStep("Its secret", "POST", "/payroll:rotate-secret", "")),
		{"A reader", func(w *world) testkit.Request {
			return bearer(w.send("PATCH", "/bridge", `{"nonsense":1}`), w.Token(w.AddApplication(access.ReadApplications)))
		}},
		clientStep("Wrong method", "POST", "/bridge", ""),
	}},
	{name: "clients-secret", about: "Rotate a client secret and end tokens.", only: "v1", steps: []step{
		bridgeStep("With an overlap of an hour", "POST", "/bridge:rotate-secret", `{"overlap":"3600s"}`),
		{"Both work, and one was used", func(w *world) testkit.Request {
			w.Clock.Advance(1500 * time.Millisecond)
			w.Token(testkit.Application{ID: "bridge", Secret: "secret-of-bridge"})
			return w.send("GET", "/bridge", "")
		}},
		clientStep("At once", "POST", "/bridge:rotate-secret", ""),
		clientStep("Of no time", "POST", "/bridge:rotate-secret", `{"overlap":"0s"}`),
		clientStep("Too long", "POST", "/bridge:rotate-secret", `{"overlap":"604801s"}`),
		clientStep("In hours", "POST", "/bridge:rotate-secret", `{"overlap":"1h"}`),
		clientStep("In other words", "POST", "/bridge:rotate-secret", `{"overlap_seconds":"1s"}`),
		clientStep("All tokens", "POST", "/bridge/tokens:revoke", ""),
		clientStep("With a body", "POST", "/bridge/tokens:revoke", `{"all":true}`),
		clientStep("An unknown application", "POST", "/nobody/tokens:revoke", ""),
		clientStep("An unknown verb", "POST", "/bridge/tokens:issue", ""),
	}},
	{name: "clients-state", about: "Disable, enable and delete an OAuth application.", only: "v1", steps: []step{
		bridgeStep("Disable", "POST", "/bridge:disable", ""),
		clientStep("Again: nothing changes", "POST", "/bridge:disable", "{}"),
		clientStep("Enable", "POST", "/bridge:enable", ""),
		clientStep("With a body", "POST", "/bridge:enable", `{"for":"ever"}`),
		clientStep("An unknown application", "POST", "/nobody:enable", ""),
		clientStep("Delete with a body", "DELETE", "/bridge", `{"sure":true}`),
		clientStep("Delete", "DELETE", "/bridge", ""),
		clientStep("Again", "DELETE", "/bridge", ""),
		{"The caller itself", func(w *world) testkit.Request { return w.send("DELETE", "/payroll", "") }},
		clientStep("And then", "GET", "", ""),
	}},
	{name: "clients-limit", about: "Over the limits of management, here 1 read and 1 change a minute.", only: "v1",
		options: testkit.Options{Limits: throttle.Settings{ManagementReadsPerMinute: 1, ManagementWritesPerMinute: 1}},
		steps: []step{
			bridgeStep("The first read", "GET", "/bridge", ""),
			clientStep("One too many", "GET", "", ""),
			clientStep("The first change", "POST", "/bridge:disable", ""),
			clientStep("One too many", "DELETE", "/bridge", ""),
		}},
}
