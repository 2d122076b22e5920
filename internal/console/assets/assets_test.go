package assets_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/console/assets"
)

func get(t *testing.T, path, accept string) (*http.Response, string, bool) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", accept)
	w := httptest.NewRecorder()
	ok := assets.Serve(w, r)
	resp := w.Result()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body), ok
}

func TestServe(t *testing.T) {
	t.Parallel()
	total := 0
	for path, kind := range map[string]string{assets.Style: "text/css", assets.Script: "text/javascript", assets.Icon: "image/svg+xml"} {
		plain, body, ok := get(t, path, "")
		if !ok || !strings.HasPrefix(plain.Header.Get("Content-Type"), kind) || plain.Header.Get("Content-Encoding") != "" || len(body) == 0 {
			t.Errorf("%s: %t, %v", path, ok, plain.Header)
		}
		if cache := plain.Header.Get("Cache-Control"); !strings.Contains(cache, "immutable") {
			t.Errorf("%s: Cache-Control: %s", path, cache)
		}
		packed, small, _ := get(t, path, "br;q=1, gzip;q=0.5")
		if packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v", path, packed.Header)
		}
		total += len(small)
		z, err := gzip.NewReader(bytes.NewReader([]byte(small)))
		if err != nil {
			t.Fatal(err)
		}
		if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != body {
			t.Errorf("%s unpacks to something else (%v)", path, err)
		}
		if refused, _, _ := get(t, path, "gzip;q=0"); refused.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is packed for who can't unpack it", path)
		}
	}
	if total > 40<<10 {
		t.Errorf("style, script and icon take %d bytes on the way", total)
	}
	for _, path := range []string{assets.Root, assets.Root + "console.css", assets.Root + "../console.js", assets.Style + "x"} {
		if _, _, ok := get(t, path, ""); ok {
			t.Errorf("%s is served", path)
		}
	}
}

// TestOnlyOurs: the files load nothing from anywhere else.
func TestOnlyOurs(t *testing.T) {
	t.Parallel()
	for _, path := range assets.Paths() {
		_, body, _ := get(t, path, "")
		for _, bad := range []string{"@import", "url(http", "url(//", "src=", "eval(", "innerHTML", "document.write", "sourceMappingURL"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s holds %s", path, bad)
			}
		}
	}
}
