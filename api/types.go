package api

import "time"

// Version is the first path segment of every operation. Both versions are
// served side by side from one implementation and answer alike.
type Version string

// The versions of the API. V1Beta1 is the published public preview and can be
// switched off by the operator; V1 is the coming general release.
const (
	V1Beta1 Version = "v1beta1"
	V1      Version = "v1"
)

// State says whether a user may sign in.
type State string

// The states of a user. StateUnspecified is the protobuf zero value: it is
// named so that clients can recognise it, and is never sent by this server.
const (
	StateUnspecified State = "STATE_UNSPECIFIED"
	StateActive      State = "ACTIVE"
	StateSuspended   State = "SUSPENDED"
)

// Permission is what an OAuth application may do. Permissions are set on the
// application and never requested with the token.
type Permission string

// One permission for each operation on users.
const (
	PermissionListUsers      Permission = "users.list"
	PermissionGetUser        Permission = "users.get"
	PermissionSuspendUser    Permission = "users.suspend"
	PermissionReactivateUser Permission = "users.reactivate"
)

// User is one confirmed person of an account. It has exactly these six fields
// in this order, all always present.
type User struct {
	// ID is opaque to clients. Ids made by this server are 26 characters of
	// upper-case base32; ids taken over from elsewhere may be anything up to
	// 128 characters.
	ID string `json:"id"`
	// Email is unique in the account, ignoring case.
	Email string `json:"email"`
	// DisplayName is free text and may be empty.
	DisplayName string `json:"display_name"`
	// State is StateActive or StateSuspended.
	State State `json:"state"`
	// CreateTime is RFC 3339; see [Timestamp].
	CreateTime Timestamp `json:"create_time"`
	// Path is "accounts/<account>/users/<id>": no leading slash, no version.
	Path string `json:"path"`
}

// Timestamp is an instant written as RFC 3339 in UTC with a trailing Z and
// with fraction digits only when they are not zero.
type Timestamp struct{ time.Time }

// MarshalText implements [encoding.TextMarshaler]; encoding/json uses it too.
func (t Timestamp) MarshalText() ([]byte, error) { return t.UTC().MarshalText() }

// MarshalJSON shadows the method promoted from [time.Time], which would keep
// the zone the instant was read in.
func (t Timestamp) MarshalJSON() ([]byte, error) { return t.UTC().MarshalJSON() }

// ListUsersResponse is one page of users in the order of create_time, then id.
type ListUsersResponse struct {
	// Results is never nil on the wire: an empty page is an empty array. Build
	// it with [NewListUsersResponse] to be sure.
	Results []User `json:"results"`
	// NextPageToken is absent on the last page. It is URL-safe, opaque, at most
	// 512 characters, and good for three days.
	NextPageToken string `json:"next_page_token,omitempty"`
}

// NewListUsersResponse makes a page whose Results marshal as an array even
// when there are none. An empty next means that this is the last page.
func NewListUsersResponse(users []User, next string) ListUsersResponse {
	if users == nil {
		users = []User{}
	}
	return ListUsersResponse{Results: users, NextPageToken: next}
}
