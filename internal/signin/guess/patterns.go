package guess

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// maxStep is the greatest distance between the characters of a sequence: 2468 is one, ajsb is none.
const maxStep = 5

// sequence prices characters of one distance: abcdef, 7654321, zxvt.
func (s *search) sequence(from, to int) float64 {
	text := s.text[from:to]
	step := text[1] - text[0]
	if step == 0 || step > maxStep || step < -maxStep {
		return math.Inf(1)
	}
	for i := 2; i < len(text); i++ {
		if text[i]-text[i-1] != step {
			return math.Inf(1)
		}
	}
	starts := 26.0
	switch {
	case strings.ContainsRune("aAzZ019", text[0]):
		starts = 4
	case unicode.IsDigit(text[0]):
		starts = 10
	}
	if step < 0 {
		starts *= 2
	}
	return math.Log2(starts * float64(len(text)))
}

// repetition prices a block that is written again and again: what the block costs, times
// how often it stands there.
func (s *search) repetition(from, to int) float64 {
	text := s.text[from:to]
	for size := 1; size <= len(text)/2; size++ {
		if len(text)%size == 0 && slices.Equal(text[size:], text[:len(text)-size]) {
			return s.cheapest(from, from+size) + math.Log2(float64(len(text)/size))
		}
	}
	return math.Inf(1)
}

// rows are the keys of a keyboard without and with shift, each row half a key to the right of the one above.
var rows = [][2]string{
	{"`1234567890-=", "~!@#$%^&*()_+"},
	{" qwertyuiop[]\\", " QWERTYUIOP{}|"},
	{" asdfghjkl;'", " ASDFGHJKL:\""},
	{" zxcvbnm,./", " ZXCVBNM<>?"},
}

// place is where a key is: row, and column within it.
type place struct{ row, column int }

// keyOf returns the key that writes a character.
func keyOf(r rune) (place, bool) {
	for i, row := range rows {
		for _, keys := range row {
			if c := strings.IndexRune(keys, r); c >= 0 && r != ' ' {
				return place{i, c}, true
			}
		}
	}
	return place{}, false
}

// adjacent returns the way from a key to a neighbour as (rows down, columns right).
func adjacent(a, b place) (place, bool) {
	way := place{b.row - a.row, b.column - a.column}
	switch way {
	case place{0, 1}, place{0, -1}, place{1, 0}, place{-1, 0}, place{1, -1}, place{-1, 1}:
		return way, true
	}
	return way, false
}

// The starting keys of a keyboard and the neighbours that a key has on average.
const (
	startingKeys   = 47
	bitsOfNeighbor = 2.2 // log2(4.6)
)

// keyboard prices a walk from key to neighbouring key, by its length, its turns and its
// shifted keys.
func (s *search) keyboard(from, to int) float64 {
	text := s.text[from:to]
	at, ok := keyOf(text[0])
	if !ok {
		return math.Inf(1)
	}
	turns, before := 0, place{9, 9}
	for _, r := range text[1:] {
		next, ok := keyOf(r)
		if !ok {
			return math.Inf(1)
		}
		way, ok := adjacent(at, next)
		if !ok {
			return math.Inf(1)
		}
		if way != before {
			turns++
		}
		at, before = next, way
	}
	// All shorter walks with fewer turns come first: the number of ways to place the turns.
	guesses := 0.0
	for length := 2; length <= len(text); length++ {
		for n := 1; n <= min(turns, length-1); n++ {
			guesses += choose(length-1, n-1) * startingKeys * math.Exp2(float64(n)*bitsOfNeighbor)
		}
	}
	return math.Log2(guesses) + capitals(shiftAsCase(text))
}

// shiftAsCase writes shifted keys as capitals, so that they are counted as these are.
func shiftAsCase(text []rune) []rune {
	out := make([]rune, len(text))
	for i, r := range text {
		out[i] = 'a'
		for _, row := range rows {
			if strings.ContainsRune(row[1], r) {
				out[i] = 'A'
			}
		}
	}
	return out
}
