package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
)

const (
	maxHead = 64 << 10 // bytes of status line and header together; also the longest line
	maxBody = 8 << 20  // bytes; a page of 1000 users is some 300 KiB
)

// Answer is what a benchmark needs of an HTTP/1.1 response.
type Answer struct {
	Status int    // 200 to 599
	Body   []byte // decoded; valid until the next answer of the same connection is read
	// Close says that the server ends the connection after this answer.
	Close bool
}

// framing is where a body ends, RFC 9112 section 6.3. length is -1 where no header gave one.
type framing struct {
	length  int
	chunked bool
	close   bool
}

// readAnswer reads one response to a request that was not HEAD. The body is appended to scratch[:0]. A response that
// only the end of the connection would end, an interim response and one beyond the bounds above are errors.
func readAnswer(r *bufio.Reader, scratch []byte) (Answer, error) {
	status, frame, err := readHead(r)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Status: status, Close: frame.close}
	switch {
	case status < 200:
		return Answer{}, fmt.Errorf("interim response %d to a request that asked for none", status)
	case status == 204 || status == 304:
		answer.Body = scratch[:0]
	case frame.chunked:
		answer.Body, err = readChunks(r, scratch[:0])
	case frame.length >= 0:
		answer.Body, err = readLength(r, scratch[:0], frame.length)
	default:
		err = errors.New("response with neither Content-Length nor chunked encoding")
	}
	return answer, err
}

func readHead(r *bufio.Reader) (status int, frame framing, err error) {
	left := maxHead
	line, err := readLine(r, &left)
	if err != nil {
		return 0, frame, fmt.Errorf("read status line: %w", err)
	}
	if status, err = parseStatus(line); err != nil {
		return 0, frame, err
	}
	frame.length = -1
	for {
		if line, err = readLine(r, &left); err != nil {
			return 0, frame, fmt.Errorf("read header: %w", err)
		}
		if len(line) == 0 {
			return status, frame, nil
		}
		if err = frame.note(line); err != nil {
			return 0, frame, err
		}
	}
}

// readLine returns the next line without its end and takes its length from left.
func readLine(r *bufio.Reader, left *int) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if *left -= len(line); *left < 0 {
		return nil, fmt.Errorf("more than %d bytes", maxHead)
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok {
		return nil, errors.New("a line that ends without CR")
	}
	return line, nil
}

func parseStatus(line []byte) (int, error) {
	rest, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(rest) < 3 || (len(rest) > 3 && rest[3] != ' ') {
		return 0, fmt.Errorf("status line %q is not of HTTP/1.1", line)
	}
	status, err := strconv.Atoi(string(rest[:3]))
	if err != nil || status < 100 || status > 599 {
		return 0, fmt.Errorf("status line %q has no valid status", line)
	}
	return status, nil
}

// note reads what one header line says about the framing.
func (f *framing) note(line []byte) error {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return fmt.Errorf("header line %q has no colon", line)
	}
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		n, err := strconv.ParseUint(string(value), 10, 32)
		if err != nil || n > maxBody || (f.length >= 0 && f.length != int(n)) {
			return fmt.Errorf("header Content-Length %q: want one number up to %d", value, maxBody)
		}
		f.length = int(n)
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		if !bytes.EqualFold(value, []byte("chunked")) {
			return fmt.Errorf("unknown Transfer-Encoding %q", value)
		}
		f.chunked = true
	case bytes.EqualFold(name, []byte("Connection")):
		f.close = bytes.EqualFold(value, []byte("close"))
	}
	return nil
}

func readLength(r *bufio.Reader, body []byte, length int) ([]byte, error) {
	if cap(body) < length {
		body = make([]byte, length)
	}
	body = body[:length]
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("read body of %d bytes: %w", length, err)
	}
	return body, nil
}

func readChunks(r *bufio.Reader, body []byte) ([]byte, error) {
	into := bytes.NewBuffer(body)
	n, err := io.Copy(into, io.LimitReader(httputil.NewChunkedReader(r), maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read chunked body: %w", err)
	}
	if n > maxBody {
		return nil, fmt.Errorf("chunked body of more than %d bytes", maxBody)
	}
	// The reader of chunks leaves the trailer section, RFC 9112 section 7.1.2, which ends with an empty line.
	for left := maxHead; ; {
		line, err := readLine(r, &left)
		if err != nil {
			return nil, fmt.Errorf("read trailer: %w", err)
		}
		if len(line) == 0 {
			return into.Bytes(), nil
		}
	}
}
