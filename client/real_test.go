package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/client/clienttest"
)

// These tests run against the real server: what the fakes of the other tests say
// about the contract is worth what these confirm.

// clock is the time of a server and of its clients; a client's sleep moves it.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), c.slept+d
	return ctx.Err()
}

// counter counts requests, and remembers the last token.
type counter struct {
	mu       sync.Mutex
	requests map[string]int // "token", "users", ...: by the last segment of the path
	token    string
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	if c.requests == nil {
		c.requests = map[string]int{}
	}
	c.requests[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]++
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.token = token
	}
	c.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// newClient returns a client of the server and what counts its requests.
func newClient(t *testing.T, srv *clienttest.Server, change func(*client.Config)) (*client.Client, *counter) {
	t.Helper()
	n := &counter{}
	config := srv.Config()
	config.HTTPClient = &http.Client{Transport: n}
	if change != nil {
		change(&config)
	}
	c, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeClient(t, c) })
	return c, n
}

func versions(t *testing.T, f func(t *testing.T, v client.Version)) {
	t.Helper()
	for _, v := range []client.Version{client.V1Beta1, client.V1} {
		t.Run(string(v), func(t *testing.T) { t.Parallel(); f(t, v) })
	}
}

func TestRealLifecycle(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, v client.Version) {
		srv := clienttest.Start(t,
			clienttest.WithUser(clienttest.User{ID: "OWNER", Groups: []string{clienttest.Owners}}),
			clienttest.WithUser(clienttest.User{ID: "EAM", Type: clienttest.ExternallyManaged}),
			clienttest.WithUser(clienttest.User{ID: "INVITED", State: clienttest.StatePending}),
			clienttest.WithUser(clienttest.User{ID: "ADA"}),
		)
		c, _ := newClient(t, srv, func(c *client.Config) { c.APIVersion = v })
		ctx := t.Context()
		for i, step := range []struct {
			do    func(context.Context, string) (client.User, error)
			id    string
			state client.State
			want  error
		}{
			{c.Users.Get, "ADA", client.StateActive, nil},
			{c.Users.Suspend, "ADA", client.StateSuspended, nil},
			{c.Users.Suspend, "ADA", client.StateSuspended, nil},
			{c.Users.Get, "ADA", client.StateSuspended, nil},
			{c.Users.Reactivate, "ADA", client.StateActive, nil},
			{c.Users.Suspend, "OWNER", "", client.ErrLastOwner},
			{c.Users.Suspend, "EAM", "", client.ErrExternallyManaged},
			{c.Users.Get, "INVITED", "", client.ErrNotFound},
			{c.Users.Get, "NOBODY", "", client.ErrNotFound},
			{c.Users.Get, "odd/id?", "", client.ErrNotFound},
		} {
			u, err := step.do(ctx, step.id)
			if u.State != step.state || !errors.Is(err, step.want) {
				t.Errorf("step %d, %s: got %s, %v; want %s, %v", i, step.id, u.State, err, step.state, step.want)
			}
		}
		if _, err := c.Users.List(ctx, client.ListOptions{Filter: "user.isTall()"}); !errors.Is(err, client.ErrInvalidArgument) {
			t.Errorf("another filter: got %v, want %v", err, client.ErrInvalidArgument)
		}
	})
}

func TestRealRefusals(t *testing.T) {
	t.Parallel()
	ada := clienttest.WithUser(clienttest.User{ID: "ADA"})
	t.Run("provisioning", func(t *testing.T) {
		t.Parallel()
		_, err := clienttest.Start(t, ada, clienttest.WithAutomatedProvisioning()).Client().Users.Suspend(t.Context(), "ADA")
		if !errors.Is(err, client.ErrAutomatedProvisioning) {
			t.Errorf("got %v, want %v", err, client.ErrAutomatedProvisioning)
		}
	})
	t.Run("permission", func(t *testing.T) {
		t.Parallel()
		_, err := clienttest.Start(t, ada, clienttest.WithPermissions(api.PermissionListUsers)).Client().Users.Suspend(t.Context(), "ADA")
		if !errors.Is(err, client.ErrPermissionDenied) {
			t.Errorf("got %v, want %v", err, client.ErrPermissionDenied)
		}
	})
	t.Run("another account", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, clienttest.Start(t, ada), func(c *client.Config) { c.AccountID = testAccount })
		if _, err := c.Users.Get(t.Context(), "ADA"); !errors.Is(err, client.ErrPermissionDenied) {
			t.Errorf("got %v, want %v", err, client.ErrPermissionDenied)
		}
	})
	t.Run("another path", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, clienttest.Start(t, ada), func(c *client.Config) { c.BaseURL += "/api" })
		if _, err := c.Users.Get(t.Context(), "ADA"); !errors.Is(err, client.ErrUnknownRoute) {
			t.Errorf("got %v, want %v", err, client.ErrUnknownRoute)
		}
	})
	t.Run("wrong secret", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, clienttest.Start(t, ada), func(c *client.Config) { c.ClientSecret = client.NewSecret("a+b/c=d:e%20f") })
		if _, err := c.Users.Get(t.Context(), "ADA"); !errors.Is(err, client.ErrBadCredentials) {
			t.Errorf("got %v, want %v", err, client.ErrBadCredentials)
		}
	})
	t.Run("application disabled and enabled", func(t *testing.T) {
		t.Parallel()
		srv := clienttest.Start(t, ada)
		for _, step := range []struct {
			do   func(context.Context) error
			want error
		}{{func(context.Context) error { return nil }, nil}, {srv.DisableApplication, client.ErrBadCredentials}, {srv.EnableApplication, nil}} {
			if err := step.do(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := srv.Client().Users.Get(t.Context(), "ADA"); !errors.Is(err, step.want) {
				t.Errorf("got %v, want %v", err, step.want)
			}
		}
	})
}

