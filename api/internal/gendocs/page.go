package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed page.gohtml
var pageText string

//go:embed style.css
var styleText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template shows, in the order it shows it.
type page struct {
	Title, Version, Server string
	Style                  template.CSS
	Intro, Manners         template.HTML
	LimitsNote             template.HTML
	Groups                 []group
	Errors, OAuthErrors    []errorRow
	Headers                []headerRow
	Limits                 []limit
}

// group is a tag with its operations.
type group struct {
	Name, ID    string
	Description template.HTML
	Operations  []*operation
}

// errorRow is one way to fail, from an example of an error response.
type errorRow struct{ Status, Code, Message, When string }

type headerRow struct {
	Name, Example string
	Description   template.HTML
}

type limit struct{ Class, Surface, Minute, Hour, Per string }

func newPage(d document) (page, error) {
	operations, err := d.operations()
	if err != nil {
		return page{}, err
	}
	// The description's first section heading ends what must be read first.
	intro, manners, _ := strings.Cut(d.text(d.root, "info", "description"), "\n\n**")
	p := page{
		Title:      d.text(d.root, "info", "title"),
		Version:    d.text(d.root, "info", "version"),
		Style:      template.CSS(styleText), //nolint:gosec // our own file
		Intro:      prose(intro),
		Manners:    prose("**" + manners),
		LimitsNote: prose(d.text(d.root, "info", "x-rollcall-limits-note")),
		Groups:     d.groups(operations),
		Headers:    d.headers(),
		Limits:     d.limits(),
	}
	for server := range d.items(d.root, "servers") {
		p.Server = d.text(server, "variables", "base_url", "default")
	}
	p.Errors, p.OAuthErrors = d.errors(operations)
	return p, nil
}

func (d document) groups(operations []*operation) []group {
	var groups []group
	for tag := range d.items(d.root, "tags") {
		name := d.text(tag, "name")
		g := group{Name: name, ID: strings.ToLower(name), Description: prose(d.text(tag, "description"))}
		for _, op := range operations {
			if op.Tag == name {
				g.Operations = append(g.Operations, op)
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// errors collects every error example, once each, by ascending status.
func (d document) errors(operations []*operation) (status, oauth []errorRow) {
	for _, op := range operations {
		for _, r := range op.Responses {
			for _, e := range r.Examples {
				code, oauthCode := d.text(e.node, "code"), d.text(e.node, "error")
				row := errorRow{Status: r.Status, Code: code, Message: d.text(e.node, "message"), When: e.Summary}
				if code != "" && !slices.Contains(status, row) {
					status = append(status, row)
				}
				row.Code, row.Message = oauthCode, ""
				if oauthCode != "" && !slices.Contains(oauth, row) {
					oauth = append(oauth, row)
				}
			}
		}
	}
	byStatus := func(a, b errorRow) int { return strings.Compare(a.Status, b.Status) }
	slices.SortStableFunc(status, byStatus)
	slices.SortStableFunc(oauth, byStatus)
	return status, oauth
}

// headers describes each response header once for each thing it can say.
func (d document) headers() []headerRow {
	var rows []headerRow
	seen := map[string]bool{}
	for _, response := range d.entries(d.root, "components", "responses") {
		for name, header := range d.entries(response, "headers") {
			text := d.text(header, "description")
			if key := name + "\n" + text; !seen[key] {
				seen[key] = true
				rows = append(rows, headerRow{Name: name, Example: d.headerExample(header), Description: phrase(text)})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b headerRow) int { return strings.Compare(a.Name, b.Name) })
	return rows
}

// headerExample is the header's example, or else its only possible value.
func (d document) headerExample(header *yaml.Node) string {
	if example := d.text(header, "example"); example != "" {
		return example
	}
	for _, list := range []string{"examples", "enum"} {
		for value := range d.items(header, "schema", list) {
			return value.Value
		}
	}
	return ""
}

func (d document) limits() []limit {
	var limits []limit
	for l := range d.items(d.root, "x-rollcall-limits") {
		limits = append(limits, limit{
			Class:   d.text(l, "class"),
			Surface: d.text(l, "surface"),
			Minute:  d.text(l, "per_minute"),
			Hour:    d.text(l, "per_hour"),
			Per:     d.text(l, "counted_per"),
		})
	}
	return limits
}

// anchor is the fragment by which the page links to an operation. Other
// documents link to it too, so it follows the operation's name alone.
func anchor(name string) string { return fmt.Sprintf("op-%s", name) }
