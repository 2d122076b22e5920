package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// Authentication says how an operation's caller proves who they are.
type Authentication uint8

// The ways to authenticate.
const (
	Open   Authentication = iota // anybody
	Basic                        // an OAuth client by its secret (RFC 6749 section 2.3.1)
	Bearer                       // an access token (RFC 6750 section 2.1)
)

// Operation is one row of what the API can do. Registration, authentication,
// limits, metrics and the check against api/openapi.yaml all read it.
type Operation struct {
	ID         string // the operationId of api/openapi.yaml
	Method     string // GET stands for HEAD too
	Path       string // with {account_id}, {user_id}, {client_id} and the custom verb after a colon
	Auth       Authentication
	Class      throttle.Class    // which limits count it; 0 = none
	Permission access.Permission // 0 = none
	Action     audit.Action      // its name in the record
	handle     func(*API, context.Context, *call) (reply, error)
	look       func(*API, context.Context, *call) // what is read along with the token; nil = nothing
}

// Operations lists everything the API can do.
func Operations() []Operation {
	return slices.Concat(
		version("v1beta1", "/v1beta1/users/oauth2"),
		version("v1", "/v1/oauth"),
		management(),
		[]Operation{
			{ID: "authorizationServerMetadata", Method: http.MethodGet, Path: "/.well-known/oauth-authorization-server", handle: (*API).authorizationServer},
			{ID: "protectedResourceMetadata", Method: http.MethodGet, Path: "/.well-known/oauth-protected-resource", handle: (*API).protectedResource},
			{ID: "openapi", Method: http.MethodGet, Path: "/openapi.yaml", handle: (*API).openAPI},
			{ID: "docs", Method: http.MethodGet, Path: "/docs", handle: (*API).docs},
		},
	)
}

func version(v, oauthPath string) []Operation {
	users := "/" + v + "/accounts/{account_id}/users"
	user := users + "/{user_id}"
	return []Operation{
		{v + ".issueToken", http.MethodPost, oauthPath + "/token", Basic, throttle.ClassToken, 0, audit.TokenIssue, (*API).issueToken, nil},
		{v + ".revokeToken", http.MethodPost, oauthPath + "/revoke", Basic, throttle.ClassToken, 0, audit.TokenRevoke, (*API).revokeToken, nil},
		{v + ".listUsers", http.MethodGet, users, Bearer, throttle.ClassUsers, access.ListUsers, audit.UserList, (*API).listUsers, (*API).lookAtPage},
		{v + ".getUser", http.MethodGet, user, Bearer, throttle.ClassUsers, access.GetUser, audit.UserGet, (*API).getUser, (*API).lookAtUser},
		{v + ".suspendUser", http.MethodPost, user + ":suspend", Bearer, throttle.ClassUsers, access.SuspendUser, audit.UserSuspend, (*API).suspendUser, nil},
		{v + ".reactivateUser", http.MethodPost, user + ":reactivate", Bearer, throttle.ClassUsers, access.ReactivateUser, audit.UserReactivate, (*API).reactivateUser, nil},
	}
}

// management lists what may be done about OAuth applications; only v1 has it.
func management() []Operation {
	const (
		list          = "/v1/accounts/{account_id}/oauth-clients"
		one           = list + "/{client_id}"
		reads, writes = throttle.ClassManagementRead, throttle.ClassManagementWrite
		read, write   = access.ReadApplications, access.WriteApplications
	)
	return []Operation{
		{"v1.listOAuthClients", http.MethodGet, list, Bearer, reads, read, audit.ApplicationList, (*API).listClients, nil},
		{"v1.createOAuthClient", http.MethodPost, list, Bearer, writes, write, audit.ApplicationCreate, (*API).createClient, nil},
		{"v1.getOAuthClient", http.MethodGet, one, Bearer, reads, read, audit.ApplicationGet, (*API).getClient, nil},
		{"v1.updateOAuthClient", http.MethodPatch, one, Bearer, writes, write, audit.ApplicationUpdate, (*API).updateClient, nil},
		{"v1.deleteOAuthClient", http.MethodDelete, one, Bearer, writes, write, audit.ApplicationDelete, (*API).deleteClient, nil},
		{"v1.rotateOAuthClientSecret", http.MethodPost, one + ":rotate-secret", Bearer, writes, write, audit.ApplicationRotate, (*API).rotateClientSecret, nil},
		{"v1.disableOAuthClient", http.MethodPost, one + ":disable", Bearer, writes, write, audit.ApplicationDisable, (*API).disableClient, nil},
		{"v1.enableOAuthClient", http.MethodPost, one + ":enable", Bearer, writes, write, audit.ApplicationEnable, (*API).enableClient, nil},
		{"v1.revokeOAuthClientTokens", http.MethodPost, one + "/tokens:revoke", Bearer, writes, write, audit.ApplicationRevoke, (*API).revokeClientTokens, nil},
	}
}

func without(ops []Operation, v string) []Operation {
	return slices.DeleteFunc(ops, func(op Operation) bool { return strings.HasPrefix(op.ID, v+".") })
}
