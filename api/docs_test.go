package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/rollcall-id/rollcall/api"
)

// TestDocsPolicy recomputes the hash by other means than the package does.
func TestDocsPolicy(t *testing.T) {
	t.Parallel()
	styles := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(string(api.DocsHTML()), -1)
	if len(styles) != 1 {
		t.Fatalf("got %d style elements, want 1", len(styles))
	}
	sum := sha256.Sum256([]byte(styles[0][1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := api.DocsContentSecurityPolicy(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestDocsLoadNothing: whatever the policy would block is not there either.
func TestDocsLoadNothing(t *testing.T) {
	t.Parallel()
	page := string(api.DocsHTML())
	for _, bad := range []string{"<script", "<link", "<img", "<iframe", " style=", "@import", "url(", " onclick", "javascript:"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	const most = 200_000
	if len(page) > most {
		t.Errorf("the page has %d bytes, want at most %d", len(page), most)
	}
}

// TestDocsLinks: every link leads to a part of the page or to the document.
func TestDocsLinks(t *testing.T) {
	t.Parallel()
	page := string(api.DocsHTML())
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids["#"+m[1]]++; ids["#"+m[1]] > 1 {
			t.Errorf("id %s is used twice", m[1])
		}
	}
	links := regexp.MustCompile(` href="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(links) == 0 {
		t.Error("no links found")
	}
	for _, m := range links {
		if m[1] != "/openapi.yaml" && ids[m[1]] == 0 {
			t.Errorf("link to %s leads nowhere", m[1])
		}
	}
}

// TestDocsComplete: every path, parameter and fixed word is on the page.
func TestDocsComplete(t *testing.T) {
	t.Parallel()
	page := string(api.DocsHTML())
	words := []string{
		api.MessagePermissionDenied, api.MessageNotFound, api.MessageNoOwnerRemain, api.MessageExternallyManagedUser,
		api.MessageAutomatedProvisioningEnabled, api.MessageRouteNotFound, api.MessageMethodNotAllowed,
	}
	eachOperation(document(t), func(_, path string, _ *openapi3.PathItem, op *openapi3.Operation) {
		words = append(words, path)
		for _, p := range op.Parameters {
			words = append(words, p.Value.Name)
		}
	})
	for _, word := range words {
		if !strings.Contains(page, "<code>"+word+"</code>") {
			t.Errorf("the page does not mention %s", word)
		}
	}
	if !strings.Contains(page, "not made, endorsed, sponsored or supported by 1Password") {
		t.Error("the page does not state independence from 1Password")
	}
}
