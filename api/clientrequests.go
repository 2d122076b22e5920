package api

// NewOAuthClient is what an OAuth application is created from.
type NewOAuthClient struct {
	// Name is 1 to 100 characters.
	Name string `json:"name"`
	// Description is up to 1000 characters and may be empty.
	Description string `json:"description,omitempty"`
	// RedirectURL is an https URL of a public host, or empty.
	RedirectURL string `json:"redirect_url,omitempty"`
	// Permissions are one or more.
	Permissions []Permission `json:"permissions"`
}

// OAuthClientPatch names the fields to change (RFC 7396); what is nil stays as it is.
type OAuthClientPatch struct {
	Name        *string `json:"name,omitempty"`
	Description *string `json:"description,omitempty"`  // to "" it is emptied
	RedirectURL *string `json:"redirect_url,omitempty"` // to "" it is emptied
	// Permissions take the place of all those before.
	Permissions []Permission `json:"permissions,omitempty"`
}

// OAuthClientRotation is what a client secret is rotated with.
type OAuthClientRotation struct {
	// Overlap is how long the secrets before go on working, in whole seconds from
	// "0s" to "604800s"; "" is as "0s".
	Overlap string `json:"overlap,omitempty"`
}
