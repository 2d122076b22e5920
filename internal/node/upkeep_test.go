package node

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

const (
	testLifetime = 60 * time.Second
	testRate     = 5 // tokens a second
)

var testKeep = store.Retention{Entries: 1000 * time.Hour, Usage: 1000 * time.Hour}

// TestUpkeepPurgesAndFlushes lets five minutes of a bubble's clock go by: the server by
// itself keeps expired tokens below a twentieth of the living ones, and writes usage.
func TestUpkeepPurgesAndFlushes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		core, err := OpenCore(t.Context(), CoreOptions{
			Store: store.Options{Dir: dir, Exclusive: true}, Lifetime: testLifetime,
			Now: time.Now, Rand: rand.Reader, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		n, err := New(core, Options{Server: server.Config{Addr: "127.0.0.1:0"}, Limits: throttle.DefaultSettings(), Retention: testKeep})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); n.upkeep(ctx) }()

		client := testClient(t, core)
		for second := range 300 {
			for range testRate {
				if _, err := core.OAuth.Issue(ctx, access.Caller{}, client); err != nil {
					t.Fatal(err)
				}
			}
			n.usage.Observe(client.Account, client.ID, "Test/1.0", 200, time.Now())
			if second%97 == 96 {
				wantFewExpired(t, core)
			}
			time.Sleep(time.Second)
		}
		rows, err := core.Store.Usage(ctx, client.Account, time.Now().Add(-time.Hour))
		if err != nil || len(rows) == 0 || rows[0].Requests < 290 {
			t.Errorf("usage after five minutes: got %+v, %v; want 290 requests or more in the store", rows, err)
		}
		stop()
		<-ended
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}

// wantFewExpired counts what the server has left to purge, by purging it.
func wantFewExpired(t *testing.T, core *Core) {
	t.Helper()
	expired, err := core.Store.Purge(t.Context(), time.Now(), testKeep)
	if err != nil {
		t.Fatal(err)
	}
	living := testRate * testLifetime / time.Second
	if most := int64(living / 20); expired > most {
		t.Errorf("%d expired tokens beside %d living ones, want at most %d", expired, living, most)
	}
}

func testClient(t testing.TB, core *Core) oauth.AuthenticatedClient {
	t.Helper()
	caller := access.Caller{Kind: access.System, Name: "test"}
	account, err := core.Directory.CreateAccount(t.Context(), caller, directory.Account{Name: "Test"})
	if err != nil {
		t.Fatal(err)
	}
	app, secret, err := core.OAuth.Create(t.Context(), caller,
		oauth.Application{Account: account.ID, Name: "Test", Permissions: access.All}, oauth.ClientSecret{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := core.OAuth.AuthenticateClient(t.Context(), caller, audit.TokenIssue,
		oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}
