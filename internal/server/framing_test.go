package server

import (
	"net/http"
	"testing"
)

// A smuggler's messages, each followed by a second request that must not be answered on the same connection.
var ambiguous = map[string]string{
	"both lengths":            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
	"both, other order, case": "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
	"both on OPTIONS *":       "OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"both on HTTP/1.0":        "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi",
	"both, keep-alive asked":  "POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"unknown coding":          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: gzip, chunked\r\n\r\nhi",
	"two codings":             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
	"two lengths":             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
}

func TestAmbiguousFramingEndsTheConnection(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, useTLS bool) {
		smuggled := make(chan string, 16)
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/smuggled" {
				smuggled <- r.Proto
			}
			echo(w, r)
		})
		s := start(t, Config{Handler: handler}, useTLS)
		for name, message := range ambiguous {
			c := s.dial(t, "http/1.1")
			c.send(message + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
			if res, _ := c.answer(); !res.Close {
				t.Errorf("%s: the answer does not say Connection: close: %v", name, res.Header)
			}
			c.wantClosed()
		}
		select {
		case proto := <-smuggled:
			t.Errorf("a smuggled %s request was served", proto)
		default:
		}
	})
}

func TestPlainFramingKeepsTheConnection(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, useTLS bool) {
		c := start(t, Config{Handler: echo}, useTLS).dial(t, "http/1.1")
		for _, want := range []string{"one", "two"} {
			c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n" + want)
			if res, body := c.answer(); body != want || res.Close {
				t.Errorf("want %q on a kept connection, got %q, close=%t", want, body, res.Close)
			}
		}
	})
}
