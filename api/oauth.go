package api

// ScopeOpenID is the only scope there is. Asking for it changes nothing: what
// an application may do is set on the application.
const ScopeOpenID = "openid"

// GrantClientCredentials is the only grant there is (RFC 6749 section 4.4).
const GrantClientCredentials = "client_credentials"

// TokenTypeBearer is the token_type of every token (RFC 6750).
const TokenTypeBearer = "Bearer"

// TokenResponse is the answer to a token request (RFC 6749 section 5.1). There
// is no refresh token: ask again with the client's credentials.
type TokenResponse struct {
	// AccessToken is opaque; it holds 256 random bits and is no JWT.
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	// ExpiresIn is the token's lifetime in whole seconds, 900 unless the
	// operator has chosen otherwise.
	ExpiresIn int64  `json:"expires_in"`
	Scope     string `json:"scope"`
}

// OAuthErrorCode is the machine-readable part of [OAuthError].
type OAuthErrorCode string

// The error codes of the OAuth endpoints. The first four are those of RFC 6749
// section 5.2. That section has none for a server in trouble, so the last two
// are borrowed from section 4.1.2.1.
const (
	OAuthInvalidRequest         OAuthErrorCode = "invalid_request"         // 400, 413
	OAuthInvalidClient          OAuthErrorCode = "invalid_client"          // 401
	OAuthUnsupportedGrantType   OAuthErrorCode = "unsupported_grant_type"  // 400
	OAuthInvalidScope           OAuthErrorCode = "invalid_scope"           // 400
	OAuthServerError            OAuthErrorCode = "server_error"            // 500
	OAuthTemporarilyUnavailable OAuthErrorCode = "temporarily_unavailable" // 429, 503
)

// OAuthError is the error body of the OAuth endpoints (RFC 6749 section 5.2).
type OAuthError struct {
	Error            OAuthErrorCode `json:"error"`
	ErrorDescription string         `json:"error_description"`
}

// AuthorizationServerMetadata is the answer of
// /.well-known/oauth-authorization-server (RFC 8414 section 2).
type AuthorizationServerMetadata struct {
	Issuer                                 string   `json:"issuer"`
	TokenEndpoint                          string   `json:"token_endpoint"`
	RevocationEndpoint                     string   `json:"revocation_endpoint"`
	GrantTypesSupported                    []string `json:"grant_types_supported"`
	ResponseTypesSupported                 []string `json:"response_types_supported"`
	ScopesSupported                        []string `json:"scopes_supported"`
	TokenEndpointAuthMethodsSupported      []string `json:"token_endpoint_auth_methods_supported"`
	RevocationEndpointAuthMethodsSupported []string `json:"revocation_endpoint_auth_methods_supported"`
	ServiceDocumentation                   string   `json:"service_documentation"`
}

// NewAuthorizationServerMetadata describes a server whose public address is
// issuer: an origin such as "https://users.example.com", without a trailing
// slash. It names the endpoints of V1, which can't be switched off.
func NewAuthorizationServerMetadata(issuer string) AuthorizationServerMetadata {
	basic := []string{"client_secret_basic"}
	return AuthorizationServerMetadata{
		Issuer:              issuer,
		TokenEndpoint:       issuer + "/v1/oauth/token",
		RevocationEndpoint:  issuer + "/v1/oauth/revoke",
		GrantTypesSupported: []string{GrantClientCredentials},
		// Required by RFC 8414 and empty: there is no authorization endpoint.
		ResponseTypesSupported:                 []string{},
		ScopesSupported:                        []string{ScopeOpenID},
		TokenEndpointAuthMethodsSupported:      basic,
		RevocationEndpointAuthMethodsSupported: basic,
		ServiceDocumentation:                   issuer + "/docs",
	}
}

// ProtectedResourceMetadata is the answer of
// /.well-known/oauth-protected-resource (RFC 9728 section 2).
type ProtectedResourceMetadata struct {
	Resource               string   `json:"resource"`
	AuthorizationServers   []string `json:"authorization_servers"`
	BearerMethodsSupported []string `json:"bearer_methods_supported"`
	ScopesSupported        []string `json:"scopes_supported"`
	ResourceName           string   `json:"resource_name"`
	ResourceDocumentation  string   `json:"resource_documentation"`
}

// NewProtectedResourceMetadata describes the Users API of the server whose
// public address is issuer; see [NewAuthorizationServerMetadata].
func NewProtectedResourceMetadata(issuer string) ProtectedResourceMetadata {
	return ProtectedResourceMetadata{
		Resource:               issuer,
		AuthorizationServers:   []string{issuer},
		BearerMethodsSupported: []string{"header"},
		ScopesSupported:        []string{ScopeOpenID},
		ResourceName:           "rollcall Users API",
		ResourceDocumentation:  issuer + "/docs",
	}
}
