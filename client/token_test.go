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
)

// together runs f in n goroutines and returns their errors that are not nil.
func together(n int, f func() error) []error {
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := f(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errs
}

func get(ctx context.Context, c *client.Client) func() error {
	return func() error { _, err := c.Users.Get(ctx, "ADA"); return err }
}

// wantTokens fails the test unless so many token requests were made.
func wantTokens(t *testing.T, f *fake, when string, want int) {
	t.Helper()
	if got, _ := f.counts(); got != want {
		t.Errorf("%s: %d token requests, want %d", when, got, want)
	}
}

func TestTokenIsShared(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser, token: func(http.ResponseWriter, *http.Request, int) bool { time.Sleep(time.Second); return false }}
	inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
		wantTokens(t, f, "before the first call", 0)
		if errs := together(50, get(t.Context(), c)); errs != nil {
			t.Errorf("got %v", errs)
		}
		wantTokens(t, f, "after 50 calls at once", 1)
	})
}

func TestTokenIsRenewedAheadOfTime(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser}
	inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
		for minute := range 60 {
			if err := get(t.Context(), c)(); err != nil {
				t.Fatalf("minute %d: %v", minute, err)
			}
			time.Sleep(time.Minute)
		}
		// Fetched at 0, renewed 840 s later and so on, without a single 401.
		wantTokens(t, f, "after an hour", 5)
		if _, calls := f.counts(); calls != 60 {
			t.Errorf("%d requests for users, want 60: each token was renewed before it was refused", calls)
		}
	})
}

func TestNobodyWaitsForARenewalAheadOfTime(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser, token: func(_ http.ResponseWriter, _ *http.Request, n int) bool {
		if n > 1 {
			time.Sleep(20 * time.Second)
		}
		return false
	}}
	inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
		if err := get(t.Context(), c)(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(850 * time.Second)
		start := time.Now()
		if errs := together(10, get(t.Context(), c)); errs != nil {
			t.Errorf("got %v", errs)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the calls took %s, want none of them to wait", took)
		}
		time.Sleep(30 * time.Second)
		wantTokens(t, f, "after the renewal", 2)
	})
}

// TestRenewalFails has a token endpoint that refuses all but the first request: the
// live token is used to its end, and the endpoint is not hammered.
func TestRenewalFails(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser, token: func(w http.ResponseWriter, _ *http.Request, n int) bool {
		if n > 1 {
			writeJSON(w, 401, api.OAuthError{Error: api.OAuthInvalidClient, ErrorDescription: "unknown client or wrong secret"})
		}
		return n > 1
	}}
	inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
		if err := get(t.Context(), c)(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(841 * time.Second)
		for second := range 50 {
			if err := get(t.Context(), c)(); err != nil {
				t.Fatalf("second %d of the last minute: %v", second, err)
			}
			time.Sleep(time.Second)
		}
		wantTokens(t, f, "during 50 s", 1+5)
		time.Sleep(10 * time.Second)
		if err := get(t.Context(), c)(); !errors.Is(err, client.ErrBadCredentials) || !errors.Is(err, client.ErrUnauthenticated) {
			t.Errorf("with an expired token: got %v, want %v", err, client.ErrBadCredentials)
		}
	})
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	t.Run("and serves all who were refused", func(t *testing.T) {
		t.Parallel()
		f := &fake{users: answerUser}
		inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
			if err := get(t.Context(), c)(); err != nil {
				t.Fatal(err)
			}
			f.end("") // the server restarts with an empty database, or an administrator revokes
			if errs := together(20, get(t.Context(), c)); errs != nil {
				t.Errorf("got %v", errs)
			}
			wantTokens(t, f, "after 20 calls were refused", 2)
		})
	})
	t.Run("and not for ever", func(t *testing.T) {
		t.Parallel()
		f := &fake{users: func(w http.ResponseWriter, _ *http.Request, _ int) {
			writeJSON(w, 401, api.NewStatus(api.CodeUnauthenticated, "no"))
		}}
		inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
			if err := get(t.Context(), c)(); !errors.Is(err, client.ErrUnauthenticated) || errors.Is(err, client.ErrBadCredentials) {
				t.Errorf("got %v, want %v", err, client.ErrUnauthenticated)
			}
			tokens, calls := f.counts()
			if tokens != 2 || calls != 2 {
				t.Errorf("%d tokens and %d requests, want 2 and 2", tokens, calls)
			}
		})
	})
	t.Run("when the machine has slept and its clock with it", func(t *testing.T) {
		t.Parallel()
		f := &fake{users: answerUser}
		stands := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		inBubble(t, f, func(c *client.Config) { c.Now = func() time.Time { return stands } }, func(t *testing.T, c *client.Client) {
			for range 3 {
				if err := get(t.Context(), c)(); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Hour)
			}
			wantTokens(t, f, "after 3 hours", 3)
		})
	})
}

func TestTokenWaitsEndWithTheirOwnContext(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser, token: func(http.ResponseWriter, *http.Request, int) bool { time.Sleep(10 * time.Second); return false }}
	inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var first error
		var wg sync.WaitGroup
		wg.Go(func() { first = get(impatient, c)() })
		time.Sleep(500 * time.Millisecond)
		if err := get(t.Context(), c)(); err != nil {
			t.Errorf("the patient caller: got %v, though only the other one gave up", err)
		}
		wg.Wait()
		if !errors.Is(first, context.DeadlineExceeded) {
			t.Errorf("the impatient caller: got %v, want %v", first, context.DeadlineExceeded)
		}
		wantTokens(t, f, "after both", 1)
	})
}

