// Package guess owns the estimate of how many guesses a password withstands from somebody
// who knows common passwords, words and names, keyboards, dates and repetitions, and whom
// the password belongs to. The way of counting is that of zxcvbn (Wheeler, USENIX Security
// 2016), which the tests of tools/guesswords hold it against.
//
// It leaves to signin how many guesses are enough. What must always hold: a program that
// never asks pays nothing, neither time when it starts nor memory: the list of words is
// searched where it lies in the binary. An estimate takes bounded time for any input.
package guess

import (
	"math"
	"unicode"
)

// MaxLength is how many characters of a password are looked at: a password is worth at
// least what its beginning is, and the search grows with the third power.
const MaxLength = 64

// The smallest cost of parts, in bits, as in zxcvbn.
var (
	bitsOfAny  = math.Log2(10) // a character without any rule
	bitsOfPart = math.Log2(50) // any part of two characters or more
)

// bitsOfSplit is what an attacker pays for each further part: to try parts in sequence, all shorter sequences of ten thousand
// guesses a part come first.
const bitsOfSplit = 13.2877123795494 // log2(10000)

// Bits returns the base-2 logarithm of the guesses that a password withstands at least.
// Words are guessed first, in their order, in any case: the person's names, for example.
func Bits(password string, words []string) float64 {
	text := []rune(password)
	if len(text) > MaxLength {
		text = text[:MaxLength]
	}
	return newSearch(text, words).cheapest(0, len(text))
}

// search is the work on one password.
type search struct {
	text, lower []rune
	own         map[string]int // rank of the words that are guessed first
	// part holds what [from][length-1] costs as one part; +Inf = it follows no rule.
	part [][]float64
}

func newSearch(text []rune, words []string) *search {
	s := &search{text: text, lower: make([]rune, len(text)), own: make(map[string]int, len(words)), part: make([][]float64, len(text))}
	for i, r := range text {
		s.lower[i] = unicode.ToLower(r)
	}
	for i, w := range words {
		if _, known := s.own[w]; !known && len(w) >= MinWord {
			s.own[w] = i + 1
		}
	}
	for from := range text {
		s.part[from] = make([]float64, len(text)-from)
	}
	// Repetitions look at shorter parts, so these come first.
	for length := 1; length <= len(text); length++ {
		for from := 0; from+length <= len(text); from++ {
			s.part[from][length-1] = s.price(from, from+length)
		}
	}
	return s
}

// price returns what a stretch costs by the cheapest rule that makes all of it.
func (s *search) price(from, to int) float64 {
	if to-from < MinWord {
		return math.Inf(1)
	}
	bits := min(s.word(from, to), s.sequence(from, to), s.keyboard(from, to), date(s.text[from:to]), s.repetition(from, to))
	return max(bits, bitsOfPart)
}

// cheapest returns what a stretch costs when it is cut in the way that is best for the attacker: the guesses
// of a cut into n parts are n! times the product of theirs, and 10000^(n-1) more.
func (s *search) cheapest(from, to int) float64 {
	length := to - from
	if length == 0 {
		return 0
	}
	// best[n][i] is the least sum of bits by which n parts make the first i characters;
	// any[n][i] the same where the last part follows no rule, and may grow.
	best, loose := table(length), table(length)
	best[0][0] = 0
	result := math.Inf(1)
	for n := 1; n <= length; n++ {
		for i := n; i <= length; i++ {
			loose[n][i] = min(best[n-1][i-1], loose[n][i-1]) + bitsOfAny
			least := loose[n][i]
			for k := n - 1; k < i; k++ {
				least = min(least, best[n-1][k]+s.part[from+k][i-k-1])
			}
			best[n][i] = least
		}
		order, _ := math.Lgamma(float64(n + 1))
		result = min(result, add(best[n][length]+order/math.Ln2, float64(n-1)*bitsOfSplit))
		if float64(n)*bitsOfSplit > result {
			break // more parts cost more than is already enough
		}
	}
	return result
}

func table(length int) [][]float64 {
	rows := make([][]float64, length+1)
	for n := range rows {
		rows[n] = make([]float64, length+1)
		for i := range rows[n] {
			rows[n][i] = math.Inf(1)
		}
	}
	return rows
}

// add returns log2(2^a + 2^b).
func add(a, b float64) float64 {
	if math.IsInf(a, 1) {
		return a
	}
	return max(a, b) + math.Log2(1+math.Exp2(-math.Abs(a-b)))
}