func TestRealWalk(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, v client.Version) {
		srv := clienttest.Start(t, clienttest.WithUsers(2345))
		c, n := newClient(t, srv, func(c *client.Config) { c.APIVersion = v })
		got, err := walk(t.Context(), c, client.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range 2345 {
			want = append(want, fmt.Sprintf("USER-%05d", i+1))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if diff := cmp.Diff(map[string]int{"token": 1, "users": 3}, n.requests); diff != "" {
			t.Errorf("requests (-want +got)\n%s", diff)
		}
		resumed := 0
		for page, err := range c.Users.Pages(t.Context(), client.ListOptions{Filter: client.ActiveUsers, PageSize: 1000}) {
			if err != nil {
				t.Fatal(err)
			}
			rest, err := walk(t.Context(), c, client.ListOptions{Filter: client.ActiveUsers, PageToken: page.PageToken})
			if diff := cmp.Diff(want[resumed:], rest); diff != "" || err != nil {
				t.Errorf("resumed at page %d: error %v (-want +got)\n%s", resumed/1000, err, diff)
			}
			resumed += len(page.Users)
		}
	})
}

func TestRealTokenEndsMidWalk(t *testing.T) {
	t.Parallel()
	now := newClock()
	srv := clienttest.Start(t, clienttest.WithUsers(50), clienttest.WithClock(now.Now))
	ends := map[string]func(*client.Client, *counter) error{
		"revoked": func(c *client.Client, n *counter) error {
			return c.Tokens.Revoke(t.Context(), client.NewSecret(n.token))
		},
		"expired": func(*client.Client, *counter) error { return now.Sleep(t.Context(), 901*time.Second) },
	}
	for name, end := range ends { // one after the other: they share a clock
		c, n := newClient(t, srv, nil) // its clock is the system's: only a 401 tells it
		other, _ := newClient(t, srv, nil)
		people := 0
		for page, err := range c.Users.Pages(t.Context(), client.ListOptions{PageSize: 10}) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if people += len(page.Users); people == 20 {
				if err := end(other, n); err != nil {
					t.Fatal(err)
				}
			}
		}
		if people != 50 || n.requests["token"] != 2 {
			t.Errorf("%s: %d people and %d tokens, want 50 and 2", name, people, n.requests["token"])
		}
	}
}

func TestRealLimits(t *testing.T) {
	t.Parallel()
	now := newClock()
	srv := clienttest.Start(t, clienttest.WithUser(clienttest.User{ID: "ADA"}), clienttest.WithLimits(5, 12), clienttest.WithClock(now.Now))
	c, n := newClient(t, srv, func(c *client.Config) { c.Now, c.Sleep = now.Now, now.Sleep })
	for range 12 {
		if err := get(t.Context(), c)(); err != nil {
			t.Fatal(err)
		}
	}
	if now.slept < 2*time.Minute || now.slept > 2*time.Minute+5*time.Second {
		t.Errorf("waited %s, want 2m to 2m5s", now.slept)
	}
	sofar := n.requests["ADA"]
	err := get(t.Context(), c)()
	var refused *client.Error
	if !errors.Is(err, client.ErrRateLimited) || !errors.As(err, &refused) || !refused.Reset.Equal(now.Now().Add(refused.RetryAfter)) || refused.RetryAfter < 50*time.Minute {
		t.Errorf("past the hour's limit: got %v, want %v for most of an hour", err, client.ErrRateLimited)
	}
	if n.requests["ADA"] != sofar+1 {
		t.Errorf("%d requests, want 1: an hour is not waited for", n.requests["ADA"]-sofar)
	}
}

func TestRealSharing(t *testing.T) {
	t.Parallel()
	srv := clienttest.Start(t, clienttest.WithUser(clienttest.User{ID: "ADA"}))
	c, n := newClient(t, srv, nil)
	if errs := together(16, get(t.Context(), c)); errs != nil {
		t.Error(errs)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]int{"token": 1, "ADA": 16, "revoke": 1}, n.requests); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.BaseURL+"/v1/accounts/"+srv.AccountID+"/users/ADA", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+n.token)
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the token after Close: HTTP %d, want 401", resp.StatusCode)
	}
}
