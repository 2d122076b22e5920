package httpapi_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

const (
	account     = ident.AccountID(testkit.Account)
	application = access.Application
)

// act is a request and the one entry it leaves; an entry without action = none at all.
type act struct {
	name    string
	request func(*world) testkit.Request
	want    audit.Entry
}

var acts = []act{
	{"token issued", func(w *world) testkit.Request { return w.form("/token", grant) },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.TokenIssue, Outcome: audit.Done}},
	{"wrong secret", func(w *world) testkit.Request {
		return with(anonymous(w.form("/token", grant)), "Authorization", basicHeader("payroll:guess"))
	}, audit.Entry{Account: account, Actor: "payroll", Action: audit.TokenIssue, Outcome: audit.Refused, Detail: "client authentication failed"}},
	{"unknown client", func(w *world) testkit.Request {
		return with(anonymous(w.form("/token", grant)), "Authorization", basicHeader("nobody:guess"))
	}, audit.Entry{Actor: "nobody", Action: audit.TokenIssue, Outcome: audit.Refused, Detail: "client authentication failed"}},
	{"credentials that are none", func(w *world) testkit.Request {
		return with(anonymous(w.form("/token", grant)), "Authorization", "Basic !")
	}, audit.Entry{Action: audit.TokenIssue, Outcome: audit.Refused, Detail: "the Basic credentials are not base64"}},
	{"no form", func(w *world) testkit.Request { return with(w.form("/token", grant), "Content-Type", "text/plain") }, audit.Entry{}},
	{"another grant", func(w *world) testkit.Request { return w.form("/token", "grant_type=password") },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.TokenIssue, Outcome: audit.Refused, Detail: "grant_type must be client_credentials"}},
	{"another client id", func(w *world) testkit.Request { return w.form("/token", grant+"&client_id=other") },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.TokenIssue, Outcome: audit.Refused, Detail: "client_id differs from the one in the Authorization header"}},
	{"token revoked", func(w *world) testkit.Request { return w.form("/revoke", "token="+w.Token(w.app)) },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.TokenRevoke, Outcome: audit.Done}},
	{"unknown token revoked", func(w *world) testkit.Request { return w.form("/revoke", "token=unknown") }, audit.Entry{}},
	{"suspended", func(w *world) testkit.Request { return w.post("ACTIVE:suspend") },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserSuspend, Target: "ACTIVE", Outcome: audit.Done}},
	{"suspended again", func(w *world) testkit.Request { return w.post("ACTIVE:suspend") },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserSuspend, Target: "ACTIVE", Outcome: audit.Unchanged}},
	{"reactivated", func(w *world) testkit.Request { return w.post("ACTIVE:reactivate") },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserReactivate, Target: "ACTIVE", Outcome: audit.Done}},
	{"last owner", func(w *world) testkit.Request { return w.post("OWNER:suspend") },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserSuspend, Target: "OWNER", Outcome: audit.Refused, Detail: "no_owner_remain"}},
	{"externally managed", func(w *world) testkit.Request { return w.post("EXTERNAL:suspend") },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserSuspend, Target: "EXTERNAL", Outcome: audit.Refused, Detail: "externally_managed_user"}},
	{"unknown user", func(w *world) testkit.Request { return w.post("UNKNOWN:suspend") },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserSuspend, Target: "UNKNOWN", Outcome: audit.Refused, Detail: "not_found"}},
	{"secret as user id", func(w *world) testkit.Request { return w.post("rct_guess:suspend") },
		audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserSuspend, Target: "[a secret in the wrong place]", Outcome: audit.Refused, Detail: "not_found"}},
	{"unexpected body", func(w *world) testkit.Request {
		r := w.post("ACTIVE:suspend")
		r.Body = "{\"now\":true}"
		return r
	}, audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserSuspend, Target: "ACTIVE", Outcome: audit.Refused, Detail: "the request body must be empty or {}"}},
	{"another account", func(w *world) testkit.Request {
		r := w.post("STRANGER:suspend")
		r.Path = w.user(elsewhere, "STRANGER:suspend")
		return r
	}, audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserSuspend, Target: "STRANGER", Outcome: audit.Denied, Detail: "in account " + elsewhere}},
	{"bad token", func(w *world) testkit.Request {
		r := w.get("ACTIVE")
		r.Token = "rct_nonsense"
		return r
	}, audit.Entry{Action: audit.Authenticate, Outcome: audit.Refused, Detail: "the access token does not count"}},
	{"read", func(w *world) testkit.Request { return w.list("") }, audit.Entry{}},
	{"bad filter", func(w *world) testkit.Request { return w.list("filter=x") }, audit.Entry{}},
	{"no credentials", func(w *world) testkit.Request { return anonymous(w.list("")) }, audit.Entry{}},
}

