package node

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/valkeytest"
)

// replica is a node that serves, and how to reach it.
type replica struct {
	*Node
	base string
}

// replicas starts nodes on one database, whose clocks are ten seconds apart: limits are
// counted by the store's.
func replicas(t *testing.T, n int, o Options) []replica {
	t.Helper()
	database := pgtest.Shared(t, pgtest.Newest)
	url := database.URL(database.Database(t))
	list := make([]replica, n)
	for i := range list {
		skew := time.Duration(i) * 10 * time.Second
		core, err := OpenCore(t.Context(), CoreOptions{
			Store: store.Options{URL: url}, Now: func() time.Time { return time.Now().Add(skew) }, Rand: rand.Reader,
			Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Server = server.Config{Addr: "127.0.0.1:0", Admin: server.AdminConfig{Addr: "off"}, QuietGrace: time.Millisecond}
		o.Retention = testKeep
		node, err := New(core, o)
		if err != nil {
			t.Fatal(err)
		}
		addr, err := node.Listen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- node.Run(ctx) }()
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Errorf("a replica did not end well: %v", err)
			}
		})
		list[i] = replica{Node: node, base: "http://" + addr.String()}
	}
	return list
}

// get asks a replica for an account's people.
func (r replica) get(t *testing.T, account, token string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/v1/accounts/"+account+"/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp
}

// crowd sends requests to all replicas at once and counts answers by status.
func crowd(t *testing.T, list []replica, callers, each int, ask func(replica) *http.Response) map[int]int {
	t.Helper()
	var mu sync.Mutex
	statuses := map[int]int{}
	var all sync.WaitGroup
	for _, r := range list {
		for range callers {
			all.Go(func() {
				for range each {
					resp := ask(r)
					mu.Lock()
					statuses[resp.StatusCode]++
					mu.Unlock()
					wait, err := strconv.Atoi(resp.Header.Get("Retry-After"))
					if resp.StatusCode == http.StatusTooManyRequests && (err != nil || wait < 1 || wait > 3600) {
						t.Errorf("Retry-After: %q, want 1 to 3600", resp.Header.Get("Retry-After"))
					}
				}
			})
		}
	}
	all.Wait()
	return statuses
}

// TestReplicasShareLimits: what three replicas admit together, through the door, is
// exactly the limit, wherever it is counted.
func TestReplicasShareLimits(t *testing.T) {
	t.Parallel()
	const limit, failures = 100, 30
	settings := throttle.Settings{UsersPerHour: limit, AuthFailuresPerMinute: failures}
	for name, url := range map[string]string{"PostgreSQL": "", "Redis": valkeytest.Own(t).URL()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := replicas(t, 3, Options{Limits: settings, SharedLimits: SharedLimits{URL: url, Timeout: 10 * time.Second}})
			client := testClient(t, list[0].Core)
			token, err := list[0].OAuth.Issue(t.Context(), access.Caller{}, client)
			if err != nil {
				t.Fatal(err)
			}
			ask := func(r replica) *http.Response { return r.get(t, string(client.Account), token.AccessToken) }
			got := crowd(t, list, 4, 15, ask)
			if got[200] != limit || got[429] != 180-limit {
				t.Errorf("180 requests were answered %v, want %d times 200 and else 429", got, limit)
			}

			// Failed authentication is counted by address, over all replicas too. Of guesses
			// sent one by one exactly so many are looked at.
			var turn atomic.Int64
			guess := func(replica) *http.Response {
				return list[int(turn.Add(1))%len(list)].get(t, string(client.Account), strings.Repeat("a", 43))
			}
			if got := crowd(t, list[:1], 1, failures+5, guess); got[401] != failures || got[429] != 5 {
				t.Errorf("%d guesses were answered %v, want %d times 401 and else 429", failures+5, got, failures)
			}
			if resp := ask(list[1]); resp.StatusCode != http.StatusTooManyRequests {
				t.Errorf("a good token from an address that is over the limit: %d, want 429", resp.StatusCode)
			}
			for i, r := range list {
				if s := r.limits.shared.Stats(); !s.Shared || s.Alone > 0 {
					t.Errorf("replica %d answered by itself: %+v", i, s)
				}
			}
		})
	}
}

// TestReplicasWithoutTheirStore: no answer is an error because the store of limits is away.
func TestReplicasWithoutTheirStore(t *testing.T) {
	t.Parallel()
	counts := valkeytest.Own(t)
	list := replicas(t, 2, Options{
		Limits:       throttle.Settings{UsersPerHour: 50},
		SharedLimits: SharedLimits{URL: counts.URL(), Timeout: 300 * time.Millisecond},
	})
	client := testClient(t, list[0].Core)
	token, err := list[0].OAuth.Issue(t.Context(), access.Caller{}, client)
	if err != nil {
		t.Fatal(err)
	}
	counts.Kill()
	got := crowd(t, list, 4, 20, func(r replica) *http.Response {
		return r.get(t, string(client.Account), token.AccessToken)
	})
	if got[200] != 2*50 || got[429] != 160-2*50 {
		t.Errorf("160 requests were answered %v, want 200 for 50 at each replica and else 429", got)
	}
	for _, r := range list {
		if got := gauge(t, r.Node, "rollcall_limits_shared"); got != 0 {
			t.Errorf("rollcall_limits_shared = %v, want 0", got)
		}
		if got := gauge(t, r.Node, "rollcall_limits_alone_total"); got == 0 {
			t.Error("rollcall_limits_alone_total = 0, want more")
		}
	}
}

func gauge(t *testing.T, n *Node, name string) float64 {
	t.Helper()
	families, err := n.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
