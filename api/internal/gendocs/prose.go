package main

import (
	"html"
	"html/template"
	"regexp"
	"strings"
)

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	boldSpan = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// prose renders a description: paragraphs and lists, one after a blank line
// from the other.
func prose(text string) template.HTML {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if rest, ok := strings.CutPrefix(block, "- "); ok {
			out.WriteString("<ul>")
			for item := range strings.SplitSeq(rest, "\n- ") {
				out.WriteString("<li>" + spans(item) + "</li>")
			}
			out.WriteString("</ul>\n")
		} else if block != "" {
			out.WriteString("<p>" + spans(block) + "</p>\n")
		}
	}
	return template.HTML(out.String()) //nolint:gosec // all text in it went through html.EscapeString
}

// phrase renders a description that stands inside a line.
func phrase(text string) template.HTML {
	return template.HTML(spans(strings.TrimSpace(text))) //nolint:gosec // as above
}

func spans(text string) string {
	text = html.EscapeString(text)
	text = codeSpan.ReplaceAllString(text, "<code>$1</code>")
	return boldSpan.ReplaceAllString(text, "<strong>$1</strong>")
}
