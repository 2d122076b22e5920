package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/client"
)

// drip sends a byte a second for a day.
func drip(w http.ResponseWriter, r *http.Request, _ int) {
	w.Header().Set("Content-Type", "application/json")
	for range 24 * 3600 {
		if _, err := fmt.Fprint(w, " "); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// cut promises a body and breaks off in the middle of it.
func cut(n int) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, nth int) {
		if nth > n {
			answerUser(w, r, nth)
			return
		}
		w.Header().Set("Content-Length", "500")
		fmt.Fprint(w, `{"id":"ADA","email":"ada@ex`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// cutWithoutLength ends an answer that told no length in the middle.
func cutWithoutLength(w http.ResponseWriter, r *http.Request, nth int) {
	if nth > 1 {
		answerUser(w, r, nth)
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	fmt.Fprint(conn, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":\"ADA\",\"email\":\"ada@ex")
	conn.Close()
}

// hangUp closes the connection without a word.
func hangUp(n int) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, nth int) {
		if nth > n {
			answerUser(w, r, nth)
			return
		}
		panic(http.ErrAbortHandler)
	}
}

func huge(w http.ResponseWriter, _ *http.Request, _ int) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"id":"`)
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		users func(http.ResponseWriter, *http.Request, int)
		want  error
		calls int
		took  time.Duration
	}{
		"a cut body is asked for again":         {users: cut(1), calls: 2, took: 125 * time.Millisecond},
		"bodies that are always cut":            {users: cut(999), want: client.ErrConnection, calls: 5, took: 1875 * time.Millisecond},
		"a body cut where no length was told":   {users: cutWithoutLength, calls: 2, took: 125 * time.Millisecond},
		"a connection that ends is made again":  {users: hangUp(2), calls: 3, took: 375 * time.Millisecond},
		"a drip is cut by the attempt's time":   {users: drip, want: client.ErrConnection, calls: 5, took: 5*30*time.Second + 1875*time.Millisecond},
		"a body without end is cut by its size": {users: huge, want: client.ErrUnexpected, calls: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{users: tt.users}
			inBubble(t, f, nil, func(t *testing.T, c *client.Client) {
				start := time.Now()
				u, err := c.Users.Suspend(t.Context(), "ADA")
				if !errors.Is(err, tt.want) || err == nil && u != aUser("ADA") {
					t.Errorf("got %v, %v; want error %v", u, err, tt.want)
				}
				if _, calls := f.counts(); calls != tt.calls || time.Since(start) != tt.took {
					t.Errorf("got %d requests in %s, want %d in %s", calls, time.Since(start), tt.calls, tt.took)
				}
			})
		})
	}
}

func TestDripEndsWithContext(t *testing.T) {
	t.Parallel()
	inBubble(t, &fake{users: drip}, nil, func(t *testing.T, c *client.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.Users.Get(ctx, "ADA")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("it took %s, want 7s", took)
		}
	})
}

// TestReset resets connections as a crashed peer's kernel does: sockets only do that.
func TestReset(t *testing.T) {
	t.Parallel()
	f := &fake{users: func(w http.ResponseWriter, r *http.Request, n int) {
		if n > 2 {
			answerUser(w, r, n)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}}
	c := dial(t, f, nil)
	u, err := c.Users.Suspend(t.Context(), "ADA")
	if err != nil || u.ID != "ADA" {
		t.Errorf("got %v, %v; want ADA", u, err)
	}
	if _, calls := f.counts(); calls != 3 {
		t.Errorf("got %d requests, want 3", calls)
	}
}

// dial serves a handler on a socket and returns a client of it that never waits.
func dial(t *testing.T, handler http.Handler, change func(*client.Config)) *client.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	config := testConfig()
	config.BaseURL = server.URL
	config.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	if change != nil {
		change(&config)
	}
	c, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeClient(t, c) })
	return c
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	c := dial(t, http.NotFoundHandler(), func(c *client.Config) { c.BaseURL = "http://" + listener.Addr().String() })
	_, err = c.Users.List(t.Context(), client.ListOptions{})
	if !errors.Is(err, client.ErrConnection) || !strings.Contains(err.Error(), "after 5 attempts") {
		t.Errorf("got %v, want %v after 5 attempts", err, client.ErrConnection)
	}
}

func TestRedirectsAreNeverFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := &fake{users: answerUser}
	other := httptest.NewServer(elsewhere)
	t.Cleanup(other.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for name, target := range map[string]string{"same host": "/v1/elsewhere", "other host": other.URL + "/steal"} {
			t.Run(fmt.Sprint(status, " ", name), func(t *testing.T) {
				t.Parallel()
				redirect := func(w http.ResponseWriter) { w.Header().Set("Location", target); w.WriteHeader(status) }
				users := &fake{users: func(w http.ResponseWriter, _ *http.Request, _ int) { redirect(w) }}
				token := &fake{token: func(w http.ResponseWriter, _ *http.Request, _ int) bool { redirect(w); return true }}
				for _, f := range []*fake{users, token} {
					_, err := dial(t, f, nil).Users.Suspend(t.Context(), "ADA")
					if !errors.Is(err, client.ErrRedirect) {
						t.Errorf("got %v, want %v", err, client.ErrRedirect)
					}
				}
				tokens, calls := users.counts()
				tokens2, calls2 := token.counts()
				if tokens != 1 || calls != 1 || tokens2 != 1 || calls2 != 0 {
					t.Errorf("requests: %d, %d, %d, %d; want one for the token and one for the user, then one for the token", tokens, calls, tokens2, calls2)
				}
			})
		}
	}
	t.Cleanup(func() {
		if tokens, calls := elsewhere.counts(); tokens+calls+elsewhere.secrets != 0 {
			t.Errorf("the other host got %d and %d requests, want none", tokens, calls)
		}
	})
}

// TestCloseEndsConnections looks at it from the server, which goes on.
func TestCloseEndsConnections(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 8)
	server := httptest.NewUnstartedServer(&fake{users: answerUser})
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := dial(t, server.Config.Handler, func(c *client.Config) { c.BaseURL = server.URL })
	if err := get(t.Context(), c)(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-closed:
		t.Fatal("the connection was not kept for the next request")
	default:
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-closed // or the test hangs
}
