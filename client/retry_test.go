package client_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/client"
)

// refuseFirst answers the first n requests with a status and then with a person.
func refuseFirst(n, status int, headers ...string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, nth int) {
		if nth > n {
			answerUser(w, r, nth)
			return
		}
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		writeJSON(w, status, api.NewStatus(0, "not now"))
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	tests := map[string]struct {
		users  func(http.ResponseWriter, *http.Request, int)
		change func(*client.Config)
		want   error
		calls  int
		took   time.Duration
	}{
		"429 waits as long as it is told":      {users: refuseFirst(1, 429, "Retry-After", "17"), calls: 2, took: 17 * time.Second},
		"429 again and again":                  {users: refuseFirst(4, 429, "Retry-After", "7"), calls: 5, took: 28 * time.Second},
		"a storm of 429":                       {users: refuseFirst(999, 429, "Retry-After", "7"), want: client.ErrRateLimited, calls: 5, took: 28 * time.Second},
		"429 without Retry-After":              {users: refuseFirst(1, 429), calls: 2, took: 125 * ms},
		"429 for longer than MaxWait":          {users: refuseFirst(1, 429, "Retry-After", "121"), want: client.ErrRateLimited, calls: 1},
		"429 with odd Retry-After":             {users: refuseFirst(1, 429, "Retry-After", "soon"), calls: 2, took: 125 * ms},
		"429 with negative Retry-After":        {users: refuseFirst(1, 429, "Retry-After", "-5"), calls: 2, took: 125 * ms},
		"429 with a date of a clock far ahead": {users: refuseFirst(1, 429, "Date", "Tue, 02 Jan 2035 10:00:00 GMT", "Retry-After", "Tue, 02 Jan 2035 10:00:09 GMT"), calls: 2, took: 9 * time.Second},
		"429 with a date long past":            {users: refuseFirst(1, 429, "Date", "Tue, 02 Jan 2035 10:00:00 GMT", "Retry-After", "Tue, 02 Jan 1990 10:00:09 GMT"), calls: 2, took: 125 * ms},
		"503 with Retry-After":                 {users: refuseFirst(1, 503, "Retry-After", "3"), calls: 2, took: 3 * time.Second},
		"a burst of 502":                       {users: refuseFirst(3, 502), calls: 4, took: 875 * ms},
		"504 for ever":                         {users: refuseFirst(999, 504), want: client.ErrUnavailable, calls: 5, took: 1875 * ms},
		"500 is a defect":                      {users: refuseFirst(1, 500), want: client.ErrInternal, calls: 1},
		"400 is final":                         {users: refuseFirst(1, 400), want: client.ErrInvalidArgument, calls: 1},
		"jitter adds to what is asked": {
			users: refuseFirst(1, 429, "Retry-After", "10"), change: func(c *client.Config) { c.Rand = func() float64 { return 0.5 } },
			calls: 2, took: 10500 * ms,
		},
		"never retries": {
			users: refuseFirst(1, 503), change: func(c *client.Config) { c.Retry.MaxAttempts = 1 },
			want: client.ErrUnavailable, calls: 1,
		},
		"the wait between attempts has a ceiling": {
			users: refuseFirst(8, 503), change: func(c *client.Config) { c.Retry.MaxAttempts = 9 },
			calls: 9, took: (125 + 250 + 500 + 1000 + 2000 + 4000 + 5000 + 5000) * ms,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{users: tt.users}
			inBubble(t, f, tt.change, func(t *testing.T, c *client.Client) {
				start := time.Now()
				_, err := c.Users.Suspend(t.Context(), "ADA")
				if !errors.Is(err, tt.want) {
					t.Errorf("got error %v, want %v", err, tt.want)
				}
				_, calls := f.counts()
				if diff := cmp.Diff([]any{tt.calls, tt.took}, []any{calls, time.Since(start)}); diff != "" {
					t.Errorf("requests and time (-want +got)\n%s", diff)
				}
			})
		})
	}
}

func TestRateLimitedTellsUntilWhen(t *testing.T) {
	t.Parallel()
	inBubble(t, &fake{users: refuseFirst(1, 429, "Retry-After", "1800")}, nil, func(t *testing.T, c *client.Client) {
		_, err := c.Users.Get(t.Context(), "ADA")
		var refused *client.Error
		if !errors.As(err, &refused) {
			t.Fatalf("got %v, want a *client.Error", err)
		}
		want := &client.Error{Status: 429, Message: "not now", RequestID: "request-1", RetryAfter: 30 * time.Minute, Reset: time.Now().Add(30 * time.Minute)}
		if diff := cmp.Diff(want, refused, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".reason" }, cmp.Ignore())); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestRetryEndsWithContext(t *testing.T) {
	t.Parallel()
	t.Run("a wait that the deadline cuts is not begun", func(t *testing.T) {
		t.Parallel()
		inBubble(t, &fake{users: refuseFirst(1, 429, "Retry-After", "60")}, nil, func(t *testing.T, c *client.Client) {
			ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
			defer cancel()
			start := time.Now()
			if _, err := c.Users.Get(ctx, "ADA"); !errors.Is(err, client.ErrRateLimited) {
				t.Errorf("got %v, want %v", err, client.ErrRateLimited)
			}
			if took := time.Since(start); took != 0 {
				t.Errorf("it took %s, want an answer at once", took)
			}
		})
	})
	t.Run("a wait ends when the context is cancelled", func(t *testing.T) {
		t.Parallel()
		inBubble(t, &fake{users: refuseFirst(1, 429, "Retry-After", "60")}, nil, func(t *testing.T, c *client.Client) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(5*time.Second, cancel)
			start := time.Now()
			_, err := c.Users.Get(ctx, "ADA")
			if !errors.Is(err, context.Canceled) || !errors.Is(err, client.ErrRateLimited) {
				t.Errorf("got %v, want both %v and %v", err, context.Canceled, client.ErrRateLimited)
			}
			if took := time.Since(start); took != 5*time.Second {
				t.Errorf("it took %s, want 5s", took)
			}
		})
	})
}
