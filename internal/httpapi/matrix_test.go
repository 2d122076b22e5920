package httpapi_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Every way in, every way out: each operation of api/openapi.yaml that needs
// credentials, crossed with everything that can be wrong with them. The tables are
// written from the contract alone. An operation without its column fails the test.

// bearerCells is the status of each operation on an ACTIVE user by what the token is.
const bearerCells = `
way in                      listUsers getUser suspendUser reactivateUser
good                        200       200     200         200
none                        401       401     401         401
empty                       401       401     401         401
unknown                     401       401     401         401
page token                  401       401     401         401
expired                     401       401     401         401
revoked                     401       401     401         401
application deleted         401       401     401         401
application disabled        401       401     401         401
application enabled again   200       200     200         200
secret rotated out          401       401     401         401
secret within its overlap   200       200     200         200
secret past its overlap     401       401     401         401
account closed              401       401     401         401
permission missing          403       403     403         403
other account               403       403     403         403
account that does not exist 403       403     403         403
after a restart             200       200     200         200
`

// basicCells is the status of each OAuth operation by what the credentials are.
const basicCells = `
way in                      issueToken revokeToken
good                        200        200
none                        401        401
wrong secret                401        401
secret in another case      401        401
unknown client              401        401
another application's secret 401       401
application deleted         401        401
application disabled        401        401
application enabled again   200        200
secret rotated out          401        401
secret within its overlap   200        200
secret past its overlap     401        401
new secret                  200        200
account closed              401        401
bearer token instead        401        401
`

// personCells is the status of each operation by who the person is; of a list, 200
// says that they are in it and 404 that they are not.
const personCells = `
person                  listUsers getUser suspendUser reactivateUser
active                  200       200     200         200
suspended               200       200     200         200
pending                 404       404     404         404
unknown                 404       404     404         404
of another account      404       404     404         404
guest                   200       200     200         200
externally managed      200       200     403         200
last owner              200       200     403         200
one of two owners       200       200     200         200
owner, the other suspended 200    200     403         200
suspended owner         200       200     200         200
`

// cells reads a table: cells[row][column].
func cells(t *testing.T, table string) (rows []string, cell map[string]map[string]int) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(table), "\n")
	names := strings.Fields(lines[0])
	if names[0] == "way" {
		names = names[1:]
	}
	names = names[1:]
	cell = map[string]map[string]int{}
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		at := len(fields) - len(names)
		row := strings.Join(fields[:at], " ")
		rows = append(rows, row)
		cell[row] = map[string]int{}
		for i, name := range names {
			status, err := strconv.Atoi(fields[at+i])
			if err != nil {
				t.Fatalf("row %q: %v", row, err)
			}
			cell[row][name] = status
		}
	}
	return rows, cell
}

// The families of operations that share their tables, by their rate class.
var (
	usersFamily      = []string{"users"}
	tokenFamily      = []string{"token"}
	managementFamily = []string{"management_read", "management_write"} // only v1 has it
)

// eachCell runs test for every operation of a family and every row of a table, in both
// versions where both have it.
func eachCell(t *testing.T, family []string, table string, test func(t *testing.T, w *world, op row, name string, want int)) {
	t.Helper()
	rows, cell := cells(t, table)
	operations := documented(t)
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		found := 0
		if w.name != "v1" && slices.Equal(family, managementFamily) {
			return
		}
		for _, op := range operations {
			if !slices.Contains(family, op.Class) || !strings.HasPrefix(op.ID, w.name+".") {
				continue
			}
			found++
			for _, name := range rows {
				want, ok := cell[name][strings.TrimPrefix(op.ID, w.name+".")]
				if !ok {
					t.Errorf("%s has no cells in the table: say what it answers to each way in", op.ID)
					break
				}
				test(t, w, op, name, want)
			}
		}
		if found != len(cell[rows[0]]) {
			t.Errorf("operations: got %d in the document, want %d as in the table", found, len(cell[rows[0]]))
		}
	})
}

