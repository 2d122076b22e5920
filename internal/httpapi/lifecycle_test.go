package httpapi_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestActionBodies: which bodies an action takes, whatever their type (each empty one
// has another), and that it does nothing where it refuses.
func TestActionBodies(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		types := []string{"", "application/json", formType, "nonsense"}
		for i, c := range []struct {
			body string
			want int
		}{
			{"", 200}, {"", 200}, {"", 200}, {"", 200}, {" ", 200}, {"\r\n\t ", 200}, {"{}", 200}, {" {} ", 200}, {"{ \n }", 200},
			{strings.Repeat(" ", 65536), 200}, {strings.Repeat(" ", 65534) + "{}", 200},
			{"{}{}", 400}, {"{", 400}, {"[]", 400}, {"null", 400}, {`""`, 400}, {"0", 400}, {`{"a":1}`, 400}, {"\x00", 400},
			{"\u00a0", 400}, {"\ufeff{}", 400}, {strings.Repeat("x", 65536), 400},
			{strings.Repeat(" ", 65537), 413},
		} {
			expect(t, w.Do(w.post("ACTIVE:reactivate")), http.StatusOK)
			r := with(w.post("ACTIVE:suspend"), "Content-Type", types[i%len(types)])
			r.Body = c.body
			expect(t, w.Do(r), c.want)
			suspended := user(w.Do(w.get("ACTIVE"))).State == api.StateSuspended
			if suspended != (c.want == http.StatusOK) {
				t.Errorf("body %.20q: suspended: got %t", c.body, suspended)
			}
		}
	})
}

// TestFraming: bodies by chunks, with and without a length, and without any of both.
func TestFraming(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		head := "POST " + w.user(w.Account, "ACTIVE:suspend") + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + w.token + "\r\n"
		big := "10001\r\n" + strings.Repeat(" ", 65537) + "\r\n0\r\n\r\n"
		for name, c := range map[string]struct {
			rest string
			want int
		}{
			"neither":          {"\r\n", 200},
			"length 0":         {"Content-Length: 0\r\n\r\n", 200},
			"no chunks":        {"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200},
			"chunks":           {"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 200},
			"wrong chunks":     {"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n", 400},
			"broken chunks":    {"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
			"too many chunks":  {"Transfer-Encoding: chunked\r\n\r\n" + big, 413},
			"length over 64Ki": {"Content-Length: 65537\r\n\r\n", 413}, // refused before a byte of it is read
			"expectation":      {"Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n", 413},
		} {
			if r := w.raw(t, head+c.rest); r.Status != c.want {
				t.Errorf("%s: got %d %s, want %d", name, r.Status, r.Body, c.want)
			}
		}
		// OAuth forms have the same cap.
		form := "POST " + w.oauth + "/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: " + formType + "\r\nAuthorization: " +
			basicHeader("payroll:secret-of-payroll") + "\r\nTransfer-Encoding: chunked\r\n\r\n"
		r := w.raw(t, form+"10001\r\n"+strings.Repeat("x", 65537)+"\r\n0\r\n\r\n")
		if r.Status != http.StatusRequestEntityTooLarge || oauthError(r).Error != "invalid_request" {
			t.Errorf("form: got %d %s, want 413 invalid_request", r.Status, r.Body)
		}
	})
}

// TestRevocation: it ends the client's own token at once, and nobody else's.
func TestRevocation(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		other := w.AddApplication()
		theirs, first, second := w.Token(other), w.Token(w.app), w.Token(w.app)
		for _, body := range []string{
			"token=" + theirs, "token=" + first, "token=" + first, "token=rct_x&token_type_hint=nonsense",
			"token=%00", "token=" + strings.Repeat("x", 60000), "token=x&unknown=1", "token=x&client_id=payroll",
		} {
			r := w.Do(w.form("/revoke", body))
			if _, typed := r.Header["Content-Type"]; r.Status != http.StatusOK || r.Body != "" || typed {
				t.Errorf("%.40s: got %d %q, Content-Type %v, want an empty 200", body, r.Status, r.Body, r.Header["Content-Type"])
			}
		}
		for token, want := range map[string]int{theirs: 200, first: 401, second: 200, w.token: 200} {
			r := w.get("ACTIVE")
			r.Token = token
			expect(t, w.Do(r), want)
		}
		for _, body := range []string{"", "token=", "token=x&token=x", "token=x&client_id=other", "token=x&client_secret=secret-of-payroll", "token=%z"} {
			r := w.Do(w.form("/revoke", body))
			if r.Status != http.StatusBadRequest || oauthError(r).Error != "invalid_request" {
				t.Errorf("%q: got %d %s, want 400 invalid_request", body, r.Status, r.Body)
			}
		}
	})
}

