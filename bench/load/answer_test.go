package load

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		wire string
		want Answer
	}{
		"length":           {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Answer{Status: 200, Body: []byte("hello")}},
		"any case, spaces": {"HTTP/1.1 201 Created\r\ncontent-LENGTH:  2 \r\n\r\nhi", Answer{Status: 201, Body: []byte("hi")}},
		"empty body":       {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Answer{Status: 200, Body: []byte{}}},
		"no reason":        {"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", Answer{Status: 404, Body: []byte{}}},
		"no content":       {"HTTP/1.1 204 No Content\r\n\r\n", Answer{Status: 204, Body: []byte{}}},
		"close":            {"HTTP/1.1 503 X\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", Answer{Status: 503, Body: []byte("x"), Close: true}},
		"same length twice": {
			"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", Answer{Status: 200, Body: []byte("x")},
		},
		"chunks": {
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
			Answer{Status: 200, Body: []byte("abcde")},
		},
		"trailer": {
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nDigest: x\r\n\r\n",
			Answer{Status: 200, Body: []byte("a")},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := bufio.NewReader(strings.NewReader(tt.wire + "NEXT"))
			got, err := readAnswer(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if rest, _ := io.ReadAll(r); string(rest) != "NEXT" {
				t.Errorf("after the answer come %q, want NEXT", rest)
			}
		})
	}
}

func TestReadAnswerRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ wire, want string }{
		"nothing":           {"", "read status line: EOF"},
		"old version":       {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "not of HTTP/1.1"},
		"long status":       {"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "not of HTTP/1.1"},
		"no status":         {"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", "no valid status"},
		"high status":       {"HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n", "no valid status"},
		"interim":           {"HTTP/1.1 100 Continue\r\n\r\n", "interim response 100"},
		"bare LF":           {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "without CR"},
		"no colon":          {"HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n", "no colon"},
		"no framing":        {"HTTP/1.1 200 OK\r\n\r\nhello", "neither Content-Length nor chunked"},
		"signed length":     {"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", "want one number"},
		"two lengths":       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "want one number"},
		"length too large":  {"HTTP/1.1 200 OK\r\nContent-Length: 8388609\r\n\r\n", "want one number up to 8388608"},
		"cut body":          {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "read body of 5 bytes: unexpected EOF"},
		"other coding":      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", `unknown Transfer-Encoding "gzip"`},
		"bad chunk":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "read chunked body"},
		"endless chunks":    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n800001\r\n" + strings.Repeat("x", maxBody+1), "more than 8388608 bytes"},
		"cut trailer":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "read trailer: EOF"},
		"header too large":  {"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1000)+"\r\n", 70) + "\r\n", "more than 65536 bytes"},
		"one line too long": {"HTTP/1.1 200 " + strings.Repeat("x", maxHead) + "\r\nContent-Length: 0\r\n\r\n", "buffer full"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readAnswer(bufio.NewReaderSize(strings.NewReader(tt.wire), maxHead), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %d, %v, want %q", got.Status, err, tt.want)
			}
		})
	}
}

// FuzzReadAnswer: what we accept, the standard library reads alike.
func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		got, err := readAnswer(bufio.NewReaderSize(bytes.NewReader(wire), maxHead), nil)
		if err != nil {
			return
		}
		response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(wire)), nil)
		if err != nil {
			return // the library is stricter about header names, which we do not look at
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return
		}
		if response.StatusCode != got.Status || !bytes.Equal(body, got.Body) {
			t.Errorf("got %d %q, net/http reads %d %q", got.Status, got.Body, response.StatusCode, body)
		}
	})
}
