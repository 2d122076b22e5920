package api

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"strings"
)

//go:generate go run ./internal/gendocs -in openapi.yaml -out docs.html

//go:embed openapi.yaml
var openAPI string

//go:embed docs.html
var docsHTML string

var docsPolicy = contentSecurityPolicy(docsHTML)

// OpenAPI returns the OpenAPI 3.1 document, as YAML. The caller owns the copy.
func OpenAPI() []byte { return []byte(openAPI) }

// DocsHTML returns the API reference as one self-contained HTML page in UTF-8:
// no script, no image, nothing loaded from elsewhere. The caller owns the copy.
func DocsHTML() []byte { return []byte(docsHTML) }

// DocsContentSecurityPolicy returns the value of the Content-Security-Policy
// header that [DocsHTML] must be served with. It allows the page's own
// stylesheet, by hash, and nothing else.
func DocsContentSecurityPolicy() string { return docsPolicy }

// contentSecurityPolicy hashes exactly the bytes between the style tags, as a
// browser does. A page without a stylesheet gets a policy without one.
func contentSecurityPolicy(page string) string {
	const rest = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	_, after, _ := strings.Cut(page, "<style>")
	style, _, found := strings.Cut(after, "</style>")
	if !found {
		return "default-src 'none'; " + rest
	}
	sum := sha256.Sum256([]byte(style))
	hash := base64.StdEncoding.EncodeToString(sum[:])
	return "default-src 'none'; style-src 'sha256-" + hash + "'; " + rest
}
