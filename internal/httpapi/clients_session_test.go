package httpapi_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// sessionCells is the status of each operation by whose session is sent, and how.
const sessionCells = `
way in                      list create get update delete rotate disable enable revoke
owner                       200 200 200 200 204 200 200 200 200
administrator               200 200 200 200 204 200 200 200 200
security                    200 200 200 200 204 200 200 200 200
member                      403 403 403 403 403 403 403 403 403
owner of another account    403 403 403 403 403 403 403 403 403
suspended                   401 401 401 401 401 401 401 401 401
signed out                  401 401 401 401 401 401 401 401 401
too old                     401 401 401 401 401 401 401 401 401
unknown                     401 401 401 401 401 401 401 401 401
an access token as a cookie 401 401 401 401 401 401 401 401 401
from another site           401 401 401 401 401 401 401 401 401
from another host of ours   401 401 401 401 401 401 401 401 401
by a link or typed          401 401 401 401 401 401 401 401 401
nothing said of where from  401 401 401 401 401 401 401 401 401
from this origin, no more   200 200 200 200 204 200 200 200 200
from another origin         401 401 401 401 401 401 401 401 401
this origin, two say it     401 401 401 401 401 401 401 401 401
two cookies                 401 401 401 401 401 401 401 401 401
the cookie of plain HTTP    401 401 401 401 401 401 401 401 401
as a bearer token           401 401 401 401 401 401 401 401 401
beside a bad token          401 401 401 401 401 401 401 401 401
beside a good token         200 200 200 200 204 200 200 200 200
`