// TestEverySecurityScheme: what is neither open nor in a table below would be untested.
func TestEverySecurityScheme(t *testing.T) {
	t.Parallel()
	for _, op := range documented(t) {
		switch op.Security {
		case "bearer session":
			if !slices.Contains(managementFamily, op.Class) {
				t.Errorf("%s takes sessions: cross it with everything that can be wrong with one, in sessionCells", op.ID)
			}
		case "", "basic", "bearer":
			if !slices.Contains(slices.Concat(usersFamily, tokenFamily, managementFamily, []string{"none"}), op.Class) {
				t.Errorf("%s has class %q: no table has its family", op.ID, op.Class)
			}
		default:
			t.Errorf("%s has security %q: cross it with everything that can be wrong with its credentials", op.ID, op.Security)
		}
	}
}

// request fills in an operation's path; user is whom or what it is about.
func (op row) request(account ident.AccountID, user, token string) testkit.Request {
	path := strings.NewReplacer("{account_id}", string(account), "{user_id}", user, "{client_id}", user).Replace(op.Path)
	return testkit.Request{Method: op.Method, Path: path, Token: token}
}

func TestEveryToken(t *testing.T) {
	t.Parallel()
	eachCell(t, usersFamily, bearerCells, func(t *testing.T, w *world, op row, name string, want int) {
		account := w.accountFor(name)
		id := w.AddUser(directory.User{Account: account}).ID
		app := w.AddApplicationTo(account, permissionsOf(op, name)...)
		r := op.request(account, string(id), w.Token(app))
		w.spoil(&r, name, app)
		got := w.Do(r)
		if got.Status != want {
			t.Errorf("%s, token %s: got %d %s, want %d", op.ID, name, got.Status, got.Body, want)
		}
		if op.Method == http.MethodGet {
			r.Method = http.MethodHead
			if head := w.Do(r); head.Status != want {
				t.Errorf("%s, token %s, by HEAD: got %d, want %d", op.ID, name, head.Status, want)
			}
		}
		u, err := w.Directory.Store.User(context.Background(), account, id)
		if err != nil {
			t.Fatal(err)
		}
		if want != http.StatusOK && u.State != directory.Active {
			t.Errorf("%s, token %s: the user is %s: want nothing to happen", op.ID, name, u.State)
		}
	})
}

// permissionsOf gives an application the one permission that the operation needs, or
// all the others.
func permissionsOf(op row, name string) (list []access.Permission) {
	for _, info := range access.Catalog() {
		if (info.Name == op.Permission) != (name == "permission missing") {
			list = append(list, info.Permission)
		}
	}
	return list
}

// spoil makes of a good request what the row of bearerCells says.
func (w *world) spoil(r *testkit.Request, name string, app testkit.Application) {
	switch name {
	case "none":
		r.Token = ""
	case "empty":
		*r = with(anonymous(*r), "Authorization", "Bearer ")
	case "unknown":
		last := r.Token[len(r.Token)-1:]
		r.Token = strings.TrimSuffix(r.Token, last) + map[bool]string{true: "b", false: "a"}[last == "a"]
	case "page token":
		r.Token = w.nextPage("max_page_size=1")
		if r.Token == "" {
			panic("no page token to send")
		}
	case "expired":
		w.Clock.Advance(900 * time.Second)
		w.token = w.Token(w.app)
	case "revoked":
		revoke := w.form("/revoke", "token="+r.Token)
		revoke.App = app
		w.Do(revoke)
	case "other account":
		r.Path = strings.Replace(r.Path, string(app.Account), elsewhere, 1)
	case "account that does not exist":
		r.Path = strings.Replace(r.Path, string(app.Account), "NOWHERE", 1)
	case "after a restart":
		w.Restart()
	default:
		w.spoilApplication(name, app)
	}
}

// spoilApplication does to an application what a row of either table says, and
// returns its new credentials where it has any.
func (w *world) spoilApplication(name string, app testkit.Application) testkit.Application {
	switch name {
	case "application deleted":
		w.Delete(app)
	case "application disabled":
		w.Disable(app)
	case "application enabled again":
		w.Disable(app)
		w.Enable(app)
	case "secret rotated out":
		return w.Rotate(app, 0)
	case "new secret":
		return w.Rotate(app, time.Hour)
	case "secret within its overlap":
		w.Rotate(app, time.Minute)
		w.Clock.Advance(time.Minute - time.Microsecond)
	case "secret past its overlap":
		w.Rotate(app, time.Minute)
		w.Clock.Advance(time.Minute)
	case "account closed":
		w.CloseAccount(app.Account)
	case "good", "permission missing":
	default:
		panic("no such row: " + name)
	}
	return app
}

