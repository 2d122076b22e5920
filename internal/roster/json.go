package roster

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// jsonReader makes nodes of JSON, one after another.
type jsonReader struct {
	src     *source
	dec     *json.Decoder
	values  int   // left to be read
	tooMany error // what to say when there are more
}

func newJSONReader(src *source, values int, tooMany error) *jsonReader {
	dec := json.NewDecoder(src)
	dec.UseNumber()
	return &jsonReader{src: src, dec: dec, values: values, tooMany: tooMany}
}

// line returns the line that was read up to.
func (j *jsonReader) line() int { return j.src.line(j.dec.InputOffset()) }

// token returns the next token; io.EOF where the text ends between values.
func (j *jsonReader) token() (json.Token, error) {
	t, err := j.dec.Token()
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errCutOff
	case errors.As(err, &syntax):
		return nil, fault.Invalid("is not JSON: %v", syntax)
	}
	return t, err
}

var errCutOff = fault.Invalid("is not JSON: the text ends in the middle")

// next returns the next value; io.EOF at the end of the text, if that is not in the middle of a value.
func (j *jsonReader) next() (node, error) {
	t, err := j.token()
	if err != nil {
		return node{}, err
	}
	return j.value(t, 1)
}

// inner returns the next value inside another.
func (j *jsonReader) inner(depth int) (node, error) {
	t, err := j.token()
	if errors.Is(err, io.EOF) {
		err = errCutOff
	}
	if err != nil {
		return node{}, err
	}
	return j.value(t, depth)
}

// value returns the value that starts with t.
func (j *jsonReader) value(t json.Token, depth int) (node, error) {
	if j.values--; j.values < 0 {
		return node{}, j.tooMany
	}
	n := node{line: j.line()}
	switch t := t.(type) {
	case json.Delim:
		if depth > maxDepth {
			return n, fault.Invalid("is nested more than %d deep", maxDepth)
		}
		if t == '[' {
			return j.list(n, depth)
		}
		return j.object(n, depth)
	case string:
		n.kind, n.text = text, t
		// The decoder puts U+FFFD for what is not UTF-8; kept, it would hide that a name was damaged.
		if strings.ContainsRune(t, utf8.RuneError) {
			return n, fault.Invalid("text is not valid UTF-8, or holds U+FFFD, which stands for a damaged character")
		}
	case json.Number:
		n.kind, n.text = number, t.String()
	case bool:
		n.kind = truth
	default:
		n.kind = nothing
	}
	return n, nil
}

func (j *jsonReader) list(n node, depth int) (node, error) {
	n.kind = list
	for j.dec.More() {
		item, err := j.inner(depth + 1)
		if err != nil {
			return n, err
		}
		n.items = append(n.items, item)
	}
	return n, j.end()
}

func (j *jsonReader) object(n node, depth int) (node, error) {
	n.kind = object
	for j.dec.More() {
		key, err := j.inner(depth + 1)
		if err != nil {
			return n, err
		}
		value, err := j.inner(depth + 1)
		if err != nil {
			return n, err
		}
		n.fields = append(n.fields, field{name: key.text, line: key.line, value: value})
	}
	return n, j.end()
}

// end reads the bracket that closes a list or an object.
func (j *jsonReader) end() error {
	_, err := j.token()
	if errors.Is(err, io.EOF) {
		return errCutOff
	}
	return err
}

// finish makes sure that nothing follows.
func (j *jsonReader) finish() error {
	switch _, err := j.token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return fault.Invalid("more follows the end of the JSON value")
}

// parseJSON reads one JSON text. It is false where a problem was reported.
func parseJSON(r *report, data []byte) (node, bool) {
	src, err := newSource(bytes.NewReader(data), MaxSeedBytes+1)
	if err != nil {
		r.add(1, "", err)
		return node{}, false
	}
	j := newJSONReader(src, MaxSeedValues, tooManyValues())
	n, err := j.next()
	if errors.Is(err, io.EOF) {
		err = fault.Invalid("is empty: a seed file has a field accounts")
	}
	if err == nil {
		err = j.finish()
	}
	if err != nil {
		r.add(j.line(), "", err)
		return node{}, false
	}
	return n, true
}