// signIn begins a session of somebody who is added for it, and returns its token.
func (w *world) signIn(t *testing.T, account ident.AccountID, age time.Duration, groups ...string) string {
	t.Helper()
	const id ident.UserID = "someone"
	w.AddUser(directory.User{Account: account, ID: id, Groups: groups})
	token, err := ident.NewSecret(ident.SessionPrefix, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	begun := w.Clock.Now().Add(-age)
	session := &signin.StoredSession{Hash: signin.HashOf(token), Session: signin.Session{
		ID: "S", Account: account, User: id, Method: signin.ByPassword, CreateTime: begun, LastSeenTime: begun, ExpireTime: begun.Add(signin.SessionLife),
	}}
	err = w.SignIn.Store.ChangePerson(t.Context(), account, id, func(signin.Standing) signin.Change { return signin.Change{Session: session} })
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// sessionWay says how a request carries a session.
type sessionWay func(w *world, t *testing.T, h http.Header)

func cookie(h http.Header, token string) { h.Set("Cookie", "__Host-rollcall="+token) }

// byOwner sends an owner's session with these headers.
func byOwner(headers ...string) sessionWay {
	return func(w *world, t *testing.T, h http.Header) {
		t.Helper()
		cookie(h, w.signIn(t, testkit.Account, 0, directory.Owners))
		h.Del("Sec-Fetch-Site")
		for i := 0; i < len(headers); i += 2 {
			h.Add(headers[i], strings.ReplaceAll(headers[i+1], "{origin}", w.BaseURL))
		}
	}
}

func byMember(group string) sessionWay {
	return func(w *world, t *testing.T, h http.Header) {
		t.Helper()
		cookie(h, w.signIn(t, testkit.Account, 0, group))
	}
}

var sessionWays = map[string]sessionWay{
	"owner":         byMember(directory.Owners),
	"administrator": byMember(directory.Administrators),
	"security":      byMember(directory.Security),
	"member":        byMember("crew"),
	"owner of another account": func(w *world, t *testing.T, h http.Header) {
		cookie(h, w.signIn(t, elsewhere, 0, directory.Owners))
	},
	"suspended": func(w *world, t *testing.T, h http.Header) {
		cookie(h, w.signIn(t, testkit.Account, 0, directory.Owners))
		expect(t, w.Post(w.token, w.UserPath("someone", ":suspend")), http.StatusOK)
	},
	"signed out": func(w *world, t *testing.T, h http.Header) {
		cookie(h, w.signIn(t, testkit.Account, 0, directory.Owners))
		err := w.SignIn.EndSessions(t.Context(), access.Caller{Kind: access.Operator}, testkit.Account, "someone", "")
		if err != nil {
			t.Fatal(err)
		}
	},
	"too old": func(w *world, t *testing.T, h http.Header) {
		cookie(h, w.signIn(t, testkit.Account, signin.SessionIdle, directory.Owners))
	},
	"unknown": func(_ *world, t *testing.T, h http.Header) {
		token, err := ident.NewSecret(ident.SessionPrefix, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		cookie(h, token)
	},
	"an access token as a cookie": func(w *world, _ *testing.T, h http.Header) { cookie(h, w.token) },
	"from another site":           byOwner("Sec-Fetch-Site", "cross-site"),
	"from another host of ours":   byOwner("Sec-Fetch-Site", "same-site", "Origin", "{origin}"),
	"by a link or typed":          byOwner("Sec-Fetch-Site", "none"),
	"nothing said of where from":  byOwner(),
	"from this origin, no more":   byOwner("Origin", "{origin}"),
	"from another origin":         byOwner("Origin", "https://evil.example"),
	"this origin, two say it":     byOwner("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "same-origin"),
	"two cookies":                 byOwner("Sec-Fetch-Site", "same-origin", "Cookie", "__Host-rollcall=x"),
	"the cookie of plain HTTP": func(w *world, t *testing.T, h http.Header) {
		h.Set("Cookie", "rollcall="+w.signIn(t, testkit.Account, 0, directory.Owners))
	},
	"as a bearer token": func(w *world, t *testing.T, h http.Header) {
		h.Set("Authorization", "Bearer "+w.signIn(t, testkit.Account, 0, directory.Owners))
	},
	"beside a bad token": byOwner("Sec-Fetch-Site", "same-origin", "Authorization", "Bearer x"),
	"beside a good token": func(w *world, t *testing.T, h http.Header) {
		byMember("crew")(w, t, h)
		h.Set("Authorization", "Bearer "+w.token)
	},
}

// sessionRequest makes the request of one operation, about a target of its own.
func (w *world) sessionRequest(op string, h http.Header) testkit.Request {
	target := w.AddClient(oauth.Application{Account: testkit.Account, Name: "Target", Permissions: access.All}, "")
	list := "/v1/accounts/" + testkit.Account + "/oauth-clients"
	one := list + "/" + string(target.ID)
	r := testkit.Request{Method: http.MethodPost, Path: one, Header: h}
	switch op {
	case "list":
		r.Method, r.Path = http.MethodGet, list
	case "create":
		r.Path, r.Body = list, `{"name":"New","permissions":["users.suspend","oauth_clients.write"]}`
	case "get":
		r.Method = http.MethodGet
	case "update":
		r.Method, r.Body = http.MethodPatch, `{"name":"New"}`
	case "delete":
		r.Method = http.MethodDelete
	case "rotate":
		r.Path += ":rotate-secret"
	case "revoke":
		r.Path += "/tokens:revoke"
	default:
		r.Path += ":" + op
	}
	return r
}

// TestManagementBySession: every operation on applications by every sort of session.
func TestManagementBySession(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(sessionCells), "\n")
	ops := strings.Fields(lines[0])[2:]
	if len(lines)-1 != len(sessionWays) {
		t.Errorf("%d ways in the table, %d that are tested", len(lines)-1, len(sessionWays))
	}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		way, cells := strings.Join(fields[:len(fields)-len(ops)], " "), fields[len(fields)-len(ops):]
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, versions[0], testkit.Options{TLS: true})
			h := http.Header{"Sec-Fetch-Site": {"same-origin"}}
			sessionWays[way](w, t, h)
			var got []string
			for _, op := range ops {
				r := w.Do(w.sessionRequest(op, h))
				got = append(got, http.StatusText(r.Status))
				if challenge := r.Header.Get("WWW-Authenticate"); r.Status == http.StatusUnauthorized && strings.Contains(challenge, "error") == (h.Get("Authorization") == "") {
					t.Errorf("%s: challenge %q", op, challenge)
				}
			}
			var want []string
			for _, cell := range cells {
				want = append(want, http.StatusText(map[string]int{"200": 200, "204": 204, "401": 401, "403": 403}[cell]))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestSessionsElsewhere: a session is nothing to the Users API.
func TestSessionsElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{TLS: true})
	h := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	byMember(directory.Owners)(w, t, h)
	for _, path := range []string{w.users(testkit.Account), w.user(testkit.Account, "ACTIVE")} {
		expect(t, w.Do(testkit.Request{Path: path, Header: h}), http.StatusUnauthorized)
	}
	expect(t, w.Do(testkit.Request{Method: http.MethodPost, Path: w.user(testkit.Account, "ACTIVE:suspend"), Header: h}), http.StatusUnauthorized)
}

// TestSessionsAreMeteredByPerson: each has their own allowance, also where ids are alike, and
// the record names who it was.
func TestSessionsAreMeteredByPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{TLS: true, Limits: throttle.Settings{ManagementReadsPerMinute: 2}})
	list := func(account ident.AccountID, token string) int {
		h := http.Header{"Sec-Fetch-Site": {"same-origin"}}
		cookie(h, token)
		return w.Do(testkit.Request{Path: "/v1/accounts/" + string(account) + "/oauth-clients", Header: h}).Status
	}
	one, twin := w.signIn(t, testkit.Account, 0, directory.Owners), w.signIn(t, elsewhere, 0, directory.Owners)
	got := []int{list(testkit.Account, one), list(testkit.Account, one), list(testkit.Account, one), list(elsewhere, twin), list(elsewhere, one)}
	if diff := cmp.Diff([]int{200, 200, 429, 200, 429}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	h := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	cookie(h, one)
	request := w.sessionRequest("disable", h)
	w.Clock.Advance(time.Second) // entries sort by the millisecond
	r := w.Do(request)
	expect(t, r, http.StatusOK)
	entries, err := w.Store.Entries(t.Context(), testkit.Account, "", 5)
	if err != nil || entries[0].ActorKind != access.Person || entries[0].Actor != "someone" || entries[0].Action != audit.ApplicationDisable {
		t.Errorf("the record tells %+v (%v)", entries, err)
	}
	if logs := w.Logs(); !strings.Contains(logs, `"person":"someone"`) || strings.Contains(logs, one) {
		t.Error("the log does not name the person, or holds the session")
	}
}