// TestLastOwners: of suspensions that race for the last owners exactly one owner is left.
func TestLastOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	for round := range 20 {
		a := w.AddAccount(directory.Account{}).ID
		owners := []string{directory.Owners}
		w.AddUsers(directory.User{Account: a, ID: "A", Groups: owners}, directory.User{Account: a, ID: "B", Groups: owners},
			directory.User{Account: a, ID: "C", Groups: owners, State: directory.Suspended})
		token := w.Token(w.AddApplicationTo(a))
		answers := make([]testkit.Response, 2)
		var race sync.WaitGroup
		for i, id := range []string{"A", "B"} {
			race.Go(func() { answers[i] = w.Post(token, versions[round%2].user(string(a), id+":suspend")) })
		}
		race.Wait()
		refused := 0
		for _, r := range answers {
			if r.Status == http.StatusForbidden && status(r).Message == api.MessageNoOwnerRemain {
				refused++
			}
		}
		if n := w.ActiveOwners(a); refused != 1 || n != 1 {
			t.Fatalf("round %d: %d refused, %d owners left, want 1 and 1: %v", round, refused, n, answers)
		}
	}
}

// TestProvisioning: an account's policy decides before any rule about the person, but
// nobody learns of people who are not there.
func TestProvisioning(t *testing.T) {
	t.Parallel()
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, v, testkit.Options{})
			for policy, cases := range map[directory.Provisioning]map[string]string{
				directory.RefuseProvisioning: {
					"A:suspend": api.MessageAutomatedProvisioningEnabled, "S:suspend": api.MessageAutomatedProvisioningEnabled,
					"S:reactivate": api.MessageAutomatedProvisioningEnabled, "A:reactivate": api.MessageAutomatedProvisioningEnabled,
					"E:suspend": api.MessageAutomatedProvisioningEnabled, "O:suspend": api.MessageAutomatedProvisioningEnabled,
					"P:suspend": api.MessageNotFound, "X:suspend": api.MessageNotFound,
				},
				directory.AllowProvisioning: {
					"A:suspend": "", "S:reactivate": "", "E:suspend": api.MessageExternallyManagedUser, "O:suspend": api.MessageNoOwnerRemain,
					"P:suspend": api.MessageNotFound,
				},
			} {
				account := w.AddAccount(directory.Account{Provisioning: policy}).ID
				w.AddUsers(cast(account)...)
				token := w.Token(w.AddApplicationTo(account))
				for action, want := range cases {
					if r := w.Post(token, w.user(string(account), action)); status(r).Message != want {
						t.Errorf("%s, %s: got %d %s, want %q", policy, action, r.Status, r.Body, want)
					}
				}
			}
		})
	}
}

// cast is one person of each sort: active, suspended, pending, external, owner.
func cast(account ident.AccountID) []directory.User {
	return []directory.User{
		{Account: account, ID: "A"},
		{Account: account, ID: "S", State: directory.Suspended},
		{Account: account, ID: "P", State: directory.Pending},
		{Account: account, ID: "E", Type: directory.ExternallyManaged},
		{Account: account, ID: "O", Groups: []string{directory.Owners}},
	}
}

// TestOrderOfRefusals: a request that is wrong in several ways is refused for the
// first of them in the order of the contract.
func TestOrderOfRefusals(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		weak := w.Token(w.AddApplication(4)) // users.suspend alone
		long := strings.Repeat("x", 17000)
		for _, c := range []struct {
			name    string
			request testkit.Request
			want    int
		}{
			{"a long target before everything", testkit.Request{Path: "/nothing?" + long}, 414},
			{"headers before the route", with(testkit.Request{Path: "/nothing"}, "X-Filler", long+long), 431},
			{"the route before credentials", testkit.Request{Path: "/nothing", Token: "bad"}, 404},
			{"the method before credentials", testkit.Request{Path: w.users(w.Account), Method: http.MethodPost, Token: "bad"}, 405},
			{"credentials before parameters", testkit.Request{Path: w.users(w.Account) + "?filter=bad", Token: "bad"}, 401},
			{"credentials before the account", testkit.Request{Path: w.users("NOWHERE"), Token: "bad"}, 401},
			{"permission before parameters", testkit.Request{Path: w.users(w.Account) + "?filter=bad", Token: weak}, 403},
			{"permission before existence", testkit.Request{Path: w.user(w.Account, "UNKNOWN"), Token: weak}, 403},
			{"permission before the body", testkit.Request{Path: w.user(w.Account, "ACTIVE:reactivate"), Method: http.MethodPost, Token: weak, Body: "x"}, 403},
			{"permission before the body's size", testkit.Request{Path: w.user(w.Account, "ACTIVE:reactivate"), Method: http.MethodPost, Token: weak, Body: long + long + long + long}, 403},
			{"the account before the body", testkit.Request{Path: w.user(elsewhere, "ACTIVE:suspend"), Method: http.MethodPost, Token: weak, Body: "x"}, 403},
			{"the body before existence", testkit.Request{Path: w.user(w.Account, "UNKNOWN:suspend"), Method: http.MethodPost, Token: weak, Body: "x"}, 400},
		} {
			if r := w.Do(c.request); r.Status != c.want {
				t.Errorf("%s: got %d %.100s, want %d", c.name, r.Status, r.Body, c.want)
			}
		}
	})
}
