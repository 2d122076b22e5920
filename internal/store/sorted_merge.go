package store

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
)

// spill is where pieces go: a file, or memory where no file can be made.
type spill interface {
	io.Writer
	io.ReaderAt
}

// wordRun is a sorted piece that is being read.
type wordRun struct {
	r        *bufio.Reader
	head     uint64
	word, id []byte // in the reader's memory, until the next read
	taken    int
	over     bool
}

func (r *wordRun) next() error {
	if _, err := r.r.Discard(r.taken); err != nil {
		return err
	}
	lengths, err := r.r.Peek(2)
	if errors.Is(err, io.EOF) && len(lengths) == 0 {
		r.over = true
		return nil
	}
	if err != nil {
		return err
	}
	word := int(lengths[0])
	r.taken = 2 + word + int(lengths[1])
	entry, err := r.r.Peek(r.taken)
	if err != nil {
		return err
	}
	r.word, r.id = entry[2:2+word], entry[2+word:]
	r.head = headOfWord(r.word)
	return nil
}

func (r *wordRun) before(o *wordRun) bool {
	if r.head != o.head {
		return r.head < o.head
	}
	return cmp.Or(bytes.Compare(r.word, o.word), bytes.Compare(r.id, o.id)) < 0
}

// wordHeap keeps the run first whose next word is.
type wordHeap struct {
	runs []*wordRun
	err  error
}

// advance goes on to the next word.
func (m *wordHeap) advance() {
	if m.err = m.runs[0].next(); m.err != nil {
		return
	}
	if m.runs[0].over {
		last := len(m.runs) - 1
		m.runs[0] = m.runs[last]
		m.runs = m.runs[:last]
	}
	m.down(0)
}

func (m *wordHeap) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(m.runs) {
			return
		}
		if other := child + 1; other < len(m.runs) && m.runs[other].before(m.runs[child]) {
			child = other
		}
		if !m.runs[child].before(m.runs[i]) {
			return
		}
		m.runs[i], m.runs[child] = m.runs[child], m.runs[i]
		i = child
	}
}

// newSpill makes a file that nobody else can open, and that is gone when it is closed or the process ends. Where none can
// be made, words stay in memory.
func newSpill(dirs []string) spill {
	for _, dir := range dirs {
		f, err := os.CreateTemp(dir, "rollcall-")
		if err == nil && os.Remove(f.Name()) == nil {
			return f
		}
	}
	return &memorySpill{}
}

type memorySpill struct{ bytes []byte }

// Write implements io.Writer.
func (m *memorySpill) Write(p []byte) (int, error) {
	m.bytes = append(m.bytes, p...)
	return len(p), nil
}

// ReadAt implements io.ReaderAt.
func (m *memorySpill) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(m.bytes).ReadAt(p, at)
}
