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
	"slices"

	"github.com/rollcall-id/rollcall/internal/directory"
)

// wordsInMemory is how many bytes of words and ids are kept in memory before they are sorted and written to a file. An
// entry in a list beside takes another 16 bytes for some 30 of them.
const wordsInMemory = 12 << 20

// sortedWords gathers the words of very many people and gives them back in the order of their table's key, in which a tree is
// written from left to right, each page once. What does not fit into memory is sorted in pieces, in a file
// without a name, and merged.
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

func newSortedWords() *sortedWords { return &sortedWords{most: wordsInMemory, dirs: tempDirs()} }

// add takes the words of somebody.
func (s *sortedWords) add(u directory.User) error {
	for _, word := range directory.SearchWords(u) {
		if len(word) > 255 || len(u.ID) > 255 {
			return fmt.Errorf("a word of %d bytes, an id of %d", len(word), len(u.ID))
		}
		at := len(s.text)
		s.text = append(append(s.text, word...), u.ID...)
		s.list = append(s.list, wordEntry{headOfWord(s.text[at : at+len(word)]), uint32(at), uint8(len(word)), uint8(len(u.ID))}) // bounded above
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
