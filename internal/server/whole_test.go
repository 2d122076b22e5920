package server

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// writes is a connection that remembers what is written to it.
type writes struct {
	net.Conn
	got []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.got = append(w.got, string(p))
	return len(p), nil
}

func TestFirstPartWaitsForTheSecond(t *testing.T) {
	t.Parallel()
	part := strings.Repeat("x", leastWhole)
	for name, test := range map[string]struct {
		proto  int
		method string
		size   int
		parts  []string
		before int // writes there were before the last part
		letGo  bool
	}{
		"two":                {1, http.MethodGet, 6000, []string{part, "y"}, 0, true},
		"three, as in TLS":   {1, http.MethodGet, 6000, []string{part[:1500], part[:1500], part}, 0, false},
		"a short one":        {1, http.MethodGet, leastWhole - 1, []string{part, "y"}, 1, false},
		"a head alone":       {1, http.MethodHead, 6000, []string{part, "y"}, 1, false},
		"many at once":       {2, http.MethodGet, 6000, []string{part, "y"}, 1, false},
		"one is all":         {1, http.MethodGet, leastWhole, []string{part, "y"}, 1, false},
		"more than is kept":  {1, http.MethodGet, 1 << 20, []string{part, part, part, part, part, "y"}, 2, false},
		"the rest is behind": {1, http.MethodGet, 6000, []string{part, part, "y"}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inner := &writes{}
			c := &trackedConn{Conn: inner}
			r := httptest.NewRequestWithContext(withConn(t.Context(), c), test.method, "/", nil)
			r.ProtoMajor = test.proto
			Whole(r, test.size)
			for i, p := range test.parts {
				if i == len(test.parts)-1 && len(inner.got) != test.before {
					t.Errorf("%d writes before the last part, want %d", len(inner.got), test.before)
				}
				if test.letGo && i == len(test.parts)-1 {
					c.letGo() // it does not come
					break
				}
				if n, err := c.Write([]byte(p)); n != len(p) || err != nil {
					t.Fatalf("part %d: got %d, %v", i, n, err)
				}
			}
			want := strings.Join(test.parts, "")
			if test.letGo {
				want = test.parts[0]
			}
			if got := strings.Join(inner.got, ""); got != want {
				t.Errorf("got %d bytes, want %d", len(got), len(want))
			}
		})
	}
}

// TestAnswersOfAllSizes: answers arrive whole, one after the other on one connection, whatever was said of them.
func TestAnswersOfAllSizes(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var size, said int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d/%d", &size, &said); err != nil {
			t.Error(err)
		}
		Whole(r, said)
		_, _ = w.Write([]byte(strings.Repeat("z", size)))
	})
	overBoth(t, func(t *testing.T, useTLS bool) {
		t.Helper()
		c := start(t, Config{Handler: handler}, useTLS).dial(t, "http/1.1")
		for _, size := range []int{0, 10, 3000, 3400, 4000, 4095, 4096, 5500, 8192, 20_000, 300_000} {
			for _, said := range []int{size, 0, 2*size + 10_000} {
				c.send(fmt.Sprintf("GET /%d/%d HTTP/1.1\r\nHost: h\r\n\r\n", size, said))
				if _, body := c.answer(); body != strings.Repeat("z", size) {
					t.Fatalf("%d bytes, said to be %d: got %d", size, said, len(body))
				}
			}
		}
	})
}

// TestDeadHandlerCutsItsAnswer: nobody waits for the part that does not come.
func TestDeadHandlerCutsItsAnswer(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Whole(r, 10_000)
		w.Header().Set("Content-Length", "10000")
		_, _ = w.Write(make([]byte, 5000))
		panic(http.ErrAbortHandler)
	})
	overBoth(t, func(t *testing.T, useTLS bool) {
		t.Helper()
		c := start(t, Config{Handler: handler}, useTLS).dial(t, "http/1.1")
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		c.wantClosed()
	})
}
