// Package assets owns what the console's pages load beside themselves: one style sheet,
// one script and an icon, all our own and inside the binary.
//
// It leaves the pages to views. What must always hold: a file's name holds the hash of
// its content, so that browsers may keep it for a year and still never use an old one;
// nothing is loaded from anywhere else.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed css/*.css console.js icon.svg
var files embed.FS

// Root is the path under which the files are served.
const Root = "/console/assets/"

// The paths of the files.
var (
	Style  = add("console", ".css", "text/css; charset=utf-8", styles())
	Script = add("console", ".js", "text/javascript; charset=utf-8", read("console.js"))
	Icon   = add("icon", ".svg", "image/svg+xml", read("icon.svg"))
)

// file is one file as it is served.
type file struct {
	kind   string
	plain  []byte
	packed func() []byte // gzip; made when it is first asked for, for most starts of the program serve nothing
}

// served holds the files by path. It is written only while the package is made.
var served = map[string]file{}

// add gives content its name and returns the path.
func add(name, ending, kind string, content []byte) string {
	sum := sha256.Sum256(content)
	path := Root + name + "-" + hex.EncodeToString(sum[:6]) + ending
	served[path] = file{kind, content, sync.OnceValue(func() []byte { return Pack(content) })}
	return path
}

// styles joins the parts of the style sheet in the order of their names.
func styles() []byte {
	entries, err := files.ReadDir("css")
	if err != nil {
		panic(fmt.Sprintf("assets: an embedded folder can't be read: %v", err))
	}
	var all []byte
	for _, e := range entries {
		all = append(all, read("css/"+e.Name())...)
	}
	return all
}

func read(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("assets: an embedded file can't be read: %v", err))
	}
	return b
}

// Pack compresses content with gzip.
func Pack(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	// Writing to memory does not fail.
	_, _ = w.Write(content)
	_ = w.Close()
	return out.Bytes()
}

// Accepts tells whether the request takes gzip (RFC 9110 section 12.5.3).
func Accepts(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(value, ",") {
			name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
			if name == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0" {
				return true
			}
		}
	}
	return false
}

// Serve answers with a file and reports whether there is one. Headers that every answer
// has are the caller's.
func Serve(w http.ResponseWriter, r *http.Request) bool {
	f, ok := served[r.URL.Path]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := f.plain
	if Accepts(r) {
		h.Set("Content-Encoding", "gzip")
		body = f.packed()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, bytes.NewReader(body)) // a client that has gone is not our failure
	}
	return true
}

// Paths lists the files there are, sorted.
func Paths() []string {
	paths := make([]string, 0, len(served))
	for path := range served {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
