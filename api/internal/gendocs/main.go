// Command gendocs makes the API reference page from the OpenAPI document, at
// development time: `go generate ./api`.
//
// It owns how the page looks and reads; what it says comes from openapi.yaml
// but for the quick start, which is in page.gohtml. The same document always
// gives the same bytes. The page must need no script and load nothing; its
// only stylesheet is inline, since the server allows it by hash. Descriptions
// may use paragraphs, lists with "- ", `code` and **bold**; nothing else of
// Markdown is understood.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	in := flag.String("in", "openapi.yaml", "the OpenAPI document to read")
	out := flag.String("out", "docs.html", "the page to write")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("gendocs: ")
	if err := run(*in, *out); err != nil {
		log.Fatal(err)
	}
}

func run(in, out string) error {
	source, err := os.ReadFile(in)
	if err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	html, err := generate(source)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	if err := os.WriteFile(out, html, 0o644); err != nil { //nolint:gosec // the page is public
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// generate makes the page from the text of the document.
func generate(source []byte) ([]byte, error) {
	doc, err := parse(source)
	if err != nil {
		return nil, err
	}
	view, err := newPage(doc)
	if err != nil {
		return nil, err
	}
	var html bytes.Buffer
	if err := pageTemplate.Execute(&html, view); err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	return html.Bytes(), nil
}
