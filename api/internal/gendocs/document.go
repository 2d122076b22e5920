package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is a YAML tree that keeps the order it was written in, which is the
// order of the page. Local references are followed wherever one is met.
type document struct{ root *yaml.Node }

func parse(source []byte) (document, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(source, &file); err != nil {
		return document{}, fmt.Errorf("parse YAML: %w", err)
	}
	if len(file.Content) != 1 || file.Content[0].Kind != yaml.MappingNode {
		return document{}, fmt.Errorf("not a YAML mapping")
	}
	doc := document{file.Content[0]}
	return doc, doc.checkReferences(doc.root)
}

// checkReferences makes a misspelt reference an error with its line, so that
// the lookups below may treat what is absent as empty.
func (d document) checkReferences(n *yaml.Node) error {
	if ref := child(n, "$ref"); ref != nil && d.follow(n) == nil {
		return fmt.Errorf("line %d: %s leads nowhere", ref.Line, ref.Value)
	}
	for _, c := range n.Content {
		if err := d.checkReferences(c); err != nil {
			return err
		}
	}
	return nil
}

// follow returns what a reference stands for, or n itself if it is none. A
// reference to another reference is not used here and not followed.
func (d document) follow(n *yaml.Node) *yaml.Node {
	ref := child(n, "$ref")
	if ref == nil {
		return n
	}
	path, local := strings.CutPrefix(ref.Value, "#/")
	if !local {
		return nil
	}
	target := d.root
	for key := range strings.SplitSeq(path, "/") {
		target = child(target, key)
	}
	return target
}

// child returns the value of key in the mapping n, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// at walks down from n by keys, through references; nil if there is nothing.
func (d document) at(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		n = d.follow(child(n, key))
	}
	return n
}

// text is the scalar at keys below n, or "".
func (d document) text(n *yaml.Node, keys ...string) string {
	if n = d.at(n, keys...); n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// entries yields the pairs of the mapping at keys below n, values followed.
func (d document) entries(n *yaml.Node, keys ...string) iter.Seq2[string, *yaml.Node] {
	n = d.at(n, keys...)
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, d.follow(n.Content[i+1])) {
				return
			}
		}
	}
}

// items yields the elements of the sequence at keys below n, followed.
func (d document) items(n *yaml.Node, keys ...string) iter.Seq[*yaml.Node] {
	n = d.at(n, keys...)
	return func(yield func(*yaml.Node) bool) {
		if n == nil || n.Kind != yaml.SequenceNode {
			return
		}
		for _, c := range n.Content {
			if !yield(d.follow(c)) {
				return
			}
		}
	}
}

// lineWidth is how long JSON may be before it is broken into lines.
const lineWidth = 88

// jsonText writes n as JSON with its fields in the order of the document, on
// one line if it is short.
func jsonText(n *yaml.Node) (string, error) {
	var line bytes.Buffer
	if err := writeJSON(&line, n); err != nil {
		return "", err
	}
	if line.Len() <= lineWidth {
		return line.String(), nil
	}
	var lines bytes.Buffer
	if err := json.Indent(&lines, line.Bytes(), "", "  "); err != nil {
		return "", fmt.Errorf("line %d: indent example: %w", n.Line, err)
	}
	return lines.String(), nil
}

func writeJSON(w *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		return writeList(w, n, '{', '}')
	case yaml.SequenceNode:
		return writeList(w, n, '[', ']')
	}
	var value any
	if err := n.Decode(&value); err != nil {
		return fmt.Errorf("line %d: decode example: %w", n.Line, err)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // the template escapes for HTML
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("line %d: encode example: %w", n.Line, err)
	}
	w.Truncate(w.Len() - 1) // the encoder's newline
	return nil
}

func writeList(w *bytes.Buffer, n *yaml.Node, open, end byte) error {
	w.WriteByte(open)
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			w.WriteByte(':')
		} else if i > 0 {
			w.WriteByte(',')
		}
		if err := writeJSON(w, c); err != nil {
			return err
		}
	}
	w.WriteByte(end)
	return nil
}
