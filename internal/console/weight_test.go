package console_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/html"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// mostWeight is how much a first view may transfer, headers included.
const mostWeight = 100 * 1000

// weighed is a connection that counts what comes in over it.
type weighed struct {
	net.Conn

	in *atomic.Int64
}

// Read implements net.Conn.
func (w weighed) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.in.Add(int64(n))
	return n, err
}

// view gets a page and all that it loads, with nothing kept from before, and returns how many
// bytes came over the wire and the paths of what was loaded.
func view(t *testing.T, s *testkit.Server, jar http.CookieJar, path, coding string) (bytesIn int64, loaded []string) {
	t.Helper()
	var in atomic.Int64
	dial := &net.Dialer{}
	transport := &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial.DialContext(ctx, network, addr)
		return weighed{c, &in}, err
	}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Jar: jar, Transport: transport}
	get := func(path string) []byte {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.BaseURL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", coding)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		sent, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != coding {
			t.Fatalf("%s: got %d %q, %v", path, resp.StatusCode, resp.Header.Get("Content-Encoding"), err)
		}
		if coding == "" {
			return sent
		}
		plain, err := gzip.NewReader(bytes.NewReader(sent))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(plain)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	doc, err := html.Parse(bytes.NewReader(get(path)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		from := ""
		switch n.Data {
		case "link":
			from = attr(n, "href")
		case "script", "img", "source", "iframe", "embed", "video", "audio":
			from = attr(n, "src")
		}
		if from == "" {
			continue
		}
		if !strings.HasPrefix(from, "/console/assets/") {
			t.Errorf("%s loads %s, which is not ours", path, from)
			continue
		}
		if body := get(from); bytes.Contains(body, []byte("@import")) || bytes.Contains(body, []byte("url(")) {
			t.Errorf("%s loads more, which nobody weighs", from)
		}
		loaded = append(loaded, from)
	}
	return in.Load(), loaded
}

// TestFirstView: whoever comes for the first time, with nothing kept, transfers less than
// 100 KB, on the fullest overview too. Every browser takes gzip.
func TestFirstView(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	s.AddUser(directory.User{ID: "ada", DisplayName: "Ada Lovelace", Email: "ada@example.com", Groups: []string{directory.Owners}})
	for i := range 100 { // as many as the overview shows
		s.AddClient(oauth.Application{Account: testkit.Account, Name: fmt.Sprintf("Integration number %d with a long name", i), Permissions: access.AllUsers}, "")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	home, err := url.Parse(s.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(home, signedIn(t, s, "ada").client.Jar.Cookies(home))
	for path, jar := range map[string]http.CookieJar{"/console/sign-in": nil, "/console/overview": jar} {
		for _, coding := range []string{"gzip", ""} {
			n, loaded := view(t, s, jar, path, coding)
			t.Logf("%s, coding %q: %d bytes", path, coding, n)
			few := coding != "" || jar == nil // a hundred integrations take more where they may not be compressed
			if few && n >= mostWeight {
				t.Errorf("%s, coding %q: %d bytes, want fewer than %d", path, coding, n, mostWeight)
			}
			if len(loaded) != 3 { // style, script, icon
				t.Errorf("%s loads %q", path, loaded)
			}
		}
	}
}
