package httpapi_test

import (
	"crypto/rand"
	"flag"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

var update = flag.Bool("update", false, "write the golden transcripts anew")

// TestMain lowers the number of checks of a property, which the command line can still
// raise: each of them here is a long talk with a server and its disk.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
	flag.Parse()
	goleak.VerifyTestMain(withServers{m})
}

// withServers ends what the tests shared before leaks are looked for.
type withServers struct{ *testing.M }

// Run implements goleak.TestingM.
func (m withServers) Run() int {
	defer pgtest.End()
	return m.M.Run()
}

// The versions of the API and their paths: both must behave alike in every test.
type version struct{ name, oauth string }

var versions = []version{{"v1", "/v1/oauth"}, {"v1beta1", "/v1beta1/users/oauth2"}}

func (v version) users(account string) string {
	return "/" + v.name + "/accounts/" + account + "/users"
}
func (v version) user(account, suffix string) string { return v.users(account) + "/" + suffix }

// people of the account that most tests use. Their ids say what they are.
var people = []directory.User{
	{ID: "ACTIVE", Email: "ada@example.com", DisplayName: "Ada Active", CreateTime: day(1)},
	{ID: "SUSPENDED", Email: "sue@example.com", DisplayName: "Sue Suspended", State: directory.Suspended, CreateTime: day(2)},
	{ID: "PENDING", Email: "pete@example.com", DisplayName: "Pete Pending", State: directory.Pending, CreateTime: day(3)},
	{ID: "EXTERNAL", Email: "eam@example.org", DisplayName: "Eve External", Type: directory.ExternallyManaged, CreateTime: day(4).Add(250 * time.Millisecond)},
	{ID: "OWNER", Email: "owen@example.com", DisplayName: "Owen Owner", Groups: []string{directory.Owners}, CreateTime: day(5)},
}

func day(n int) time.Time { return time.Date(2024, time.January, n, 10, 30, 0, 0, time.UTC) }

// elsewhere is another account; STRANGER is there.
const elsewhere = "ELSEWHEREAAAAAAAAAAAAAAAAA"

// world is a server with people in it, and an application that may do all.
type world struct {
	*testkit.Server
	version
	app   testkit.Application
	token string
	rand  *dice
}

// newWorld starts a server whose ids and secrets are known.
func newWorld(t *testing.T, v version, o testkit.Options) *world {
	t.Helper()
	w := &world{version: v, rand: &dice{}}
	o.Rand = w.rand
	w.Server = testkit.Start(t, o)
	w.AddAccount(directory.Account{ID: elsewhere})
	w.AddUsers(people...)
	w.AddUser(directory.User{Account: elsewhere, ID: "STRANGER"})
	w.app = w.AddClient(oauth.Application{ID: "payroll", Account: testkit.Account, Name: "Payroll", Permissions: access.All}, "secret-of-payroll")
	w.token = w.Token(w.app)
	return w
}

// dice is randomness that can be made to fail.
type dice struct{ broken atomic.Bool }

func (d *dice) Read(p []byte) (int, error) {
	if d.broken.Load() {
		return 0, io.ErrUnexpectedEOF
	}
	return rand.Read(p)
}

// bothVersions runs a test once for each version, each on a server of its own.
func bothVersions(t *testing.T, o testkit.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, v, o))
		})
	}
}

// list is a request for a page of the account's people.
func (w *world) list(query string) testkit.Request {
	if query != "" {
		query = "?" + query
	}
	return testkit.Request{Path: w.users(w.Account) + query, Token: w.token}
}

// get is a request for one of the account's people.
func (w *world) get(user string) testkit.Request {
	return testkit.Request{Path: w.user(w.Account, user), Token: w.token}
}

// post is an action on one of the account's people.
func (w *world) post(user string) testkit.Request {
	return testkit.Request{Method: http.MethodPost, Path: w.user(w.Account, user), Token: w.token}
}

const formType = "application/x-www-form-urlencoded"

// form is a request to an OAuth endpoint.
func (w *world) form(endpoint, body string) testkit.Request {
	return testkit.Request{
		Method: http.MethodPost, Path: w.oauth + endpoint, App: w.app, Body: body,
		Header: http.Header{"Content-Type": {formType}},
	}
}

// with returns the request with a header set.
func with(r testkit.Request, name, value string) testkit.Request {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(name, value)
	return r
}

// anonymous returns the request without credentials.
func anonymous(r testkit.Request) testkit.Request {
	r.Token, r.App = "", testkit.Application{}
	return r
}
