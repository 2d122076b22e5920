package api

// Code is a google.rpc.Code, as carried by [Status].
type Code int

// The codes that this API sends, with the HTTP status each comes with.
const (
	CodeInvalidArgument   Code = 3  // 400, and 413, 414, 431
	CodeNotFound          Code = 5  // 404
	CodePermissionDenied  Code = 7  // 403
	CodeResourceExhausted Code = 8  // 429
	CodeUnimplemented     Code = 12 // 405
	CodeInternal          Code = 13 // 500
	CodeUnavailable       Code = 14 // 503
	CodeUnauthenticated   Code = 16 // 401
)

// The messages of [Status] that clients match on. Every other message is text
// for people and may change.
const (
	// MessagePermissionDenied: the application lacks the operation's
	// permission, or the token belongs to another account than the path's.
	MessagePermissionDenied = "permission_denied"
	// MessageNotFound: no such user in this account. Pending users count as
	// absent.
	MessageNotFound = "not_found"
	// MessageNoOwnerRemain: the last owner whose state is ACTIVE can't be
	// suspended.
	MessageNoOwnerRemain = "no_owner_remain"
	// MessageExternallyManagedUser: externally managed administrators can't be
	// suspended.
	MessageExternallyManagedUser = "externally_managed_user"
	// MessageAutomatedProvisioningEnabled: the account's provisioning policy
	// leaves state changes to its directory.
	MessageAutomatedProvisioningEnabled = "automated_provisioning_enabled"
	// MessageRouteNotFound: no operation has this path.
	MessageRouteNotFound = "Not Found"
	// MessageMethodNotAllowed: the path is known, the method isn't; the Allow
	// header lists those that are.
	MessageMethodNotAllowed = "Method Not Allowed"
)

// Status is the body of every error but those of the OAuth endpoints. All
// three fields are always present.
type Status struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	// Details is reserved and always an empty array on the wire. Build Status
	// with [NewStatus] so that it is never null.
	Details []any `json:"details"`
}

// NewStatus makes a Status whose Details marshal as an empty array.
func NewStatus(code Code, message string) Status {
	return Status{Code: code, Message: message, Details: []any{}}
}
