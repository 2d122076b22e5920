package roster

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// parseYAML reads one YAML document. It is false where a problem was reported.
func parseYAML(r *report, data []byte) (node, bool) {
	if n := bytes.Count(data, []byte{'\n'}) + bytes.Count(data, []byte{','}) + bytes.Count(data, []byte{':'}); n > MaxSeedValues {
		r.add(0, "", tooManyValues())
		return node{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, rest yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		r.addYAML(err)
		return node{}, false
	}
	switch err := decoder.Decode(&rest); {
	case err == nil:
		r.add(rest.Line, "", fault.Invalid("a second document starts here: a seed file is one document"))
		return node{}, false
	case !errors.Is(err, io.EOF):
		r.addYAML(err)
		return node{}, false
	}
	c := converter{r: r, ok: true}
	root := c.node(doc.Content[0], 1)
	return root, c.ok
}

func tooManyValues() error {
	return fault.Invalid("holds more than %d values: have people made with generate_users, or import them from a file of their own",
		MaxSeedValues)
}

// yamlError is how the library words a syntax error.
var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// addYAML reports an error of the library, which tells the line where what it could
// not finish began, or the line before.
func (r *report) addYAML(err error) {
	if errors.Is(err, io.EOF) {
		r.add(1, "", fault.Invalid("is empty: a seed file has a field accounts"))
		return
	}
	line := 1 // the library names no line for the first
	words := err.Error()
	if m := yamlError.FindStringSubmatch(words); m != nil {
		words = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	r.add(line, "", fault.Invalid("is not YAML, here or just below: %s", words))
}

// converter makes nodes of the library's, and reports what we do not accept of YAML.
type converter struct {
	r  *report
	ok bool
}

func (c *converter) refuse(line int, format string, args ...any) node {
	c.r.add(line, "", fault.Invalid(format, args...))
	c.ok = false
	return node{kind: nothing, line: line}
}

func (c *converter) node(y *yaml.Node, depth int) node {
	switch {
	case c.r.more:
		return node{kind: nothing, line: y.Line}
	case y.Anchor != "" || y.Kind == yaml.AliasNode:
		return c.refuse(y.Line, "anchors and aliases (& and *) are not accepted: write the value out")
	case depth > maxDepth:
		return c.refuse(y.Line, "is nested more than %d deep", maxDepth)
	case y.Kind == yaml.SequenceNode && y.ShortTag() == "!!seq":
		return c.list(y, depth)
	case y.Kind == yaml.MappingNode && y.ShortTag() == "!!map":
		return c.object(y, depth)
	case y.Kind == yaml.ScalarNode && scalars[y.ShortTag()] != "":
		return node{kind: scalars[y.ShortTag()], line: y.Line, text: y.Value}
	}
	return c.refuse(y.Line, "the tag %q is not accepted: write the value without it", cut(y.ShortTag()))
}

// scalars are the kinds of the values of YAML's core schema.
var scalars = map[string]kind{
	"!!str": text, "!!int": number, "!!float": number, "!!bool": truth, "!!null": nothing, "!!timestamp": moment,
}

func (c *converter) list(y *yaml.Node, depth int) node {
	n := node{kind: list, line: y.Line, items: make([]node, 0, len(y.Content))}
	for _, item := range y.Content {
		n.items = append(n.items, c.node(item, depth+1))
	}
	return n
}

func (c *converter) object(y *yaml.Node, depth int) node {
	n := node{kind: object, line: y.Line, fields: make([]field, 0, len(y.Content)/2)}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := c.node(y.Content[i], depth+1)
		// A key that is a number, say, keeps its spelling: it is no field we know.
		n.fields = append(n.fields, field{name: key.text, line: key.line, value: c.node(y.Content[i+1], depth+1)})
	}
	return n
}
