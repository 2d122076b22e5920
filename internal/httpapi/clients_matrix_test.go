package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// managerCells is the status of each operation on an application that may do nothing but
// manage, by what the token of the caller is. Its rows are those of bearerCells.
const managerCells = `
way in                      listOAuthClients createOAuthClient getOAuthClient updateOAuthClient deleteOAuthClient rotateOAuthClientSecret disableOAuthClient enableOAuthClient revokeOAuthClientTokens
good                        200 200 200 200 204 200 200 200 200
none                        401 401 401 401 401 401 401 401 401
empty                       401 401 401 401 401 401 401 401 401
unknown                     401 401 401 401 401 401 401 401 401
page token                  401 401 401 401 401 401 401 401 401
expired                     401 401 401 401 401 401 401 401 401
revoked                     401 401 401 401 401 401 401 401 401
application deleted         401 401 401 401 401 401 401 401 401
application disabled        401 401 401 401 401 401 401 401 401
application enabled again   200 200 200 200 204 200 200 200 200
secret rotated out          401 401 401 401 401 401 401 401 401
secret within its overlap   200 200 200 200 204 200 200 200 200
secret past its overlap     401 401 401 401 401 401 401 401 401
account closed              401 401 401 401 401 401 401 401 401
permission missing          403 403 403 403 403 403 403 403 403
other account               403 403 403 403 403 403 403 403 403
account that does not exist 403 403 403 403 403 403 403 403 403
after a restart             200 200 200 200 204 200 200 200 200
`

// targetCells is the status of each operation by which application it is about; of a
// list, 200 says that it is in it and 404 that it is not; creating one is about nothing.
const targetCells = `
target                 listOAuthClients createOAuthClient getOAuthClient updateOAuthClient deleteOAuthClient rotateOAuthClientSecret disableOAuthClient enableOAuthClient revokeOAuthClientTokens
weaker                 200 200 200 200 204 200 200 200 200
equal                  200 200 200 200 204 200 200 200 200
itself                 200 200 200 200 204 200 200 200 200
disabled               200 200 200 200 204 200 200 200 200
stronger               200 200 200 403 403 403 403 403 403
other permissions      200 200 200 403 403 403 403 403 403
of another account     404 200 404 404 404 404 404 404 404
unknown                404 200 404 404 404 404 404 404 404
deleted                404 200 404 404 404 404 404 404 404
odd id                 404 200 404 404 404 404 404 404 404
`

// managerRequest fills in an operation's path and, where it needs one, its body: nothing
// that an application which may only manage could not give.
func managerRequest(op row, account ident.AccountID, client, token string) testkit.Request {
	r := op.request(account, client, token)
	switch strings.TrimPrefix(op.ID, "v1.") {
	case "createOAuthClient":
		r.Body = `{"name":"New","permissions":["` + op.Permission + `"]}`
	case "updateOAuthClient":
		r.Body = `{"name":"New"}`
	}
	return r
}

func TestEveryManagersToken(t *testing.T) {
	t.Parallel()
	eachCell(t, managementFamily, managerCells, func(t *testing.T, w *world, op row, name string, want int) {
		account := w.accountFor(name)
		target := w.AddClient(oauth.Application{Account: account, Name: "Target", Permissions: access.Set(access.WriteApplications)}, "")
		app := w.AddApplicationTo(account, permissionsOf(op, name)...)
		r := managerRequest(op, account, string(target.ID), w.Token(app))
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
		a, err := w.OAuth.Store.Application(t.Context(), account, target.ID)
		if want >= 400 && (err != nil || a.Name != "Target" || a.State != oauth.Enabled || len(a.Secrets) != 1) {
			t.Errorf("%s, token %s: the application is %+v (%v): want nothing to happen", op.ID, name, a, err)
		}
	})
}

// manager is what the caller of targetCells holds.
const manager = access.Set(access.ReadApplications | access.WriteApplications | access.ListUsers)

func TestEveryTarget(t *testing.T) {
	t.Parallel()
	eachCell(t, managementFamily, targetCells, func(t *testing.T, w *world, op row, name string, want int) {
		account := w.AddAccount(directory.Account{}).ID
		app := w.AddClient(oauth.Application{Account: account, Name: "Manager", Permissions: manager}, "")
		target := w.addTarget(app, name)
		before, _ := w.OAuth.Store.Application(t.Context(), target.Account, target.ID)
		r := w.Do(managerRequest(op, account, string(target.ID), w.Token(app)))
		got := r.Status
		if strings.HasSuffix(op.ID, ".listOAuthClients") && !strings.Contains(r.Body, `"id":"`+string(target.ID)+`"`) {
			got = http.StatusNotFound
		}
		if got != want {
			t.Errorf("%s, target %s: got %d %s, want %d", op.ID, name, got, r.Body, want)
		}
		after, _ := w.OAuth.Store.Application(t.Context(), target.Account, target.ID)
		if diff := cmp.Diff(before, after); want >= 400 && diff != "" {
			t.Errorf("%s, target %s: refused, and yet (-before +after):\n%s", op.ID, name, diff)
		}
	})
}

// addTarget adds an application that is what a row of targetCells says.
func (w *world) addTarget(app testkit.Application, name string) testkit.Application {
	add := func(account ident.AccountID, held access.Set) testkit.Application {
		return w.AddClient(oauth.Application{Account: account, Name: "Target", Permissions: held}, "")
	}
	switch name {
	case "weaker":
		return add(app.Account, access.Set(access.ListUsers))
	case "equal":
		return add(app.Account, manager)
	case "itself":
		return app
	case "disabled":
		target := add(app.Account, access.Set(access.ListUsers))
		w.Disable(target)
		return target
	case "stronger":
		return add(app.Account, manager|access.Set(access.SuspendUser))
	case "other permissions":
		return add(app.Account, access.Set(access.GetUser))
	case "of another account":
		return add(elsewhere, access.Set(access.ListUsers))
	case "unknown":
		return testkit.Application{ID: "NOBODY", Account: app.Account}
	case "deleted":
		target := add(app.Account, access.Set(access.ListUsers))
		w.Delete(target)
		return target
	case "odd id":
		return testkit.Application{ID: "a%2Fb%00", Account: app.Account}
	}
	panic("no such row: " + name)
}
