package httpapi

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/api"
)

// TestEncodeAsJSON compares what is written by hand with encoding/json, for names of
// every kind of character.
func TestEncodeAsJSON(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z"\\<>&\x00-\x1f\x7f]{0,20}`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	user := rapid.Custom(func(t *rapid.T) api.User {
		return api.User{
			ID: text.Draw(t, "id"), Email: text.Draw(t, "email"), DisplayName: text.Draw(t, "name"),
			State:      api.State(text.Draw(t, "state")),
			CreateTime: api.Timestamp{Time: time.UnixMicro(rapid.Int64Range(0, 253402300799999999).Draw(t, "time"))},
			Path:       text.Draw(t, "path"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.SliceOf(user).Draw(t, "users")
		values := []any{api.NewListUsersResponse(users, text.Draw(t, "next"))}
		for _, u := range users {
			values = append(values, u)
		}
		for _, v := range values {
			want, err := encodeJSON(v)
			if err != nil {
				t.Fatal(err)
			}
			got, err := encode(v)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Fatalf("encode(%#v) (-want +got):\n%s", v, diff)
			}
		}
	})
}
