package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
)

// TestWireForm: the bytes of every type, and that the document agrees.
func TestWireForm(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	user := api.User{
		ID: "U", Email: "a@example.com", DisplayName: "A", State: api.StateActive,
		CreateTime: api.Timestamp{Time: time.Date(2024, 1, 15, 11, 30, 0, 0, zone)}, Path: "accounts/A/users/U",
	}
	fraction := user
	fraction.CreateTime.Time = user.CreateTime.Add(250 * time.Millisecond)
	const userJSON = `{"id":"U","email":"a@example.com","display_name":"A","state":"ACTIVE","create_time":"2024-01-15T10:30:00Z","path":"accounts/A/users/U"}`

	cases := []struct {
		schema string
		value  any
		want   string // "" where only the schema decides
	}{
		{"User", user, userJSON},
		{"User", fraction, `{"id":"U","email":"a@example.com","display_name":"A","state":"ACTIVE","create_time":"2024-01-15T10:30:00.25Z","path":"accounts/A/users/U"}`},
		{"ListUsersResponse", api.NewListUsersResponse(nil, ""), `{"results":[]}`},
		{"ListUsersResponse", api.NewListUsersResponse([]api.User{user}, "t"), `{"results":[` + userJSON + `],"next_page_token":"t"}`},
		{"NotFound", api.NewStatus(api.CodeNotFound, api.MessageNotFound), `{"code":5,"message":"not_found","details":[]}`},
		{"TokenResponse", api.TokenResponse{AccessToken: "0123456789abcdef0123456789abcdef", TokenType: api.TokenTypeBearer, ExpiresIn: 900, Scope: api.ScopeOpenID}, `{"access_token":"0123456789abcdef0123456789abcdef","token_type":"Bearer","expires_in":900,"scope":"openid"}`},
		{"OAuthError", api.OAuthError{Error: api.OAuthInvalidClient, ErrorDescription: "d"}, `{"error":"invalid_client","error_description":"d"}`},
		{"NewOAuthClient", api.NewOAuthClient{Name: "n", Permissions: []api.Permission{api.PermissionListUsers}}, `{"name":"n","permissions":["users.list"]}`},
		{"NewOAuthClient", api.NewOAuthClient{Name: "n", Description: "d", RedirectURL: "https://example.com", Permissions: []api.Permission{api.PermissionWriteOAuthClients}}, `{"name":"n","description":"d","redirect_url":"https://example.com","permissions":["oauth_clients.write"]}`},
		{"OAuthClientPatch", api.OAuthClientPatch{}, `{}`},
		{"OAuthClientPatch", api.OAuthClientPatch{Name: new("n"), Description: new(""), RedirectURL: new(""), Permissions: []api.Permission{api.PermissionGetUser}}, `{"name":"n","description":"","redirect_url":"","permissions":["users.get"]}`},
		{"Rotation", api.OAuthClientRotation{}, `{}`},
		{"Rotation", api.OAuthClientRotation{Overlap: "604800s"}, `{"overlap":"604800s"}`},
		{"AuthorizationServerMetadata", api.NewAuthorizationServerMetadata("https://users.example.com"), ""},
		{"ProtectedResourceMetadata", api.NewProtectedResourceMetadata("https://users.example.com"), ""},
	}
	doc := document(t)
	for _, c := range cases {
		got, err := json.Marshal(c.value)
		if err != nil {
			t.Errorf("%s: marshal: %v", c.schema, err)
			continue
		}
		if diff := cmp.Diff(c.want, string(got)); c.want != "" && diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.schema, diff)
		}
		schema := doc.Components.Schemas[c.schema].Value
		if err := schema.VisitJSON(generic(t, c.value), openapi3.EnableJSONSchema2020()); err != nil {
			t.Errorf("%s: %s is not what the document says: %v", c.schema, got, err)
		}
	}
}

// TestMetadataExamples: what the constructors make is what the document shows.
func TestMetadataExamples(t *testing.T) {
	t.Parallel()
	doc := document(t)
	for name, value := range map[string]any{
		"authorization_server_metadata": api.NewAuthorizationServerMetadata("https://users.example.com"),
		"protected_resource_metadata":   api.NewProtectedResourceMetadata("https://users.example.com"),
	} {
		if diff := cmp.Diff(generic(t, doc.Components.Examples[name].Value.Value), generic(t, value)); diff != "" {
			t.Errorf("%s (-document +constructor):\n%s", name, diff)
		}
	}
}

func TestTimestampRoundTrip(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"2024-01-15T10:30:00Z", "2024-02-29T23:59:59.000001Z", "1970-01-01T00:00:00Z"} {
		var ts api.Timestamp
		if err := json.Unmarshal([]byte(`"`+text+`"`), &ts); err != nil {
			t.Errorf("unmarshal %s: %v", text, err)
			continue
		}
		got, err := json.Marshal(ts)
		if want := `"` + text + `"`; err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
		if key, err := ts.MarshalText(); err != nil || string(key) != text {
			t.Errorf("as text: got %s, %v, want %s", key, err, text)
		}
	}
}
