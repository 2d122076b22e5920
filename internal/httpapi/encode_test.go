package httpapi

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// wireUser is a person as the contract's type has it.
func wireUser(u directory.User) api.User {
	return api.User{
		ID: string(u.ID), Email: string(u.Email), DisplayName: u.DisplayName, State: api.State(u.State),
		CreateTime: api.Timestamp{Time: u.CreateTime}, Path: "accounts/" + string(u.Account) + "/users/" + string(u.ID),
	}
}

// TestEncodeAsJSON compares what is written by hand with encoding/json, for names of
// every kind of character.
func TestEncodeAsJSON(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z"\\<>&\x00-\x1f\x7f]{0,20}`),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	user := rapid.Custom(func(t *rapid.T) directory.User {
		return directory.User{
			ID: ident.UserID(text.Draw(t, "id")), Account: ident.AccountID(text.Draw(t, "account")), Email: ident.Email(text.Draw(t, "email")),
			DisplayName: text.Draw(t, "name"), State: directory.State(text.Draw(t, "state")),
			CreateTime: time.UnixMicro(rapid.Int64Range(0, 253402300799999999).Draw(t, "time")),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.SliceOf(user).Draw(t, "users")
		space := bytes.Repeat([]byte("x"), rapid.IntRange(0, 2000).Draw(t, "space"))
		var wire []api.User
		for _, u := range users {
			wire = append(wire, wireUser(u))
			sameJSON(t, space, u, wireUser(u))
		}
		next := text.Draw(t, "next")
		sameJSON(t, space, people{users, next}, api.NewListUsersResponse(wire, next))
	})
}

func sameJSON(t *rapid.T, space []byte, v, wire any) {
	want, err := encodeJSON(wire)
	if err != nil {
		t.Fatal(err)
	}
	got, err := encode(space, v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Fatalf("encode(%#v) (-want +got):\n%s", v, diff)
	}
}
