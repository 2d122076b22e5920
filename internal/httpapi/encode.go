package httpapi

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/rollcall-id/rollcall/api"
)

// encode returns a value as JSON. People are what nearly every answer is made of, and
// a page of them took encoding/json as long as the whole of net/http takes: they are
// written by hand here, to the byte as encoding/json would (TestEncodeAsJSON).
func encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case api.User:
		return appendUser(make([]byte, 0, userSize), &v), nil
	case api.ListUsersResponse:
		return appendPage(&v), nil
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

func appendPage(p *api.ListUsersResponse) []byte {
	b := make([]byte, 0, (len(p.Results)+1)*userSize)
	b = append(b, `{"results":[`...)
	for i := range p.Results {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendUser(b, &p.Results[i])
	}
	b = append(b, ']')
	if p.NextPageToken != "" {
		b = appendText(append(b, `,"next_page_token":`...), p.NextPageToken)
	}
	return append(b, '}')
}

func appendUser(b []byte, u *api.User) []byte {
	b = appendText(append(b, `{"id":`...), u.ID)
	b = appendText(append(b, `,"email":`...), u.Email)
	b = appendText(append(b, `,"display_name":`...), u.DisplayName)
	b = appendText(append(b, `,"state":`...), string(u.State))
	b = append(b, `,"create_time":"`...)
	b = u.CreateTime.UTC().AppendFormat(b, time.RFC3339Nano)
	b = appendText(append(b, `","path":`...), u.Path)
	return append(b, '}')
}

// appendText writes a JSON string; one that holds anything that may have to be escaped
// is left to encoding/json.
func appendText(b []byte, s string) []byte {
	begin := len(b)
	b = append(append(append(b, '"'), s...), '"')
	if !isPlain(b[begin+1 : len(b)-1]) {
		escaped, _ := encodeJSON(s) // a string always encodes
		return append(b[:begin], escaped...)
	}
	return b
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
