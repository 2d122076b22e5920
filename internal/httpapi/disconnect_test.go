package httpapi_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestClientLeaves: a body that ends too soon is no body, and changes nothing.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	for i, framing := range []string{"Content-Length: 100\r\n\r\n  ", "Transfer-Encoding: chunked\r\n\r\n2\r\n  \r\n"} {
		conn, err := net.Dial("tcp", w.Address) //nolint:noctx // ends with the test
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nX-Request-Id: left-%d\r\nAuthorization: Bearer %s\r\n%s",
			w.UserPath("ACTIVE", ":suspend"), i, w.token, framing)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
			t.Errorf("%q: got %s, %v, want 400", framing, answer, err)
		}
		_ = conn.Close()
	}
	if got := user(w.Do(w.get("ACTIVE"))).State; got != api.StateActive {
		t.Errorf("the user is %s, want nothing to have happened", got)
	}
}

// TestStorageUnavailable: everything that needs the storage says that it is away, and
// when to come back, and nothing of what is wrong with it; then it goes on.
func TestStorageUnavailable(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		requests := []testkit.Request{
			w.list(""), w.get("ACTIVE"), w.post("ACTIVE:suspend"), w.post("ACTIVE:reactivate"),
			w.form("/token", grant), w.form("/revoke", "token="+w.token),
		}
		w.Break()
		for _, r := range requests {
			got := w.Do(r)
			if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "30" {
				t.Errorf("%s: got %d, Retry-After %q, want 503 and 30 s", r.Path, got.Status, got.Header.Get("Retry-After"))
			}
			if strings.Contains(got.Body, testkit.PrivateCause) {
				t.Errorf("%s: the answer tells the cause: %s", r.Path, got.Body)
			}
		}
		w.Mend()
		for _, r := range requests {
			expect(t, w.Do(r), http.StatusOK)
		}
		if !strings.Contains(w.Logs(), testkit.PrivateCause) {
			t.Errorf("the logs don't tell the cause:\n%s", w.Logs())
		}
	})
}

// TestNoRandomness: without randomness nothing is issued, and the server lives on.
func TestNoRandomness(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	w.rand.broken.Store(true)
	for _, r := range []testkit.Request{w.form("/token", grant), w.list("max_page_size=1"), w.post("ACTIVE:suspend"), {Path: "/docs"}} {
		if r.Path != "/docs" {
			r = with(r, "X-Request-Id", "r")
		}
		got := w.Do(r)
		if got.Status != http.StatusInternalServerError || !strings.Contains(got.Body, "internal error (request id ") {
			t.Errorf("%s: got %d %s, want 500 and the request id", r.Path, got.Status, got.Body)
		}
	}
	w.rand.broken.Store(false)
	expect(t, w.Do(w.get("ACTIVE")), http.StatusOK)
}
