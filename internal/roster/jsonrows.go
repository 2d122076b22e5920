package roster

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// rowValues bounds the values of one row: a person has a dozen, and their groups.
const rowValues = 10_000

var errWideRow = fault.Invalid("holds more than %d values: a person has a dozen", rowValues)

// jsonRows reads the items of a JSON list, one at a time.
func jsonRows(name string, src *source, yield func(node, error) bool) {
	j := newJSONReader(src, rowValues, errWideRow)
	fail := func(err error) { yield(node{}, &RowError{name, j.line(), err}) }
	switch t, err := j.token(); {
	case errors.Is(err, io.EOF):
		fail(fault.Invalid("is empty: people are written as a list, [{...}, {...}]"))
		return
	case err != nil:
		fail(err)
		return
	case t != json.Delim('['):
		fail(fault.Invalid("people are written as a list, [{...}, {...}]; name a file of objects without a list .jsonl"))
		return
	}
	for j.dec.More() {
		n, err := j.row(2)
		if errors.Is(err, io.EOF) {
			err = errCutOff
		}
		if err != nil {
			fail(err)
			return
		}
		if !yield(n, nil) {
			return
		}
	}
	err := j.end()
	if err == nil {
		err = j.finish()
	}
	if err != nil {
		fail(err)
	}
}

// jsonlRows reads JSON values up to the end of the file.
func jsonlRows(name string, src *source, yield func(node, error) bool) {
	j := newJSONReader(src, rowValues, errWideRow)
	for {
		n, err := j.row(1)
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			yield(node{}, &RowError{name, j.line(), err})
			return
		case !yield(n, nil):
			return
		}
	}
}

// row reads one row at a depth; io.EOF at the end of the text outside a list.
func (j *jsonReader) row(depth int) (node, error) {
	j.values = rowValues
	t, err := j.token()
	if err != nil {
		return node{}, err
	}
	n, err := j.value(t, depth)
	j.src.handOut(j.dec.InputOffset())
	return n, err
}