func TestEveryClientCredential(t *testing.T) {
	t.Parallel()
	eachCell(t, tokenFamily, basicCells, func(t *testing.T, w *world, op row, name string, want int) {
		app := w.AddApplicationTo(w.accountFor(name))
		r := testkit.Request{
			Method: op.Method, Path: op.Path, App: app, Body: grant + "&token=" + w.token,
			Header: http.Header{"Content-Type": {formType}},
		}
		switch name {
		case "none":
			r = anonymous(r)
		case "bearer token instead":
			r.App, r.Token = testkit.Application{}, w.Token(app)
		case "wrong secret":
			r.App.Secret += "x"
		case "secret in another case":
			r.App.Secret = strings.ToUpper(app.Secret)
		case "unknown client":
			r.App.ID = "nobody"
		case "another application's secret":
			r.App.Secret = w.app.Secret
		case "new secret":
			r.App = w.spoilApplication(name, app)
		default:
			w.spoilApplication(name, app)
		}
		if got := w.Do(r); got.Status != want {
			t.Errorf("%s, credentials %s: got %d %s, want %d", op.ID, name, got.Status, got.Body, want)
		}
	})
}

func TestEveryPerson(t *testing.T) {
	t.Parallel()
	eachCell(t, usersFamily, personCells, func(t *testing.T, w *world, op row, name string, want int) {
		account, token := ident.AccountID(w.Account), w.token
		if strings.Contains(name, "owner") { // how many there are matters
			account = w.AddAccount(directory.Account{}).ID
			token = w.Token(w.AddApplicationTo(account))
		}
		id := w.addPerson(account, name)
		r := w.Do(op.request(account, id, token))
		got := r.Status
		if strings.HasSuffix(op.ID, ".listUsers") && !strings.Contains(r.Body, `"id":"`+id+`"`) {
			got = http.StatusNotFound
		}
		if got != want {
			t.Errorf("%s, person %s: got %d %s, want %d", op.ID, name, got, r.Body, want)
		}
		owned := strings.Contains(name, "owner")
		if owned && name != "suspended owner" && w.ActiveOwners(account) == 0 {
			t.Errorf("%s, person %s: the account is left without an active owner", op.ID, name)
		}
	})
}

// accountFor returns the account to spoil: one of its own where it is to be closed.
func (w *world) accountFor(name string) ident.AccountID {
	if name == "account closed" {
		return w.AddAccount(directory.Account{}).ID
	}
	return ident.AccountID(w.Account)
}

// addPerson adds a person who is what a row of personCells says, and returns their id.
func (w *world) addPerson(account ident.AccountID, name string) string {
	owners := []string{directory.Owners}
	u := directory.User{Account: account}
	switch name {
	case "active":
	case "suspended":
		u.State = directory.Suspended
	case "pending":
		u.State = directory.Pending
	case "unknown":
		return "NOBODY"
	case "of another account":
		u.Account = elsewhere
	case "guest":
		u.Type = directory.Guest
	case "externally managed":
		u.Type = directory.ExternallyManaged
	case "last owner":
		u.Groups = owners
	case "one of two owners":
		u.Groups = owners
		w.AddUser(directory.User{Account: account, Groups: owners})
	case "owner, the other suspended":
		u.Groups = owners
		w.AddUser(directory.User{Account: account, Groups: owners, State: directory.Suspended})
	case "suspended owner":
		u.Groups, u.State = owners, directory.Suspended
	default:
		panic("no such row: " + name)
	}
	return string(w.AddUser(u).ID)
}

// TestOtherAccountsAreAlike: an account that exists and one that does not can't be told
// apart by anything in the answer.
func TestOtherAccountsAreAlike(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		for _, op := range documented(t) {
			if op.Security != "bearer" || !strings.HasPrefix(op.ID, w.name+".") {
				continue
			}
			var texts []string
			for _, account := range []ident.AccountID{elsewhere, "NOWHERE"} {
				r := w.Do(with(op.request(account, "STRANGER", w.token), "X-Request-Id", "r"))
				expect(t, r, http.StatusForbidden)
				texts = append(texts, responseText(w, r))
			}
			if texts[0] != texts[1] {
				t.Errorf("%s: an account that exists answers\n%s, one that does not\n%s", op.ID, texts[0], texts[1])
			}
		}
	})
}
