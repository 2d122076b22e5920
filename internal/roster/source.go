package roster

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// source is a file read from its start to its end by a parser that tells offsets,
// and turns those into lines. It also keeps the parser from reading far ahead of
// what it has handed out, as it would on a row without an end.
type source struct {
	r        io.Reader
	ahead    int64   // how far may be read past what was handed out
	read     int64   // bytes that were read
	out      int64   // bytes that were handed out
	newlines []int64 // offsets of the newlines after the last line that was asked for
	lines    int     // newlines before those
}

// newSource starts at the first byte after a byte order mark, if there is one.
func newSource(r io.Reader, ahead int64) (*source, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	start, err := b.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.Equal(start, []byte("\xef\xbb\xbf")):
		_, err = b.Discard(len(start))
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		err = fault.Invalid("is UTF-16 text: save it as UTF-8")
	default:
		err = nil
	}
	return &source{r: b, ahead: ahead}, err
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	room := s.out + s.ahead - s.read
	if room <= 0 {
		return 0, fault.Invalid("is longer than %d bytes, or a quote or bracket before it is not closed", s.ahead)
	}
	n, err := s.r.Read(p[:min(int64(len(p)), room)])
	for at := 0; at < n; at++ {
		next := bytes.IndexByte(p[at:n], '\n')
		if next < 0 {
			break
		}
		at += next
		s.newlines = append(s.newlines, s.read+int64(at))
	}
	s.read += int64(n)
	return n, err
}

// handOut says that everything before offset was handed out, and returns the line of what is next.
func (s *source) handOut(offset int64) int {
	s.out = offset
	return s.line(offset)
}

// line returns the line, from 1, of the byte at offset. Offsets must not go back.
func (s *source) line(offset int64) int {
	passed := 0
	for passed < len(s.newlines) && s.newlines[passed] < offset {
		passed++
	}
	s.newlines = s.newlines[passed:]
	s.lines += passed
	return s.lines + 1
}