const agent = `Partner/1.0 ("quoted")`

// TestAudit: what was done leaves exactly its entry, and the entry says who, what, on
// whom, with what outcome, when, and from where.
func TestAudit(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		for i, a := range acts {
			r := with(with(a.request(w), "X-Request-Id", fmt.Sprintf("act-%d", i)), "User-Agent", agent)
			w.Do(r)
		}
		got := w.entriesByRequest()
		for i, a := range acts {
			compareEntries(t, a, ident.RequestID(fmt.Sprintf("act-%d", i)), got)
		}
	})
}

// entriesByRequest reads the entries of all accounts that are there, by request.
func (w *world) entriesByRequest() map[ident.RequestID][]audit.Entry {
	byRequest := map[ident.RequestID][]audit.Entry{}
	for _, a := range []ident.AccountID{account, elsewhere, ""} {
		for _, e := range w.Entries(a) {
			byRequest[e.RequestID] = append(byRequest[e.RequestID], e)
		}
	}
	return byRequest
}

func compareEntries(t *testing.T, a act, id ident.RequestID, all map[ident.RequestID][]audit.Entry) {
	t.Helper()
	var want []audit.Entry
	if a.want.Action != "" {
		e := a.want
		e.At, e.Address, e.UserAgent, e.RequestID, e.Count = testkit.Epoch, netip.MustParseAddr("127.0.0.1"), agent, id, 1
		want = []audit.Entry{e}
	}
	chain := cmpopts.IgnoreFields(audit.Entry{}, "ID", "Seq", "Prev", "Hash")
	if diff := cmp.Diff(want, all[id], chain, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("%s (-want +got):\n%s", a.name, diff)
	}
	text := fmt.Sprintf("%+v", all[id])
	for _, secret := range []string{"rct_", "guess", "secret-of-payroll"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s: the entry holds %q: %s", a.name, secret, text)
		}
	}
}

// TestAuditOfLimitsAndDenials: what can't be told in one world with the other acts.
func TestAuditOfLimitsAndDenials(t *testing.T) {
	t.Parallel()
	limits := throttle.Settings{UsersPerMinute: 1, TokenPerMinute: 3, AuthFailuresPerMinute: 2}
	bothVersions(t, testkit.Options{Limits: limits}, func(t *testing.T, w *world) {
		reader := w.AddApplication(access.ListUsers)
		readers := w.Token(reader)
		steps := []act{
			{"denied", func(w *world) testkit.Request { r := w.get("ACTIVE"); r.Token = readers; return r },
				audit.Entry{Account: account, ActorKind: application, Actor: string(reader.ID), Action: audit.UserGet, Target: "ACTIVE", Outcome: audit.Denied, Detail: "the application lacks users.get"}},
			{"admitted", func(w *world) testkit.Request { return w.get("ACTIVE") }, audit.Entry{}},
			{"over the users limit", func(w *world) testkit.Request { return w.post("ACTIVE:suspend") },
				audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.UserSuspend, Target: "ACTIVE", Outcome: audit.Limited, Detail: "1 request a minute for this application"}},
			{"token", func(w *world) testkit.Request { return w.form("/token", "grant_type=x") },
				audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.TokenIssue, Outcome: audit.Refused, Detail: "grant_type must be client_credentials"}},
			{"revoke", func(w *world) testkit.Request { return w.form("/revoke", "token=x") }, audit.Entry{}},
			{"over the token limit", func(w *world) testkit.Request { return w.form("/revoke", "token=x") },
				audit.Entry{Account: account, ActorKind: application, Actor: "payroll", Action: audit.TokenRevoke, Outcome: audit.Limited, Detail: "3 token requests a minute for this application"}},
			{"expired token", func(w *world) testkit.Request {
				w.Clock.Advance(15 * time.Minute)
				return w.get("ACTIVE")
			}, audit.Entry{Account: account, Actor: "payroll", Action: audit.Authenticate, Outcome: audit.Refused, Detail: "the access token does not count"}},
			{"the same again", func(w *world) testkit.Request { return w.get("ACTIVE") },
				audit.Entry{Account: account, Actor: "payroll", Action: audit.Authenticate, Outcome: audit.Refused, Detail: "the access token does not count"}},
			{"over the failures limit", func(w *world) testkit.Request { return w.get("ACTIVE") },
				audit.Entry{Action: audit.UserGet, Target: "ACTIVE", Outcome: audit.Limited, Detail: "2 authentication failures a minute for this network address"}},
		}
		for i, a := range steps {
			w.Do(with(with(a.request(w), "X-Request-Id", fmt.Sprintf("act-%d", i)), "User-Agent", agent))
		}
		got := w.entriesByRequest()
		for i, a := range steps {
			id := ident.RequestID(fmt.Sprintf("act-%d", i))
			for j := range got[id] { // the clock moved in between
				got[id][j].At = testkit.Epoch
			}
			compareEntries(t, a, id, got)
		}
	})
}

