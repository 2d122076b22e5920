package access_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// TestAuthorizeEverything crosses kind, account, permission held and permission asked for.
func TestAuthorizeEverything(t *testing.T) {
	t.Parallel()
	for _, kind := range []access.Kind{access.Nobody, access.Application, access.Operator, access.System, "other"} {
		for held := range access.All + 1 {
			for _, info := range access.Catalog() {
				for _, account := range []ident.AccountID{"A", "B", ""} {
					c := access.Caller{Kind: kind, Account: "A", Client: "C", Permissions: held}
					want := kind == access.Operator || kind == access.System ||
						kind == access.Application && account == "A" && held&access.Set(info.Permission) != 0
					err := c.Authorize(account, info.Permission)
					if (err == nil) != want {
						t.Errorf("%s with %q on %q for %s: got error %v, want allowed = %t", kind, held, account, info.Name, err, want)
					}
					if f := fault.As(err); err != nil && (f == nil || f.Kind != fault.KindForbidden || f.Message != "permission_denied" || f.Reason != "") {
						t.Errorf("%s on %q: got %#v, want the one answer", kind, account, err)
					}
				}
			}
		}
	}
}

func TestOnlyLocal(t *testing.T) {
	t.Parallel()
	for kind, want := range map[access.Kind]bool{
		access.Nobody: false, access.Application: false, access.Operator: true, access.System: true, "other": false,
	} {
		if err := (access.Caller{Kind: kind, Permissions: 15}).OnlyLocal(); (err == nil) != want {
			t.Errorf("%q: got error %v, want allowed = %t", kind, err, want)
		}
	}
}

// TestLacks: what a caller may hand on is what it holds, whatever the account.
func TestLacks(t *testing.T) {
	t.Parallel()
	for held := range access.All + 1 {
		for asked := range access.All + 1 {
			c := access.Caller{Kind: access.Application, Permissions: held}
			got := c.Lacks(asked)
			for _, info := range access.Catalog() {
				want := asked.Has(info.Permission) && !held.Has(info.Permission)
				if got.Has(info.Permission) != want {
					t.Errorf("%q asked for %q lacks %q: want %s = %t", held, asked, got, info.Name, want)
				}
			}
			c.Kind = access.Operator
			if got := c.Lacks(asked); got != 0 {
				t.Errorf("an operator lacks %q", got)
			}
			c.Kind = access.Nobody
			if got := c.Lacks(asked); got != asked.Without(held) {
				t.Errorf("nobody, asked for %q, lacks %q", asked, got)
			}
		}
	}
}

// TestSetsReadBack: what is stored reads back as the same set.
func TestSetsReadBack(t *testing.T) {
	t.Parallel()
	for set := range access.All + 1 {
		got, err := access.ParseSet(strings.Fields(set.String()))
		if err != nil || got != set {
			t.Errorf("%q reads back as %q (%v)", set, got, err)
		}
	}
	if diff := cmp.Diff([]string{"users.list", "users.get", "users.suspend", "users.reactivate", "oauth_clients.read", "oauth_clients.write"}, access.AllOf(^access.Set(0))); diff != "" {
		t.Errorf("all permissions (-want +got):\n%s", diff)
	}
	if access.All.Has(0) || access.Permission(0).String() != "none" {
		t.Error("no permission is something one has")
	}
}

// TestPeople: a person is bound to their account as an application is.
func TestPeople(t *testing.T) {
	t.Parallel()
	c := access.Caller{Kind: access.Person, Account: "A", User: "U", Permissions: access.RolePermissions([]string{"crew", access.Security})}
	if c.ID() != "U" || !c.Is("A", "U") || c.Is("B", "U") || c.Is("A", "V") || (access.Caller{Kind: access.Person, Account: "A"}).Is("A", "") {
		t.Errorf("%+v: is not itself, or is somebody else", c)
	}
	for p := access.Permission(1); p != 0; p <<= 1 {
		if err := c.Authorize("A", p); (err == nil) != c.Permissions.Has(p) {
			t.Errorf("%s in the own account: %v", p, err)
		}
		if c.Authorize("B", p) == nil {
			t.Errorf("%s in another account is allowed", p)
		}
	}
	if c.OnlyLocal() == nil {
		t.Error("a person passes for local administration")
	}
	if got := c.Lacks(access.All); got != 0 {
		t.Errorf("who manages applications lacks %q", got)
	}
	if got := c.Lacks(access.Set(access.ManageUsers)); got == 0 {
		t.Error("a person gives an application what only people hold")
	}
	c.Permissions = access.RolePermissions([]string{"crew"})
	if got := c.Lacks(access.All); got != access.All {
		t.Errorf("who may not manage applications lacks only %q", got)
	}
}

// TestRoles: what each role may do, and what it may not.
func TestRoles(t *testing.T) {
	t.Parallel()
	everything := access.AllUsers | access.All | access.Set(access.ManageUsers|access.ManageOwners|access.ReadAudit|access.ManageAccount)
	integrations := access.Set(access.ReadApplications | access.WriteApplications | access.ReadAudit)
	for _, tt := range []struct {
		groups []string
		want   access.Set
	}{
		{nil, 0},
		{[]string{"Owners", "crew", ""}, 0},
		{[]string{access.Owners}, everything},
		{[]string{access.Administrators}, everything.Without(access.Set(access.ManageOwners))},
		{[]string{access.Security}, integrations},
		{[]string{"crew", access.Security, access.Administrators}, everything.Without(access.Set(access.ManageOwners))},
	} {
		if got := access.RolePermissions(tt.groups); got != tt.want {
			t.Errorf("%q may do %b, want %b", tt.groups, got, tt.want)
		}
	}
	if _, err := access.ParseSet([]string{access.ManageUsers.String()}); err == nil {
		t.Error("an application may be given what only people hold")
	}
}

func TestUnknownPermissionsAreRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		set, err := access.ParseSet([]string{"users.get", name})
		for _, info := range access.Catalog() {
			if strings.TrimSpace(name) == info.Name {
				return
			}
		}
		if set != 0 || fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), "oauth_clients.write") || len(err.Error()) > 400 {
			t.Fatalf("%q: got %q and error %v, want none and the list of those there are", name, set, err)
		}
	})
}

func TestCatalogIsACopy(t *testing.T) {
	t.Parallel()
	access.Catalog()[0].Name = "spoilt"
	if got := access.Catalog()[0].Name; got != "users.list" {
		t.Errorf("got %q: a caller changed everybody's catalog", got)
	}
}
