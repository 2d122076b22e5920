package main

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// operation is one entry of the page: an operation with its twins, which are
// the same operation of other versions.
type operation struct {
	Name, Anchor, Tag, Summary  string
	Method                      string
	Paths                       []string
	Head, Optional              bool
	Auth, Permission, RateClass string
	Session                     bool // a person's session will do too
	Description                 template.HTML
	Parameters                  []parameter
	BodyType                    string
	BodyExamples                []example
	Responses                   []response
	Curl                        string
}

type parameter struct {
	Name, In, Type, Bounds, Example string
	Required                        bool
	Description                     template.HTML
}

type response struct {
	Status, Reason, Type string
	Description          template.HTML
	Headers              []string
	Words                []string // what clients match on in the body
	Examples             []example
}

// OK says whether the response is worth showing unasked.
func (r response) OK() bool { return strings.HasPrefix(r.Status, "2") }

type example struct {
	Summary, Text string
	node          *yaml.Node
}

// operations lists the operations in the order of the document. The twin that
// comes first lends its description.
func (d document) operations() ([]*operation, error) {
	var list []*operation
	byName := map[string]*operation{}
	for path, item := range d.entries(d.root, "paths") {
		for _, method := range []string{"get", "post"} {
			node := d.at(item, method)
			if node == nil {
				continue
			}
			id := d.text(node, "operationId")
			name := id[strings.LastIndex(id, ".")+1:]
			if twin := byName[name]; twin != nil {
				twin.Paths = append(twin.Paths, path)
				continue
			}
			op, err := d.operation(name, method, path, item)
			if err != nil {
				return nil, fmt.Errorf("operation %s: %w", id, err)
			}
			byName[name] = op
			list = append(list, op)
		}
	}
	return list, nil
}

func (d document) operation(name, method, path string, item *yaml.Node) (*operation, error) {
	node := d.at(item, method)
	op := &operation{
		Name:        name,
		Anchor:      anchor(name),
		Summary:     d.text(node, "summary"),
		Method:      strings.ToUpper(method),
		Paths:       []string{path},
		Head:        d.at(item, "head") != nil,
		Optional:    d.text(node, "x-rollcall-optional") == "true",
		Permission:  d.text(node, "x-rollcall-permission"),
		RateClass:   d.text(node, "x-rollcall-rate-class"),
		Description: prose(d.text(node, "description")),
	}
	for tag := range d.items(node, "tags") {
		op.Tag = tag.Value
	}
	for requirement := range d.items(node, "security") {
		if scheme := requirement.Content[0].Value; op.Auth == "" {
			op.Auth = scheme
		} else if scheme == "session" {
			op.Session = true
		}
	}
	for _, list := range []*yaml.Node{item, node} {
		for p := range d.items(list, "parameters") {
			op.Parameters = append(op.Parameters, d.parameter(p))
		}
	}
	if err := d.addBodies(op, node); err != nil {
		return nil, err
	}
	op.Curl = curl(op, path)
	return op, nil
}

func (d document) addBodies(op *operation, node *yaml.Node) error {
	var err error
	body := d.at(node, "requestBody")
	if op.BodyType, op.BodyExamples, err = d.examples(body); err != nil {
		return err
	}
	for status, r := range d.entries(node, "responses") {
		code, err := strconv.Atoi(status)
		if err != nil {
			return fmt.Errorf("response status %q is not a number", status)
		}
		answer := response{Status: status, Reason: http.StatusText(code), Description: phrase(d.text(r, "description"))}
		if answer.Type, answer.Examples, err = d.examples(r); err != nil {
			return err
		}
		for name := range d.entries(r, "headers") {
			answer.Headers = append(answer.Headers, name)
		}
		answer.Words = d.words(answer.Examples)
		op.Responses = append(op.Responses, answer)
	}
	return nil
}

// words are the fixed words among the examples of an error: messages without a
// space, and the error codes of the OAuth endpoints.
func (d document) words(examples []example) []string {
	var words []string
	for _, e := range examples {
		word := d.text(e.node, "message") + d.text(e.node, "error")
		if word != "" && !strings.Contains(word, " ") && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}

// examples reads the examples of a request body or response.
func (d document) examples(body *yaml.Node) (mediaType string, list []example, err error) {
	for name, media := range d.entries(body, "content") {
		mediaType = name
		for _, e := range d.entries(media, "examples") {
			ex := example{Summary: d.text(e, "summary"), node: d.at(e, "value")}
			if ex.Text, err = exampleText(mediaType, ex.node); err != nil {
				return "", nil, err
			}
			list = append(list, ex)
		}
	}
	return mediaType, list, nil
}

// exampleText writes an example as it goes over the wire.
func exampleText(mediaType string, n *yaml.Node) (string, error) {
	switch {
	case strings.HasSuffix(mediaType, "/x-www-form-urlencoded"):
		return formText(n), nil
	case strings.HasSuffix(mediaType, "/yaml"):
		text, err := yaml.Marshal(n)
		return strings.TrimSpace(string(text)), err
	case n.Kind == yaml.ScalarNode:
		return n.Value, nil
	}
	return jsonText(n)
}

func formText(n *yaml.Node) string {
	var pairs []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		pairs = append(pairs, url.QueryEscape(n.Content[i].Value)+"="+url.QueryEscape(n.Content[i+1].Value))
	}
	return strings.Join(pairs, "&")
}

func (d document) parameter(n *yaml.Node) parameter {
	p := parameter{
		Name:        d.text(n, "name"),
		In:          d.text(n, "in"),
		Type:        d.text(n, "schema", "type"),
		Required:    d.text(n, "required") == "true",
		Description: prose(d.text(n, "description")),
		Example:     d.text(n, "example"),
	}
	for _, e := range d.entries(n, "examples") {
		p.Example = d.text(e, "value")
		break
	}
	if format := d.text(n, "schema", "format"); format != "" {
		p.Type = format
	}
	if low, high := d.text(n, "schema", "minimum"), d.text(n, "schema", "maximum"); high != "" {
		p.Bounds = low + " to " + high
	}
	if most := d.text(n, "schema", "maxLength"); most != "" {
		p.Bounds = "at most " + most + " characters"
	}
	return p
}
