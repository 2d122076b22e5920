package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// object is the fields of a JSON body, each of which was there once.
type object map[string]field

// field is a value of the few shapes that bodies have: null, a string, or a list of strings.
type field struct {
	shape shape
	text  string
	list  []string
}

type shape uint8

const (
	isNull shape = iota
	isText
	isList
)

// maxList is how many entries a list may have: more than there are permissions.
const maxList = 32

// readObject reads a body that is one JSON object whose fields are all known. Anything
// else is refused, named as far as it has a name: unknown and repeated fields, other
// shapes of value (so that nothing nests), text behind the object, and bytes that a
// lenient reader would silently replace.
func readObject(body string, known ...string) (object, error) {
	if !utf8.ValidString(body) || !json.Valid([]byte(body)) {
		return nil, fault.Invalid("the request body must be one JSON object in UTF-8")
	}
	d := json.NewDecoder(strings.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fault.Invalid("the request body must be one JSON object with the fields %s", strings.Join(known, ", "))
	}
	o := object{}
	for d.More() {
		if err := o.readField(d, known); err != nil {
			return nil, err
		}
	}
	return o, lossless(o, body)
}

func (o object) readField(d *json.Decoder, known []string) error {
	t, err := d.Token()
	name, ok := t.(string)
	if err != nil || !ok {
		return errNotJSON
	}
	if !slices.Contains(known, name) {
		return fault.Invalid("%.80q is not a field that can be set: use %s", name, strings.Join(known, ", "))
	}
	if _, twice := o[name]; twice {
		return fault.Invalid("%s is repeated: it may be sent once", name)
	}
	f, err := readValue(d, name)
	o[name] = f
	return err
}

// errNotJSON can't happen once the body has been found valid.
var errNotJSON = errors.New("httpapi: valid JSON could not be read")

func readValue(d *json.Decoder, name string) (field, error) {
	t, err := d.Token()
	if err != nil {
		return field{}, errNotJSON
	}
	switch t := t.(type) {
	case nil:
		return field{}, nil
	case string:
		return field{shape: isText, text: t}, nil
	}
	if t == json.Delim('[') {
		return readList(d, name)
	}
	return field{}, fault.Invalid("%s must be a string or a list of strings", name)
}

func readList(d *json.Decoder, name string) (field, error) {
	f := field{shape: isList}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return f, errNotJSON
		}
		text, ok := t.(string)
		if !ok || len(f.list) == maxList {
			return f, fault.Invalid("%s must be a list of at most %d strings", name, maxList)
		}
		f.list = append(f.list, text)
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		return f, errNotJSON
	}
	return f, nil
}

// lossless refuses what the JSON reader replaces without a word: half a surrogate pair,
// written as an escape, becomes U+FFFD.
func lossless(o object, body string) error {
	const replaced = "\uFFFD"
	if strings.Contains(body, replaced) || strings.Contains(strings.ToLower(body), `\ufffd`) {
		return nil // somebody has sent it as it is
	}
	for name, f := range o {
		if strings.Contains(f.text+strings.Join(f.list, ""), replaced) {
			return fault.Invalid("%s holds half of a surrogate pair", name)
		}
	}
	return nil
}

// textOf returns a field that is a string; nil if it is not there, and "" for null, which
// takes a value away (RFC 7396).
func (o object) textOf(name string) (*string, error) {
	f, there := o[name]
	if !there {
		return nil, nil //nolint:nilnil // absent is no error
	}
	if f.shape == isList {
		return nil, fault.Invalid("%s must be a string", name)
	}
	return &f.text, nil
}

// listOf returns a field that is a list of strings; sent is false if it is not there.
func (o object) listOf(name string) (list []string, sent bool, err error) {
	f, there := o[name]
	if there && f.shape != isList {
		return nil, true, fault.Invalid("%s must be a list of strings", name)
	}
	return f.list, there, nil
}
