package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// step is one exchange of a transcript.
type step struct {
	title   string
	request func(*world) testkit.Request
}

// transcript is a series of exchanges on one server.
type transcript struct {
	name    string // of the file in testdata/contract
	about   string
	only    string // the version that has it; empty = both
	options testkit.Options
	steps   []step
}

// TestContract compares whole exchanges with testdata/contract/*.txt. Each file is one
// server's talk; it is held in both versions, and both must be the same but for the
// paths, which are written as those of v1. Run it with -update to write the files
// anew, and read what changed: they are the contract as a client sees it.
func TestContract(t *testing.T) {
	t.Parallel()
	transcripts := slices.Concat(oauthTranscripts, resourceTranscripts, refusalTranscripts, clientTranscripts)
	var names []string
	for _, tr := range transcripts {
		names = append(names, filepath.Join("testdata", "contract", tr.name+".txt"))
		for _, v := range versions {
			if tr.only != "" && tr.only != v.name {
				continue
			}
			t.Run(tr.name+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				golden(t, tr, v)
			})
			if v.name == "v1" {
				t.Run(tr.name+"/v1 on PostgreSQL", func(t *testing.T) {
					t.Parallel()
					tr := tr
					tr.options.DatabaseURL = testkit.PostgresDatabase(t, pgtest.Oldest)
					golden(t, tr, v)
				})
			}
		}
	}
	slices.Sort(names)
	files, err := filepath.Glob(filepath.Join("testdata", "contract", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(names, files); diff != "" && !*update {
		t.Errorf("transcripts and their files (-transcripts +files):\n%s", diff)
	}
}

func golden(t *testing.T, tr transcript, v version) {
	t.Helper()
	w := newWorld(t, v, tr.options)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", tr.about)
	for i, s := range tr.steps {
		r := s.request(w)
		r = with(r, "X-Request-Id", fmt.Sprintf("%s-%d", tr.name, i+1))
		fmt.Fprintf(&b, "\n\n## %s\n\n%s\n%s", s.title, requestText(w, r), responseText(w, w.Do(r)))
	}
	got := asV1(b.String())
	file := filepath.Join("testdata", "contract", tr.name+".txt")
	if *update && v.name == "v1" && tr.options.DatabaseURL == "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// asV1 writes the paths of v1beta1 as those of v1.
func asV1(text string) string {
	return strings.NewReplacer("/v1beta1/users/oauth2/", "/v1/oauth/", "/v1beta1/", "/v1/").Replace(text)
}

func requestText(w *world, r testkit.Request) string {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	header := r.Header.Clone()
	if _, ok := header["Authorization"]; !ok && r.Token != "" {
		header.Set("Authorization", "Bearer "+r.Token)
	}
	if r.App.ID != "" {
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(string(r.App.ID)+":"+r.App.Secret)))
	}
	text := method + " " + r.Path + " HTTP/1.1\n" + headerText(header)
	if r.Body != "" {
		text += "\n" + abridged(r.Body) + "\n"
	}
	return mask(w, text)
}

func responseText(w *world, r testkit.Response) string {
	header := r.Header.Clone()
	header.Del("Date")
	text := fmt.Sprintf("HTTP/1.1 %d %s\n%s", r.Status, http.StatusText(r.Status), headerText(header))
	if r.Body != "" {
		text += "\n" + r.Body + "\n"
	}
	return mask(w, text)
}

func headerText(h http.Header) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, abridged(value))
		}
	}
	return b.String()
}

// abridged shortens what is long only to be too long.
func abridged(s string) string {
	if len(s) <= 300 {
		return s
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:20], len(s))
}

var (
	basic     = regexp.MustCompile(`Basic ([A-Za-z0-9+/]+=*)\n`)
	token     = regexp.MustCompile(`rct_[a-z2-7]{59}`)
	secret    = regexp.MustCompile(`rcs_[a-z2-7]{59}`)
	uuid      = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	secretID  = regexp.MustCompile(`\{"id":"[0-9A-Z]{26}","create_time"`)
	pageToken = regexp.MustCompile(`"next_page_token":"[A-Za-z0-9_-]+"|page_?[tT]oken=[A-Za-z0-9_-]{70,}`)
	longPath  = regexp.MustCompile(`x{300,}`)
)

// mask writes what differs from run to run in words, and Basic credentials in clear.
func mask(w *world, text string) string {
	text = token.ReplaceAllString(text, "<access token>")
	text = secret.ReplaceAllString(text, "<client secret>")
	text = uuid.ReplaceAllString(text, "<client id>")
	text = secretID.ReplaceAllString(text, `{"id":"<secret id>","create_time"`)
	text = longPath.ReplaceAllStringFunc(text, func(s string) string { return fmt.Sprintf("xxx... (%d bytes)", len(s)) })
	text = pageToken.ReplaceAllStringFunc(text, func(s string) string {
		if strings.HasPrefix(s, `"`) {
			return `"next_page_token":"<page token>"`
		}
		name, _, _ := strings.Cut(s, "=")
		return name + "=<page token>"
	})
	text = basic.ReplaceAllStringFunc(text, func(s string) string {
		clear, err := base64.StdEncoding.DecodeString(basic.FindStringSubmatch(s)[1])
		if err != nil {
			return s
		}
		return "Basic base64(" + string(clear) + ")\n"
	})
	return strings.ReplaceAll(text, w.Address, "127.0.0.1:8443")
}
