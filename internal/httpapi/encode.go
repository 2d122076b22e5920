package httpapi

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// people is a page of them, and what the next page is asked for with; empty = none follows.
type people struct {
	users []directory.User
	next  string
}

// encode returns a value as JSON, written into space where that is large enough. People are what
// nearly every answer is made of, and a page of them took encoding/json as long as the whole of
// net/http takes: they are written by hand here, to the byte as encoding/json would write what
// package api says of them (TestEncodeAsJSON).
func encode(space []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case directory.User:
		return appendUser(slices.Grow(space[:0], userSize), &v), nil
	case people:
		return appendPeople(slices.Grow(space[:0], (len(v.users)+1)*userSize), &v), nil
	}
	return encodeJSON(v)
}

// userSize is about what a person takes, in bytes.
const userSize = 320

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func appendPeople(b []byte, p *people) []byte {
	b = append(b, `{"results":[`...)
	for i := range p.users {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendUser(b, &p.users[i])
	}
	b = append(b, ']')
	if p.next != "" {
		b = appendText(append(b, `,"next_page_token":`...), p.next)
	}
	return append(b, '}')
}

func appendUser(b []byte, u *directory.User) []byte {
	b = appendText(append(b, `{"id":`...), u.ID)
	b = appendText(append(b, `,"email":`...), u.Email)
	b = appendText(append(b, `,"display_name":`...), u.DisplayName)
	b = appendText(append(b, `,"state":`...), u.State)
	b = append(b, `,"create_time":"`...)
	b = u.CreateTime.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","path":`...)
	begin := len(b)
	b = append(ident.AppendUserPath(append(b, '"'), u.Account, u.ID), '"')
	return append(escaped(b, begin), '}')
}

// appendText writes a JSON string.
func appendText[T ~string](b []byte, s T) []byte {
	begin := len(b)
	return escaped(append(append(append(b, '"'), s...), '"'), begin)
}

// escaped is b, which ends with a text in quotation marks that begins at that place, as a JSON
// string; one that holds anything that may have to be escaped is left to encoding/json.
func escaped(b []byte, begin int) []byte {
	text := b[begin+1 : len(b)-1]
	if isPlain(text) {
		return b
	}
	json, _ := encodeJSON(string(text)) // a string always encodes
	return append(b[:begin], json...)
}

// isPlain tells whether every byte stands for itself in a JSON string (RFC 8259 section
// 7), eight of them at a time: a page of people is six thousand.
func isPlain(s []byte) bool {
	for len(s) >= 8 {
		if special(binary.LittleEndian.Uint64(s)) != 0 {
			return false
		}
		s = s[8:]
	}
	last := uint64(paddedWith)
	for _, c := range s {
		last = last<<8 | uint64(c)
	}
	return special(last) == 0
}

const (
	ones       = 0x0101010101010101
	tops       = ones << 7
	paddedWith = ones * ' '
)

// special has the top bit of each byte set that is a control character, a quotation
// mark, a backslash or beyond ASCII; a byte behind such a one may be marked with it.
func special(w uint64) uint64 {
	quote, backslash := w^(ones*'"'), w^(ones*'\\')
	return (w | (w - ones*' ') | (quote - ones) | (backslash - ones)) & tops
}
