package guess

import (
	_ "embed"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"unicode"
)

//go:generate go run -C ../../../tools/guesswords . ../../internal/signin/guess/words.bin

// list holds common passwords, words and names, sorted: of each the first 36 bits of its hash and, in 4 bits, the
// logarithm of its rank among those of its kind. One lookup in some hundred thousand takes
// a stranger for a word.
//
//go:embed words.bin
var list string

const (
	// recordSize is how many bytes of the list a word takes.
	recordSize = 5
	// MinWord is the length, in characters, of the shortest words that are looked up: others are not worth a rule.
	MinWord = 3
	// MaxWord is that of the longest.
	MaxWord = 32
)

// Record returns a word's entry in the list. Words are in lower case; rank counts from 1.
func Record(word string, rank int) [recordSize]byte {
	h := fnv.New64a()
	_, _ = h.Write([]byte(word)) // never fails
	sum := h.Sum64()
	var r [recordSize]byte
	for i := range recordSize {
		r[i] = byte(sum >> (56 - 8*i))
	}
	r[recordSize-1] &= 0xf0
	r[recordSize-1] |= byte(min(15, int(math.Log2(float64(rank)))))
	return r
}

// rank returns the logarithm of a word's rank in the list.
func rank(word string) (float64, bool) {
	want := Record(word, 1)
	key := string(want[:])
	low, high := 0, len(list)/recordSize
	for low < high {
		middle := (low + high) / 2
		if list[middle*recordSize:(middle+1)*recordSize] < key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == len(list)/recordSize {
		return 0, false
	}
	found := list[low*recordSize : (low+1)*recordSize]
	if found[:recordSize-1] != key[:recordSize-1] || found[recordSize-1]&0xf0 != key[recordSize-1]&0xf0 {
		return 0, false
	}
	return float64(found[recordSize-1] & 0x0f), true
}

// swaps are the two readings of signs that stand for letters: two signs have two.
var swaps = [2]*strings.Replacer{
	strings.NewReplacer("4", "a", "@", "a", "8", "b", "(", "c", "{", "c", "[", "c", "<", "c", "3", "e", "6", "g", "9", "g",
		"1", "i", "!", "i", "|", "i", "0", "o", "$", "s", "5", "s", "+", "t", "7", "t", "%", "x", "2", "z"),
	strings.NewReplacer("4", "a", "@", "a", "8", "b", "(", "c", "{", "c", "[", "c", "<", "c", "3", "e", "6", "g", "9", "g",
		"1", "l", "!", "l", "|", "l", "0", "o", "$", "s", "5", "s", "+", "t", "7", "l", "%", "x", "2", "z"),
}

// word prices a stretch that is a word: as it is, backwards, or with signs for letters.
func (s *search) word(from, to int) float64 {
	if to-from > MaxWord {
		return math.Inf(1)
	}
	plain := string(s.lower[from:to])
	backwards := slices.Clone(s.lower[from:to])
	slices.Reverse(backwards)
	bits := min(s.known(plain), s.known(string(backwards))+1)
	for _, reading := range swaps {
		if read := reading.Replace(plain); read != plain {
			bits = min(bits, s.known(read)+1)
		}
	}
	return bits + capitals(s.text[from:to])
}

// known returns the bits of a word's rank, +Inf for a stranger.
func (s *search) known(word string) float64 {
	if n, ok := s.own[word]; ok {
		return math.Log2(float64(n))
	}
	if bits, ok := rank(word); ok {
		return bits
	}
	return math.Inf(1)
}

// capitals returns what it costs to guess which letters are capital: nothing for none, a
// bit for the first, the last or all of them, else the ways to choose them.
func capitals(part []rune) float64 {
	upper, lower := 0, 0
	for _, r := range part {
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			lower++
		}
	}
	switch {
	case upper == 0:
		return 0
	case lower == 0, upper == 1 && (unicode.IsUpper(part[0]) || unicode.IsUpper(part[len(part)-1])):
		return 1
	}
	ways := 0.0
	for k := 1; k <= min(upper, lower); k++ {
		ways += choose(upper+lower, k)
	}
	return math.Log2(ways)
}

func choose(n, k int) float64 {
	c := 1.0
	for i := 1; i <= k; i++ {
		c *= float64(n-k+i) / float64(i)
	}
	return c
}
