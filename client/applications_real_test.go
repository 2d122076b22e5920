package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/client/clienttest"
)

// TestRealApplications is the life of an application, against the real server.
func TestRealApplications(t *testing.T) {
	t.Parallel()
	srv := clienttest.Start(t, clienttest.WithManagement(), clienttest.WithUsers(1))
	ctx, apps := t.Context(), srv.Client().Applications
	made, err := apps.Create(ctx, client.NewApplication{Name: "Bridge", Permissions: []client.Permission{client.PermissionListUsers}})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Application.ID
	use := func(secret client.Secret) error {
		c, _ := newClient(t, srv, func(c *client.Config) { c.ClientID, c.ClientSecret = id, secret })
		_, err := c.Users.List(ctx, client.ListOptions{})
		return err
	}
	rotate := func(overlap time.Duration) client.Credentials {
		c, err := apps.RotateSecret(ctx, id, overlap)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	do := func(call func(context.Context, string) (client.Application, error)) error {
		_, err := call(ctx, id)
		return err
	}
	second := rotate(time.Hour)
	third := second
	steps := []struct {
		name   string
		do     func() error
		secret client.Secret
		want   error
	}{
		{"after an overlapping rotation", nil, made.Secret, nil},
		{"the new secret", nil, second.Secret, nil},
		{"rotated at once", func() error { third = rotate(0); return nil }, second.Secret, client.ErrBadCredentials},
		{"disabled", func() error { return do(apps.Disable) }, third.Secret, client.ErrBadCredentials},
	}
	for _, step := range steps {
		if step.do != nil {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
		}
		if err := use(step.secret); !errors.Is(err, step.want) {
			t.Errorf("%s: got %v, want %v", step.name, err, step.want)
		}
	}
	if err := errors.Join(do(apps.Enable), use(third.Secret), do(apps.RevokeTokens)); err != nil {
		t.Error(err)
	}
	a, err := apps.Update(ctx, id, client.ApplicationPatch{Description: new("Alarms"), Permissions: []client.Permission{client.PermissionGetUser}})
	if err != nil || a.Name != "Bridge" || a.Description != "Alarms" || a.Permissions[0] != client.PermissionGetUser {
		t.Errorf("updated: got %+v, %v", a, err)
	}
	if a, err = apps.Update(ctx, id, client.ApplicationPatch{Description: new("")}); err != nil || a.Description != "" {
		t.Errorf("emptied: got %q, %v", a.Description, err)
	}
	if err := use(third.Secret); !errors.Is(err, client.ErrPermissionDenied) {
		t.Errorf("without the permission: got %v, want %v", err, client.ErrPermissionDenied)
	}
	if _, err := apps.RotateSecret(ctx, id, 169*time.Hour); !errors.Is(err, client.ErrInvalidArgument) {
		t.Errorf("too long an overlap: got %v, want %v", err, client.ErrInvalidArgument)
	}
	if err := apps.Delete(ctx, id); err != nil {
		t.Error(err)
	}
	if _, err := apps.Get(ctx, id); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("deleted: got %v, want %v", err, client.ErrNotFound)
	}
	n := 0
	for a, err := range apps.All(ctx, client.ApplicationListOptions{PageSize: 1}) {
		if n++; err != nil || a.ID != srv.ClientID || len(a.Secrets) != 1 || a.Secrets[0].LastUsedTime == nil {
			t.Errorf("left: %+v, %v; want %s alone, and that its secret was used", a, err, srv.ClientID)
		}
	}
	if n != 1 {
		t.Errorf("%d applications are left, want 1", n)
	}
}

// TestRealManagementLimits: a client that paces itself is never refused.
func TestRealManagementLimits(t *testing.T) {
	t.Parallel()
	now := newClock()
	srv := clienttest.Start(t, clienttest.WithManagement(), clienttest.WithManagementLimits(5, 2), clienttest.WithClock(now.Now))
	c, n := newClient(t, srv, func(c *client.Config) { c.Now, c.Sleep = now.Now, now.Sleep })
	for range 3 {
		if _, err := c.Applications.RotateSecret(t.Context(), srv.ClientID, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	// Two, a refusal that is waited out, and the third.
	if got := n.requests[srv.ClientID+":rotate-secret"]; got != 4 || now.slept < 59*time.Second || now.slept > 62*time.Second {
		t.Errorf("%d requests and a wait of %s, want 4 and a minute", got, now.slept)
	}
}

// TestManagementNeedsPermission: without it the error says so, on reads and writes.
func TestManagementNeedsPermission(t *testing.T) {
	t.Parallel()
	srv := clienttest.Start(t)
	_, err := srv.Client().Applications.List(t.Context(), client.ApplicationListOptions{})
	if !errors.Is(err, client.ErrPermissionDenied) {
		t.Errorf("got %v, want %v", err, client.ErrPermissionDenied)
	}
	if err := srv.Client().Applications.Delete(t.Context(), srv.ClientID); !errors.Is(err, client.ErrPermissionDenied) {
		t.Errorf("got %v, want %v", err, client.ErrPermissionDenied)
	}
}
