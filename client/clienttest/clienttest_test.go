package clienttest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/client/clienttest"
)

func TestPeople(t *testing.T) {
	t.Parallel()
	srv := clienttest.Start(t,
		clienttest.WithUser(clienttest.User{}),
		clienttest.WithUser(clienttest.User{ID: "ADA", Email: "ada@example.com", DisplayName: "Ada", State: client.StateSuspended, Type: clienttest.Guest}),
		clienttest.WithUser(clienttest.User{State: clienttest.StatePending}),
		clienttest.WithUsers(2),
	)
	var got []string
	for u, err := range srv.Client().Users.All(t.Context(), client.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		made := u.ID == strings.TrimSuffix(u.Email, "@example.com") && len(u.ID) == 26
		if made {
			u.DisplayName = "made"
		}
		got = append(got, u.DisplayName+" "+string(u.State))
	}
	want := []string{"User 1 ACTIVE", "User 2 ACTIVE", "made ACTIVE", "Ada SUSPENDED"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestServersAreApart(t *testing.T) {
	t.Parallel()
	one, other := clienttest.Start(t, clienttest.WithUsers(1)), clienttest.Start(t, clienttest.WithUsers(1))
	if _, err := one.Client().Users.Suspend(t.Context(), "USER-00001"); err != nil {
		t.Fatal(err)
	}
	u, err := other.Client().Users.Get(t.Context(), "USER-00001")
	if err != nil || u.State != client.StateActive {
		t.Errorf("on the other server: got %s, %v; want %s", u.State, err, client.StateActive)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		option clienttest.Option
		want   string
	}{
		"a state of nobody":      {clienttest.WithUser(clienttest.User{Email: "a@example.com", State: "ON_LEAVE"}), "user 1 (a@example.com)"},
		"a type of nobody":       {clienttest.WithUser(clienttest.User{Email: "a@example.com", Type: "robot"}), "user 1 (a@example.com)"},
		"a permission of nobody": {clienttest.WithPermissions("users.delete"), "users.delete"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, err := clienttest.New(tt.option)
			if err == nil || !strings.Contains(err.Error(), tt.want) || srv != nil {
				t.Errorf("got %v, want an error that says %q", err, tt.want)
			}
		})
	}
}

// TestCloseLeavesNothing is not parallel: it changes where temporary folders are
// made, and looks at all goroutines.
func TestCloseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	before := goleak.IgnoreCurrent()
	srv, err := clienttest.New(clienttest.WithUsers(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.Client().Users.Get(t.Context(), "USER-00001"); err != nil {
		t.Fatal(err)
	}
	if err := srv.DisableApplication(t.Context()); err != nil { // what nobody can revoke is no failure
		t.Fatal(err)
	}
	for range 2 {
		if err := srv.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
	goleak.VerifyNone(t, before)
	if _, err := srv.Client().Users.Get(context.Background(), "USER-00001"); !errors.Is(err, client.ErrClosed) {
		t.Errorf("a call after Close: got %v, want %v", err, client.ErrClosed)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
