package api

// The permissions of managing OAuth applications. An application that holds
// PermissionWriteOAuthClients manages only applications that hold no more than itself.
const (
	PermissionReadOAuthClients  Permission = "oauth_clients.read"
	PermissionWriteOAuthClients Permission = "oauth_clients.write"
)

// OAuthClientState says whether an OAuth application may be used.
type OAuthClientState string

// The states of an OAuth application. The secrets and tokens of a disabled one are
// refused until it is enabled again.
const (
	OAuthClientEnabled  OAuthClientState = "ENABLED"
	OAuthClientDisabled OAuthClientState = "DISABLED"
)

// OAuthClient is one OAuth application of an account. All fields are always present.
type OAuthClient struct {
	// ID is the client id: a UUID, or what an operator gave in place of one.
	ID string `json:"id"`
	// Name is 1 to 100 characters.
	Name string `json:"name"`
	// Description is up to 1000 characters and may be empty.
	Description string `json:"description"`
	// RedirectURL is an https URL of a public host, or empty.
	RedirectURL string `json:"redirect_url"`
	// Permissions are one or more.
	Permissions []Permission `json:"permissions"`
	// State is OAuthClientEnabled or OAuthClientDisabled.
	State OAuthClientState `json:"state"`
	// CreateTime is RFC 3339; see [Timestamp].
	CreateTime Timestamp `json:"create_time"`
	// Path is "accounts/<account>/oauth-clients/<id>": no leading slash, no version.
	Path string `json:"path"`
	// Secrets are those that still work, by creation: the last is the current one.
	Secrets []OAuthClientSecret `json:"secrets"`
}

// OAuthClientSecret tells of a client secret all but its text.
type OAuthClientSecret struct {
	ID         string    `json:"id"`
	CreateTime Timestamp `json:"create_time"`
	// ExpireTime is the end of a rotated secret's overlap; nil for the current one.
	ExpireTime *Timestamp `json:"expire_time,omitempty"`
	// LastUsedTime is when it last got a token or revoked one; nil = never.
	LastUsedTime *Timestamp `json:"last_used_time,omitempty"`
}

// NewOAuthClientSecret is an OAuthClient with its new secret in clear, told this once.
type NewOAuthClientSecret struct {
	OAuthClient
	ClientSecret string `json:"client_secret"`
}

// ListOAuthClientsResponse is one page of applications in the order of create_time, then id.
type ListOAuthClientsResponse struct {
	// Results is never nil on the wire: an empty page is an empty array.
	Results []OAuthClient `json:"results"`
	// NextPageToken is absent on the last page; see [ListUsersResponse].
	NextPageToken string `json:"next_page_token,omitempty"`
}
