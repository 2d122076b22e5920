package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/client/clienttest"
)

// The examples run against a real server in this process, where Config.BaseURL or
// Config.Region would name yours.
func exampleServer() *clienttest.Server {
	srv, err := clienttest.New(
		clienttest.WithUser(clienttest.User{ID: "OLIVIA", Email: "olivia@example.com", Groups: []string{clienttest.Owners}}),
		clienttest.WithUser(clienttest.User{ID: "LEAVER", Email: "leaver@example.com"}),
		clienttest.WithUser(clienttest.User{ID: "GONE", Email: "gone@example.com", State: client.StateSuspended}),
	)
	if err != nil {
		log.Fatal(err)
	}
	return srv
}

func Example() {
	ctx := context.Background()
	srv := exampleServer()
	defer srv.Close()
	setEnv(srv)
	if err := listActive(ctx, srv.BaseURL); err != nil {
		log.Fatal(err)
	}
	// Output:
	// olivia@example.com ACTIVE
	// leaver@example.com ACTIVE
}

func listActive(ctx context.Context, baseURL string) error {
	c, err := client.New(client.Config{
		BaseURL:      baseURL, // or Region: client.RegionCOM
		AccountID:    os.Getenv("ROLLCALL_ACCOUNT_ID"),
		ClientID:     os.Getenv("ROLLCALL_CLIENT_ID"),
		ClientSecret: client.NewSecret(os.Getenv("ROLLCALL_CLIENT_SECRET")),
		UserAgent:    "ExampleCorp/1.0",
	})
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))

	for user, err := range c.Users.All(ctx, client.ListOptions{Filter: client.ActiveUsers}) {
		if err != nil {
			return err
		}
		fmt.Println(user.Email, user.State)
	}
	return nil
}

func setEnv(srv *clienttest.Server) {
	for name, value := range map[string]string{
		"ROLLCALL_ACCOUNT_ID": srv.AccountID, "ROLLCALL_CLIENT_ID": srv.ClientID, "ROLLCALL_CLIENT_SECRET": srv.ClientSecret.Reveal(),
	} {
		if err := os.Setenv(name, value); err != nil {
			log.Fatal(err)
		}
	}
}

func ExampleUsersService_Suspend() {
	ctx := context.Background()
	srv := exampleServer()
	defer srv.Close()
	c := srv.Client()

	for _, id := range []string{"LEAVER", "OLIVIA", "NOBODY"} {
		user, err := c.Users.Suspend(ctx, id)
		switch {
		case errors.Is(err, client.ErrLastOwner):
			fmt.Println(id, "is the last owner: name another one first")
		case errors.Is(err, client.ErrNotFound):
			fmt.Println(id, "is not there")
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(user.Email, "is", user.State)
		}
	}
	// Output:
	// leaver@example.com is SUSPENDED
	// OLIVIA is the last owner: name another one first
	// NOBODY is not there
}

func ExampleUsersService_Reactivate() {
	ctx := context.Background()
	srv := exampleServer()
	defer srv.Close()
	c := srv.Client()

	user, err := c.Users.Reactivate(ctx, "GONE")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.Email, "is", user.State)
	// Output: gone@example.com is ACTIVE
}

func ExampleUsersService_Pages() {
	ctx := context.Background()
	srv := exampleServer()
	defer srv.Close()
	c := srv.Client()

	// Stop after the first page, as a program does that is interrupted ...
	var resume string
	for page, err := range c.Users.Pages(ctx, client.ListOptions{PageSize: 2}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(page.Users), "people")
		resume = page.NextPageToken // keep it where it survives
		break
	}

	// ... and go on where it stopped.
	for page, err := range c.Users.Pages(ctx, client.ListOptions{PageToken: resume}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(page.Users), "more")
	}
	// Output:
	// 2 people
	// 1 more
}

func ExampleError() {
	ctx := context.Background()
	srv := exampleServer()
	defer srv.Close()
	c := srv.Client()

	_, err := c.Users.Get(ctx, "NOBODY")
	var refused *client.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Code, refused.Message)
		fmt.Println("a request id to quote:", refused.RequestID != "")
	}
	// Output:
	// 404 5 not_found
	// a request id to quote: true
}

func ExamplePublishedPacing() {
	srv := exampleServer()
	defer srv.Close()

	config := srv.Config()
	config.Pacing = client.PublishedPacing()
	c, err := client.New(config)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close(context.Background())

	n := 0
	for _, err := range c.Users.All(context.Background(), client.ListOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		n++
	}
	fmt.Println(n, "people")
	// Output: 3 people
}

func ExampleTokensService_Issue() {
	ctx := context.Background()
	srv := exampleServer()
	defer srv.Close()
	c := srv.Client()

	token, err := c.Tokens.Issue(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Value, "lives for", token.Lifetime) // token.Value.Reveal() tells it
	if err := c.Tokens.Revoke(ctx, token.Value); err != nil {
		log.Fatal(err)
	}
	// Output: [redacted] lives for 15m0s
}

func ExampleApplicationsService_Create() {
	ctx := context.Background()
	srv, err := clienttest.New(clienttest.WithManagement())
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	c := srv.Client()

	made, err := c.Applications.Create(ctx, client.NewApplication{
		Name:        "Alarm bridge",
		Permissions: []client.Permission{client.PermissionListUsers, client.PermissionSuspendUser},
	})
	if errors.Is(err, client.ErrOutcomeUnknown) {
		log.Fatal("look whether it is there, before creating it again: ", err)
	}
	if err != nil {
		log.Fatal(err)
	}
	keep(made.Application.ID, made.Secret.Reveal()) // it is never told again

	// Every quarter: a new secret, and a day to bring it to the bridge.
	made, err = c.Applications.RotateSecret(ctx, made.Application.ID, 24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	keep(made.Application.ID, made.Secret.Reveal())

	for app, err := range c.Applications.All(ctx, client.ApplicationListOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(app.Name, app.State, len(app.Secrets), "secrets")
	}
	// Output:
	// Example ENABLED 1 secrets
	// Alarm bridge ENABLED 2 secrets
}

// keep stands for where a program keeps its secrets.
func keep(id, secret string) {
	if id == "" || secret == "" {
		log.Fatal("nothing to keep")
	}
}

// offboard is what a user of the SDK might write and test.
func offboard(ctx context.Context, c *client.Client, id string) (client.State, error) {
	user, err := c.Users.Suspend(ctx, id)
	return user.State, err
}

// TestOffboard is the test that docs/sdk.md shows.
func TestOffboard(t *testing.T) {
	t.Parallel()
	srv := clienttest.Start(t, clienttest.WithUser(clienttest.User{ID: "ada", Email: "ada@example.com"}))
	c := srv.Client()

	state, err := offboard(t.Context(), c, "ada")
	if err != nil || state != client.StateSuspended {
		t.Errorf("got %s, %v; want %s", state, err, client.StateSuspended)
	}
}