// TestLogLines: a request is one line that names it; what clients write into names and
// agents is escaped in it, and what they send in queries and headers is not there.
func TestLogLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	r := with(with(w.get("UNKNOWN%0Auser"), "User-Agent", "a\tb"), "X-Request-Id", "the-request")
	r.Path += "?access_token=in-the-query"
	r.Header.Set("X-Secret", "in-a-header")
	w.Do(r)
	w.Do(with(w.post("ACTIVE:suspend"), "X-Request-Id", "another"))
	w.Stop()
	logs := w.Logs()
	if n := strings.Count(logs, `"request_id":"the-request"`); n != 1 {
		t.Errorf("lines of the request: got %d, want 1 in\n%s", n, logs)
	}
	for line := range strings.Lines(logs) {
		if !strings.HasPrefix(line, "{") || !strings.HasSuffix(line, "}\n") {
			t.Errorf("a line is no JSON object: %q", line)
		}
	}
	for _, private := range []string{"in-the-query", "in-a-header", "Bearer"} {
		if strings.Contains(logs, private) {
			t.Errorf("the logs hold %q:\n%s", private, logs)
		}
	}
	for _, part := range []string{`"operation":"v1.getUser"`, `"client":"payroll"`, `"status":404`, `"user":"UNKNOWN\nuser"`} {
		if !strings.Contains(logs, part) {
			t.Errorf("the logs lack %s:\n%s", part, logs)
		}
	}
}

// TestChangesAreAuditedOnce: of two suspensions only the first is a change, on the chain.
func TestChangesAreAuditedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	id := w.AddUser(directory.User{}).ID
	for range 3 {
		expect(t, w.Do(w.post(string(id)+":suspend")), 200)
	}
	changes := 0
	for _, e := range w.Entries(account) {
		if e.Target == string(id) && e.IsChange() {
			changes++
		}
	}
	if changes != 1 {
		t.Errorf("changes: got %d, want 1", changes)
	}
}

// TestTokensHangUnderTheLastChange: the entry of a token names the change before it, also where that
// was made between two tokens of the same application.
func TestTokensHangUnderTheLastChange(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		for i := range 3 {
			expect(t, w.Do(w.post([]string{"ACTIVE:suspend", "ACTIVE:reactivate"}[i%2])), 200)
			expect(t, w.Do(with(w.form("/token", grant), "X-Request-Id", fmt.Sprintf("token-%d", i))), 200)
			var last, token audit.Entry
			for _, e := range w.Entries(account) {
				if e.IsChange() && e.Seq > last.Seq {
					last = e
				}
				if string(e.RequestID) == fmt.Sprintf("token-%d", i) {
					token = e
				}
			}
			if last.Seq == 0 || token.Seq != last.Seq || token.Prev != last.Hash {
				t.Errorf("token %d hangs under entry %d (%x), want %d (%x)", i, token.Seq, token.Prev, last.Seq, last.Hash)
			}
		}
	})
}
