package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// wrong tells what of an answer is not as every answer must be.
func (p page) wrong() []string {
	wrong := p.wrongHeaders()
	if strings.HasPrefix(p.header.Get("Content-Type"), "text/html") && p.body != "" {
		wrong = append(wrong, p.wrongStructure()...)
		wrong = append(wrong, p.wrongCode()...)
		wrong = append(wrong, p.wrongFields()...)
	}
	return wrong
}

func (p page) wrongHeaders() []string {
	var wrong []string
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := p.header.Get(name); got != want {
			wrong = append(wrong, fmt.Sprintf("%s: got %q, want %q", name, got, want))
		}
	}
	policy := p.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "script-src 'self'", "style-src 'self'"} {
		if !slices.Contains(strings.Split(policy, "; "), part) {
			wrong = append(wrong, "Content-Security-Policy lacks "+part)
		}
	}
	for name := range p.header {
		if strings.HasPrefix(name, "Access-Control-") {
			wrong = append(wrong, "other sites may read it: "+name)
		}
	}
	if p.header.Get("X-Request-Id") == "" {
		wrong = append(wrong, "no X-Request-Id")
	}
	cache := p.header.Get("Cache-Control")
	if cache != "no-store" && !strings.Contains(cache, "immutable") {
		wrong = append(wrong, "Cache-Control: "+cache)
	}
	wait := p.header.Get("Retry-After") != ""
	if wait != (p.status == http.StatusTooManyRequests || p.status == http.StatusServiceUnavailable) {
		wrong = append(wrong, fmt.Sprintf("Retry-After: %t", wait))
	}
	return wrong
}

// wrongStructure: one heading, one main part, a language and a title, ids that are unique and
// are there where others point at them.
func (p page) wrongStructure() []string {
	var wrong []string
	for _, tag := range []string{"h1", "main", "title"} {
		if n := len(p.named(tag)); n != 1 {
			wrong = append(wrong, fmt.Sprintf("%d elements %s", n, tag))
		}
	}
	if root := p.named("html"); attr(root[0], "lang") != "en" {
		wrong = append(wrong, "no language")
	}
	ids := map[string]int{}
	for _, n := range p.all(func(n *html.Node) bool { return has(n, "id") }) {
		ids[attr(n, "id")]++
	}
	for id, n := range ids {
		if n > 1 || id == "" {
			wrong = append(wrong, fmt.Sprintf("%d elements with the id %q", n, id))
		}
	}
	for _, name := range []string{"for", "aria-describedby", "aria-labelledby", "data-copy"} {
		for _, n := range p.all(func(n *html.Node) bool { return has(n, name) }) {
			for id := range strings.FieldsSeq(attr(n, name)) {
				if ids[id] == 0 {
					wrong = append(wrong, fmt.Sprintf("%s=%q points at nothing", name, id))
				}
			}
		}
	}
	level := 0
	for _, n := range p.all(func(n *html.Node) bool {
		return len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6'
	}) {
		if now := int(n.Data[1] - '0'); now > level+1 {
			wrong = append(wrong, "a heading is left out before "+n.Data+": "+textOf(n))
		} else {
			level = now
		}
	}
	return wrong
}

// wrongCode: nothing inline, and nothing from elsewhere.
func (p page) wrongCode() []string {
	var wrong []string
	for _, n := range p.all(func(*html.Node) bool { return true }) {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				wrong = append(wrong, fmt.Sprintf("<%s %s=%q>", n.Data, a.Key, a.Val))
			}
			if a.Key == "src" && !strings.HasPrefix(a.Val, "/console/assets/") {
				wrong = append(wrong, "src="+a.Val)
			}
			if (a.Key == "href" || a.Key == "action" || a.Key == "formaction") && strings.Contains(strings.ToLower(a.Val), "javascript:") {
				wrong = append(wrong, a.Key+"="+a.Val)
			}
		}
		if n.Data == "style" || n.Data == "script" && n.FirstChild != nil {
			wrong = append(wrong, "inline "+n.Data)
		}
		if n.Data == "form" && attr(n, "method") != "get" && attr(n, "method") != "post" {
			wrong = append(wrong, "a form that does not say its method")
		}
	}
	return wrong
}

// wrongFields: every field has a label, and one that is wrong says why beside itself.
func (p page) wrongFields() []string {
	var wrong []string
	labelled := map[string]bool{}
	for _, n := range p.named("label") {
		labelled[attr(n, "for")] = true
	}
	for _, n := range p.all(func(n *html.Node) bool { return n.Data == "input" || n.Data == "select" || n.Data == "textarea" }) {
		if attr(n, "type") == "hidden" || attr(n, "aria-hidden") == "true" {
			continue
		}
		if !labelled[attr(n, "id")] && !within(n, "label") {
			wrong = append(wrong, fmt.Sprintf("field %q has no label", attr(n, "name")))
		}
		if attr(n, "aria-invalid") == "true" && !strings.Contains(p.byID(attr(n, "id")+"-error"), " ") {
			wrong = append(wrong, fmt.Sprintf("field %q does not say what is wrong", attr(n, "name")))
		}
	}
	for _, n := range p.all(func(n *html.Node) bool { return n.Data == "button" || n.Data == "a" }) {
		if textOf(n) == "" && attr(n, "aria-label") == "" {
			wrong = append(wrong, fmt.Sprintf("<%s> says nothing: %v", n.Data, n.Attr))
		}
	}
	return wrong
}

func within(n *html.Node, tag string) bool {
	for a := range n.Ancestors() {
		if a.Data == tag {
			return true
		}
	}
	return false
}
