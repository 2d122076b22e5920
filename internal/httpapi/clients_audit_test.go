package httpapi_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// did is the entry of what payroll did to bridge.
func did(action audit.Action, outcome audit.Outcome, detail string) audit.Entry {
	return audit.Entry{
		Account: account, ActorKind: application, Actor: "payroll", Action: action, Target: "bridge", Outcome: outcome, Detail: detail,
	}
}

func clientAct(name, method, suffix, body string, want audit.Entry) act {
	return act{name, func(w *world) testkit.Request { return w.send(method, suffix, body) }, want}
}

var clientActs = []act{
	clientAct("renamed and narrowed", "PATCH", "/bridge", `{"name":"B \"1\"","description":null,"permissions":["users.list"]}`,
		did(audit.ApplicationUpdate, audit.Done, `permissions: "users.list users.suspend" -> "users.list"; name: "Alarm bridge" -> "B \"1\""; description: "Suspends" -> ""`)),
	clientAct("the same again", "PATCH", "/bridge", `{"permissions":["users.list"]}`, did(audit.ApplicationUpdate, audit.Unchanged, "")),
	clientAct("nonsense", "PATCH", "/bridge", `{"name":7}`, audit.Entry{}),
	clientAct("an empty name", "PATCH", "/bridge", `{"name":""}`, audit.Entry{}),
	clientAct("rotated", "POST", "/bridge:rotate-secret", `{"overlap":"60s"}`, did(audit.ApplicationRotate, audit.Done, "overlap 1m0s")),
	clientAct("disabled", "POST", "/bridge:disable", "", did(audit.ApplicationDisable, audit.Done, "")),
	clientAct("disabled again", "POST", "/bridge:disable", "", did(audit.ApplicationDisable, audit.Unchanged, "")),
	clientAct("enabled", "POST", "/bridge:enable", "", did(audit.ApplicationEnable, audit.Done, "")),
	clientAct("tokens ended", "POST", "/bridge/tokens:revoke", "", did(audit.ApplicationRevoke, audit.Done, "")),
	clientAct("read", "GET", "/bridge", "", audit.Entry{}),
	clientAct("unknown", "DELETE", "/nobody", "", audit.Entry{}),
	clientAct("deleted", "DELETE", "/bridge", "", did(audit.ApplicationDelete, audit.Done, `was enabled: B "1": users.list`)),
}

// TestManagementAudit: what was done leaves exactly its entry, with what was before and
// what is after.
func TestManagementAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	w.addBridge()
	for i, a := range clientActs {
		w.Do(with(with(a.request(w), "X-Request-Id", fmt.Sprintf("act-%d", i)), "User-Agent", agent))
	}
	got := w.entriesByRequest()
	for i, a := range clientActs {
		compareEntries(t, a, ident.RequestID(fmt.Sprintf("act-%d", i)), got)
	}
}

// TestManagementDenials: who tried to take or give what they lack is in the record, in
// their own account.
func TestManagementDenials(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	app := w.AddApplication(access.WriteApplications)
	token := w.Token(app)
	denied := func(action audit.Action, target, detail string) audit.Entry {
		return audit.Entry{
			Account: account, ActorKind: application, Actor: string(app.ID), Action: action, Target: target,
			Outcome: audit.Denied, Detail: detail,
		}
	}
	const all = "users.list users.get users.suspend users.reactivate oauth_clients.read"
	acts := []act{
		clientAct("take over", "POST", "/payroll:rotate-secret", "", denied(audit.ApplicationRotate, "payroll", "the caller lacks "+all+" itself")),
		clientAct("sabotage", "DELETE", "/payroll", "", denied(audit.ApplicationDelete, "payroll", "the caller lacks "+all+" itself")),
		clientAct("grant", "POST", "", `{"name":"n","permissions":["users.get"]}`, denied(audit.ApplicationCreate, "", "the caller lacks users.get itself")),
		clientAct("climb", "PATCH", "/"+string(app.ID), `{"permissions":["users.get","oauth_clients.write"]}`,
			denied(audit.ApplicationUpdate, string(app.ID), "the caller lacks users.get itself")),
		clientAct("read", "GET", "/payroll", "", denied(audit.ApplicationGet, "payroll", "the application lacks oauth_clients.read")),
		{"elsewhere", func(w *world) testkit.Request {
			r := w.send("POST", "", `{"nonsense":1}`)
			r.Path = clients(elsewhere, "/C:disable")
			return r
		}, denied(audit.ApplicationDisable, "C", "in account "+elsewhere)},
	}
	for i, a := range acts {
		r := bearer(a.request(w), token)
		expect(t, w.Do(with(with(r, "X-Request-Id", fmt.Sprintf("act-%d", i)), "User-Agent", agent)), 403)
	}
	got := w.entriesByRequest()
	for i, a := range acts {
		compareEntries(t, a, ident.RequestID(fmt.Sprintf("act-%d", i)), got)
	}
}
