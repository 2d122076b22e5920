package e2e

import (
	"bytes"
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestHTTP2Nonsense floods connections over TLS in the ways that HTTP/2 invites to, and speaks no TLS at all.
func TestHTTP2Nonsense(t *testing.T) {
	t.Parallel()
	seeded := newSeed(t, 1)
	s := start(t, append([]string{"--data=" + t.TempDir(), "--seed=" + seeded.file}, noLimits...)...)
	bearer := s.issue(t)
	header := headerBlock(t, s, bearer)
	floods := map[string]func(f *http2.Framer) error{
		"streams that are reset at once": func(f *http2.Framer) error {
			for i := range uint32(2000) {
				err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: header, EndStream: true, EndHeaders: true})
				if err == nil {
					err = f.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
		"a header without end": func(f *http2.Framer) error {
			err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: header})
			for i := 0; err == nil && i < 2000; i++ {
				err = f.WriteContinuation(1, false, literal(strings.Repeat("a", 16000)))
			}
			return err
		},
		"pings": func(f *http2.Framer) error {
			return times(20_000, func() error { return f.WritePing(false, [8]byte{}) })
		},
		"settings": func(f *http2.Framer) error { return times(20_000, func() error { return f.WriteSettings() }) },
		"empty data": func(f *http2.Framer) error {
			err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: header, EndHeaders: true})
			if err != nil {
				return err
			}
			return times(20_000, func() error { return f.WriteData(1, false, nil) })
		},
		"a window that overflows": func(f *http2.Framer) error { return times(10, func() error { return f.WriteWindowUpdate(0, 1<<31-1) }) },
		"a frame of no kind": func(f *http2.Framer) error {
			return times(1000, func() error { return f.WriteRawFrame(0xee, 0xff, 7, []byte("?")) })
		},
		"data on no stream": func(f *http2.Framer) error { return f.WriteData(9, true, []byte("{}")) },
	}
	for name, flood := range floods {
		floodHTTP2(t, s, name, flood)
		s.must(t, s.askUsers(bearer, ""))
	}
	plain := nonsense{"no TLS at all", "GET / HTTP/1.1\r\nHost: " + s.addr() + "\r\n\r\n", nil}
	if err := plain.judge(exchange(t, s, plain)); err != nil {
		t.Errorf("%s: %v", plain.name, err)
	}
	s.healthy(t, bearer)
}

func times(n int, do func() error) error {
	for range n {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// headerBlock is a whole request header that would be answered.
func headerBlock(t *testing.T, s *server, bearer string) []byte {
	t.Helper()
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for _, f := range [][2]string{
		{":method", "GET"}, {":scheme", "https"}, {":authority", s.addr()}, {":path", s.askUsers("", "").path},
		{"authorization", "Bearer " + bearer},
	} {
		if err := e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// literal is one header field that no table remembers.
func literal(value string) []byte {
	var b bytes.Buffer
	_ = hpack.NewEncoder(&b).WriteField(hpack.HeaderField{Name: "x-flood", Value: value, Sensitive: true}) // to memory
	return b.Bytes()
}

// floodHTTP2 opens a connection and floods it while it reads whatever comes, until the server closes it or has answered
// all of it and sees our end. The server may cut it at any point.
func floodHTTP2(t *testing.T, s *server, name string, flood func(*http2.Framer) error) {
	t.Helper()
	config := s.trust(t)
	config.NextProtos = []string{http2.NextProtoTLS}
	conn, err := tls.Dial("tcp", s.addr(), config)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, &s.stderr)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience)) // or hang, which is a failure too
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, conn)
	}()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	framer := http2.NewFramer(conn, nil)
	framer.AllowIllegalWrites = true
	if err := framer.WriteSettings(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if flood(framer) == nil { // else the server has cut us, which is its right
		_ = conn.CloseWrite()
	}
	select {
	case <-read:
	case <-time.After(patience):
		t.Errorf("%s: the connection is never closed", name)
	}
}