func TestTokenAnswers(t *testing.T) {
	t.Parallel()
	answer := func(contentType, body string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Content-Type", contentType)
			fmt.Fprint(w, body)
			return true
		}
	}
	status := func(code int, body any) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			writeJSON(w, code, body)
			return true
		}
	}
	once := func(inner func(http.ResponseWriter, *http.Request, int) bool) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, n int) bool { return n == 1 && inner(w, r, n) }
	}
	tests := map[string]struct {
		token    func(http.ResponseWriter, *http.Request, int) bool
		want     error
		lifetime time.Duration
	}{
		"no lifetime":              {token: answer("application/json", `{"access_token":"t","token_type":"bearer"}`), lifetime: 15 * time.Minute},
		"lifetime as a numeral":    {token: answer("application/json", `{"access_token":"t","token_type":"Bearer","expires_in":"60"}`), lifetime: time.Minute},
		"lifetime of 40 years":     {token: answer("application/json", `{"access_token":"t","token_type":"Bearer","expires_in":1262304000}`), lifetime: 24 * time.Hour},
		"lifetime below zero":      {token: answer("application/json", `{"access_token":"t","token_type":"Bearer","expires_in":-3}`), lifetime: 0},
		"an empty content type":    {token: answer("", `{"access_token":"t","token_type":"Bearer","expires_in":60}`), lifetime: time.Minute},
		"another content type":     {token: answer("text/plain", `{"access_token":"t","token_type":"Bearer","expires_in":60}`), want: client.ErrUnexpected},
		"no token":                 {token: answer("application/json", `{}`), want: client.ErrUnexpected},
		"another kind of token":    {token: answer("application/json", `{"access_token":"t","token_type":"mac"}`), want: client.ErrUnexpected},
		"a page of a captive wall": {token: answer("text/html", `<html>log in</html>`), want: client.ErrUnexpected},
		"bad credentials":          {token: status(401, api.OAuthError{Error: api.OAuthInvalidClient}), want: client.ErrBadCredentials},
		"bad request":              {token: status(400, api.OAuthError{Error: api.OAuthInvalidRequest}), want: client.ErrInvalidArgument},
		"another API":              {token: status(404, api.NewStatus(5, "Not Found")), want: client.ErrUnknownRoute},
		"out of order, once":       {token: once(status(503, nil)), lifetime: 15 * time.Minute},
		"limited, once":            {token: once(status(429, nil)), lifetime: 15 * time.Minute},
		"hung up, once": {token: once(func(http.ResponseWriter, *http.Request, int) bool {
			panic(http.ErrAbortHandler)
		}), lifetime: 15 * time.Minute},
		"cut, once": {token: once(func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Content-Length", "99")
			fmt.Fprint(w, `{"access_tok`)
			panic(http.ErrAbortHandler)
		}), lifetime: 15 * time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &fake{token: tt.token}, nil, func(t *testing.T, c *client.Client) {
				got, err := c.Tokens.Issue(t.Context())
				if !errors.Is(err, tt.want) || got.Lifetime != tt.lifetime {
					t.Errorf("got a token for %s, error %v; want %s, %v", got.Lifetime, err, tt.lifetime, tt.want)
				}
			})
		})
	}
}

func TestCloseRevokes(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser}
	inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
		for range 2 {
			if err := get(t.Context(), c)(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(850 * time.Second) // the next call renews, and the token before still lives
		}
		if err := get(t.Context(), c)(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		own, err := c.Tokens.Issue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := c.Close(t.Context()); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		if diff := cmp.Diff([]string{"token-3", "token-2"}, f.revocations()); diff != "" {
			t.Errorf("revoked (-want +got)\n%s", diff)
		}
		if err := get(t.Context(), c)(); !errors.Is(err, client.ErrClosed) {
			t.Errorf("a call after Close: got %v, want %v", err, client.ErrClosed)
		}
		if err := c.Tokens.Revoke(t.Context(), own.Value); err != nil {
			t.Errorf("revoke what Issue gave: %v", err)
		}
	})
}

func TestCloseWhileFetching(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser, token: func(_ http.ResponseWriter, r *http.Request, _ int) bool { <-r.Context().Done(); return true }}
	inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
		var wg sync.WaitGroup
		var err error
		wg.Go(func() { err = get(t.Context(), c)() })
		time.Sleep(time.Second)
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
		wg.Wait()
		if !errors.Is(err, client.ErrClosed) {
			t.Errorf("the call that waited: got %v, want %v", err, client.ErrClosed)
		}
	})
}

func TestRevokeNothing(t *testing.T) {
	t.Parallel()
	f := &fake{}
	inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
		if err := c.Tokens.Revoke(t.Context(), client.Secret{}); !errors.Is(err, client.ErrInvalidArgument) {
			t.Errorf("got %v, want %v", err, client.ErrInvalidArgument)
		}
	})
}

// TestCloseIsQuick has a server that goes silent once it has issued a token.
func TestCloseIsQuick(t *testing.T) {
	t.Parallel()
	f := &fake{users: answerUser}
	silent := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/revoke") {
			_ = r.ParseForm()
			<-r.Context().Done()
			return
		}
		f.ServeHTTP(w, r)
	})
	inBubble(t, silent, nil, func(t *testing.T, c *client.Client) {
		if err := get(t.Context(), c)(); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := c.Close(context.Background()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %s, want 10s", took)
		}
	})
}
