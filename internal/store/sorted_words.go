package store

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/rollcall-id/rollcall/internal/directory"
)

// wordsInMemory is how many bytes of words and ids are kept in memory before they are sorted and written to a file. An
// entry in a list beside takes another 16 bytes for some 30 of them.
const wordsInMemory = 12 << 20

// sortedWords gathers the words of very many people and gives them back in the order of their table's key, in which
// a tree grows at its end, whatever it holds: each page is written once. What does not fit into memory is
// sorted in pieces, in a file without a name, and merged.
//
// It is one goroutine's at a time. The account is the same for all.
type sortedWords struct {
	text  []byte // words, each followed by whose it is
	list  []wordEntry
	most  int      // bytes of text before it is written
	dirs  []string // where the file may be
	spill spill
	runs  []int64 // where each piece ends in the file
}

// wordEntry is a word in text.
type wordEntry struct {
	head     uint64 // the word's first bytes, in the order of numbers
	at       uint32
	word, id uint8 // lengths
}

// spill is where pieces go: a file, or memory where no file can be made.
type spill interface {
	io.Writer
	io.ReaderAt
}

func newSortedWords() *sortedWords { return &sortedWords{most: wordsInMemory, dirs: tempDirs()} }

// add takes the words of somebody.
func (s *sortedWords) add(u directory.User) error {
	for _, word := range directory.SearchWords(u) {
		if len(word) > 255 || len(u.ID) > 255 {
			return fmt.Errorf("a word of %d bytes, an id of %d", len(word), len(u.ID))
		}
		at := len(s.text)
		s.text = append(append(s.text, word...), u.ID...)
		s.list = append(s.list, wordEntry{headOfWord(s.text[at : at+len(word)]), uint32(at), uint8(len(word)), uint8(len(u.ID))}) //nolint:gosec // G115: bounded above
	}
	if len(s.text) < s.most {
		return nil
	}
	return s.write()
}

// headOfWord is the beginning of a word as a number: where those of two words differ, they are in the same order.
func headOfWord(word []byte) uint64 {
	var b [8]byte
	copy(b[:], word)
	return binary.BigEndian.Uint64(b[:])
}

// split returns the word and the id of an entry.
func (s *sortedWords) split(e wordEntry) (word, id []byte) {
	both := s.text[e.at : int(e.at)+int(e.word)+int(e.id)]
	return both[:e.word], both[e.word:]
}

func (s *sortedWords) sort() {
	slices.SortFunc(s.list, func(a, b wordEntry) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		aw, ai := s.split(a)
		bw, bi := s.split(b)
		return cmp.Or(bytes.Compare(aw, bw), bytes.Compare(ai, bi))
	})
}

// write sorts what is in memory and writes it to the file.
func (s *sortedWords) write() error {
	if s.spill == nil {
		s.spill = newSpill(s.dirs)
	}
	s.sort()
	end := int64(0)
	if len(s.runs) > 0 {
		end = s.runs[len(s.runs)-1]
	}
	w := bufio.NewWriterSize(s.spill, 256<<10)
	for _, e := range s.list {
		word, id := s.split(e)
		_ = w.WriteByte(e.word) // a failure stays until Flush
		_ = w.WriteByte(e.id)
		_, _ = w.Write(word)
		_, _ = w.Write(id)
		end += int64(2 + len(word) + len(id))
	}
	s.text, s.list, s.runs = s.text[:0], s.list[:0], append(s.runs, end)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write words beside the database: %w", err)
	}
	return nil
}

// each yields every word and its person's id, in order. The slices are the callee's until the next ones. An error ends it.
func (s *sortedWords) each() iter.Seq2[[2][]byte, error] {
	if len(s.runs) == 0 {
		return s.fromMemory
	}
	return s.merged
}

func (s *sortedWords) fromMemory(yield func([2][]byte, error) bool) {
	s.sort()
	for _, e := range s.list {
		word, id := s.split(e)
		if !yield([2][]byte{word, id}, nil) {
			return
		}
	}
}

func (s *sortedWords) merged(yield func([2][]byte, error) bool) {
	if err := s.write(); err != nil {
		yield([2][]byte{}, err)
		return
	}
	s.text, s.list = nil, nil
	var m wordHeap
	begin := int64(0)
	for _, end := range s.runs {
		r := &wordRun{r: bufio.NewReaderSize(io.NewSectionReader(s.spill, begin, end-begin), 64<<10)}
		begin = end
		if m.err = errors.Join(m.err, r.next()); !r.over {
			m.runs = append(m.runs, r)
		}
	}
	for i := len(m.runs)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	for len(m.runs) > 0 && m.err == nil {
		if !yield([2][]byte{m.runs[0].word, m.runs[0].id}, nil) {
			return
		}
		m.advance()
	}
	if m.err != nil {
		yield([2][]byte{}, fmt.Errorf("read words beside the database: %w", m.err))
	}
}

// close gives the file up.
func (s *sortedWords) close() {
	if c, ok := s.spill.(io.Closer); ok {
		_ = c.Close() // it has no name any more
	}
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
		if err == nil && os.Remove(f.Name()) == nil { //nolint:gosec // G703: what was made just now
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
