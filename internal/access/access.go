// Package access owns who calls and what they may do: principals, permissions,
// and the one question "may this caller do this in this account".
//
// It leaves to oauth how a caller proves who they are, and to audit how a
// refusal is remembered. What must always hold: permission and account are
// asked together and fail alike, so that a caller can't learn whether another
// account exists (contract section 5).
package access

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Permission is one thing a caller may be allowed to do (contract section 6).
type Permission uint16

// The permissions of the Users API, and of the management of OAuth applications: what an
// application may be given.
const (
	ListUsers Permission = 1 << iota
	GetUser
	SuspendUser
	ReactivateUser
	ReadApplications
	WriteApplications
)

// The permissions that people alone hold, by their role; see RolePermissions.
const (
	ManageUsers   Permission = WriteApplications << (iota + 1) // add, edit, invite, remove people; their groups, sessions and sign-in
	ManageOwners                                               // the same for owners, and who is one
	ReadAudit                                                  // the audit record
	ManageAccount                                              // name, provisioning policy, single sign-on
)

// Info describes a permission to machines and to people.
type Info struct {
	Permission Permission
	Name       string // on the wire and in files: "users.list"
	Title      string // shown to people: "List users"
}

// catalog is read for every request: it is made once.
var catalog = [...]Info{
	{ListUsers, "users.list", "List users"},
	{GetUser, "users.get", "Get user"},
	{SuspendUser, "users.suspend", "Suspend user"},
	{ReactivateUser, "users.reactivate", "Reactivate user"},
	{ReadApplications, "oauth_clients.read", "Read OAuth applications"},
	{WriteApplications, "oauth_clients.write", "Manage OAuth applications"},
}

// byRole are those that only a role gives.
var byRole = [...]Info{
	{ManageUsers, "users.manage", "Manage people"},
	{ManageOwners, "owners.manage", "Manage owners"},
	{ReadAudit, "audit.read", "Read the audit log"},
	{ManageAccount, "account.manage", "Manage the account"},
}

// Catalog lists every permission an application may be given, in the order the published
// form shows them.
func Catalog() []Info { return slices.Clone(catalog[:]) }

// String returns the permission's wire name.
func (p Permission) String() string {
	for _, info := range catalog {
		if info.Permission == p {
			return info.Name
		}
	}
	for _, info := range byRole {
		if info.Permission == p {
			return info.Name
		}
	}
	return "none"
}

// Set is a set of permissions.
type Set uint16

// ParseSet reads names of permissions that an application may be given; an unknown one is
// refused with the list of those there are.
func ParseSet(names []string) (Set, error) {
	var set Set
	for _, name := range names {
		p, ok := parse(strings.TrimSpace(name))
		if !ok {
			return 0, fault.Invalid("permission %q is not known: use %s", cut(name, 40), strings.Join(AllOf(All), ", "))
		}
		set |= Set(p)
	}
	return set, nil
}

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}

func parse(name string) (Permission, bool) {
	for _, info := range catalog {
		if info.Name == name {
			return info.Permission, true
		}
	}
	return 0, false
}

// AllOf returns the wire names of those permissions in s that an application may be
// given, in the catalog's order.
func AllOf(s Set) []string {
	names := make([]string, 0, len(catalog))
	for _, info := range catalog {
		if s.Has(info.Permission) {
			names = append(names, info.Name)
		}
	}
	return names
}

// Has tells whether p is in the set.
func (s Set) Has(p Permission) bool { return p != 0 && s&Set(p) == Set(p) }

// Without returns what is in s and not in other.
func (s Set) Without(other Set) Set { return s &^ other }

// String returns the wire names of AllOf separated by one space: the form that is stored.
func (s Set) String() string { return strings.Join(AllOf(s), " ") }

// Kind says what sort of principal calls.
type Kind string

// The kinds of principal.
const (
	Nobody      Kind = ""            // not authenticated
	Application Kind = "application" // an OAuth application of one account
	Person      Kind = "person"      // somebody of one account, signed in at the console
	Operator    Kind = "operator"    // someone with a shell on the server's machine
	System      Kind = "system"      // rollcall itself
)

// Caller is who asks and from where: the explicit identity every use case takes.
// A Caller of kind Application or Person is bound to one account and its permissions; an
// Operator owns the database and passes every check, but is audited by name.
type Caller struct {
	Kind        Kind
	Account     ident.AccountID // the account of an application or a person; empty otherwise
	Client      ident.ClientID  // the application; empty otherwise
	User        ident.UserID    // the person; empty otherwise
	Name        string          // the operator's login name; empty otherwise
	Permissions Set

	// Where the request came from; for audit only, never for decisions.
	Address   netip.Addr
	UserAgent string
	RequestID ident.RequestID
}

// ID returns the identifier of the caller that audit shows.
func (c Caller) ID() string {
	switch c.Kind {
	case Application:
		return string(c.Client)
	case Person:
		return string(c.User)
	}
	return c.Name
}

// Denied is the answer to everything a caller may not do or may not know.
const Denied = "permission_denied"

// Authorize tells whether the caller may use p in account. A missing permission
// and a foreign account give the same Forbidden fault, to the byte.
func (c Caller) Authorize(account ident.AccountID, p Permission) error {
	if c.OnlyLocal() == nil {
		return nil
	}
	bound := c.Kind == Application || c.Kind == Person
	if bound && c.Account == account && c.Permissions.Has(p) {
		return nil
	}
	f := fault.Forbidden(Denied)
	f.Cause = fmt.Errorf("%s %s of account %s lacks %s in account %s", c.Kind, c.ID(), c.Account, p, account)
	return f
}

// Lacks returns those of the permissions in s that the caller can't give to an
// application. Local administration lacks nothing. An application gives no more than it
// holds; a person who may manage applications gives all that one can hold (contract
// section 7), which no role needs to hold itself.
func (c Caller) Lacks(s Set) Set {
	if c.OnlyLocal() == nil {
		return 0
	}
	if c.Kind == Person && c.Permissions.Has(WriteApplications) {
		return s.Without(All)
	}
	return s.Without(c.Permissions)
}

// Is tells whether the caller is this person of this account.
func (c Caller) Is(account ident.AccountID, user ident.UserID) bool {
	return c.Kind == Person && c.User != "" && c.User == user && c.Account == account
}

// OnlyLocal refuses everybody but local administration and the system itself.
func (c Caller) OnlyLocal() error {
	if c.Kind == Operator || c.Kind == System {
		return nil
	}
	return fault.Forbidden(Denied)
}

// AllUsers is every permission on people: what an integration may want, and none that
// would let it make others.
const AllUsers = Set(ListUsers | GetUser | SuspendUser | ReactivateUser)

// All is every permission that an application may be given.
const All = AllUsers | Set(ReadApplications|WriteApplications)
