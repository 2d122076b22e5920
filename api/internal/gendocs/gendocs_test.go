package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFresh: the committed page is what the generator makes of the committed
// document. If not: go generate ./api
func TestFresh(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.FromSlash("../../openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile(filepath.FromSlash("../../docs.html"))
	if err != nil {
		t.Fatal(err)
	}
	html, err := generate(source)
	if err != nil {
		t.Fatalf("generate: %v", err)
	}
	if diff := cmp.Diff(string(html), string(committed)); diff != "" {
		t.Errorf("docs.html is stale, run go generate ./api (-fresh +committed):\n%s", diff)
	}
}

func TestGenerateRefusesBadDocuments(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, source, want string }{
		{"not YAML", "a: [", "parse YAML"},
		{"empty", "", "not a YAML mapping"},
		{"not a mapping", "- a", "not a YAML mapping"},
		{"dangling reference", "a:\n  $ref: '#/b'\n", "line 2: #/b leads nowhere"},
		{"foreign reference", "a:\n  $ref: 'other.yaml#/b'\n", "leads nowhere"},
		{"odd status", "paths:\n  /a:\n    get:\n      operationId: x\n      responses:\n        often: {}\n", `operation x: response status "often"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := generate([]byte(c.source))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestProse(t *testing.T) {
	t.Parallel()
	cases := []struct{ text, want string }{
		{"", ""},
		{"one\ntwo\n\nthree\n", "<p>one\ntwo</p>\n<p>three</p>\n"},
		{"- a\n- b", "<ul><li>a</li><li>b</li></ul>\n"},
		{"**A** `b<c>`", "<p><strong>A</strong> <code>b&lt;c&gt;</code></p>\n"},
		{"<script>", "<p>&lt;script&gt;</p>\n"},
	}
	for _, c := range cases {
		if diff := cmp.Diff(c.want, string(prose(c.text))); diff != "" {
			t.Errorf("prose(%q) (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestExampleText(t *testing.T) {
	t.Parallel()
	cases := []struct{ mediaType, source, want string }{
		{"application/json", `{ b: 1, a: [x, null, true], t: "2024-01-15T10:30:00Z" }`, `{"b":1,"a":["x",null,true],"t":"2024-01-15T10:30:00Z"}`},
		{"application/json", "{ a: " + strings.Repeat("x", lineWidth) + " }", "{\n  \"a\": \"" + strings.Repeat("x", lineWidth) + "\"\n}"},
		{"application/json", "{ a: <&> }", `{"a":"<&>"}`},
		{"application/x-www-form-urlencoded", "{ b: 'x y', a: z }", "b=x+y&a=z"},
		{"text/html", "<!doctype html>", "<!doctype html>"},
	}
	for _, c := range cases {
		doc, err := parse([]byte("value: " + c.source))
		if err != nil {
			t.Fatalf("parse %s: %v", c.source, err)
		}
		got, err := exampleText(c.mediaType, doc.at(doc.root, "value"))
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s as %s (-want +got):\n%s", c.source, c.mediaType, diff)
		}
	}
}
