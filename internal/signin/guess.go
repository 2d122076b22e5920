package signin

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn/frequency"
	"github.com/trustelem/zxcvbn/match"
	"github.com/trustelem/zxcvbn/scoring"
)

// guesses estimates how many guesses a password takes of somebody who tries common words, the words that are given,
// dates, rows of keys, sequences and repetitions first, by the measure of zxcvbn (D. L. Wheeler, USENIX Security 2016).
//
// Lists and arithmetic are those of package zxcvbn. What is found in the password is found here: the package's own
// search builds its tables whenever a program starts, which costs every command of this one more than all else it does
// ([decision 27]). Here they are built for the first password.
//
// [decision 27]: ../../docs/decisions/0027-guessing-when-asked.md
func guesses(password string, words []string) float64 {
	p := newPattern(password, words)
	p.findWords()
	p.findKeys()
	p.findSequences()
	p.findRepeats()
	p.findYears()
	p.findDates()
	return scoring.MostGuessableMatchSequence(p.text, p.found, false).Guesses
}

// pattern is a password in which something guessable is looked for.
type pattern struct {
	runes []rune
	text  string // as runes, with standIn for what is not ASCII: an index is one of both
	own   ranks
	found []*match.Match
}

const standIn = '\x00'

func newPattern(password string, words []string) *pattern {
	p := &pattern{runes: []rune(password), own: ranks{}}
	p.text = strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return standIn
		}
		return r
	}, password)
	p.own.add(words)
	return p
}

// add keeps a match from i to j, both included.
func (p *pattern) add(kind string, i, j int, m match.Match) {
	m.Pattern, m.I, m.J, m.Token = kind, i, j, p.text[i:j+1]
	p.found = append(p.found, &m)
}

// ranks tells how soon a word is tried, from 1.
type ranks map[string]int

func (r ranks) add(words []string) {
	for i, word := range words {
		word = strings.ToLower(word)
		if known, found := r[word]; !found || i+1 < known {
			r[word] = i + 1
		}
	}
}

// longestWord bounds what is looked up, in characters: longer ones are not in the lists, and of the words that are
// given, such as addresses, the parts are given too.
const longestWord = 32

// common ranks the common passwords, names and words, each by the list in which it is tried first.
var common = sync.OnceValue(func() ranks {
	all := make(ranks, 100_000)
	for _, list := range frequency.FrequencyLists {
		all.add(list)
	}
	return all
})

// rank returns 0 for a word that nobody tries.
func (p *pattern) rank(word string) int {
	lists, own := common()[word], p.own[word]
	if lists == 0 || own != 0 && own < lists {
		return own
	}
	return lists
}

// findWords finds words forwards, backwards, and with digits and signs in place of letters.
func (p *pattern) findWords() {
	lower := make([]rune, len(p.runes))
	for i, r := range p.runes {
		lower[i] = unicode.ToLower(r)
	}
	for i := range lower {
		for j := i; j < min(len(lower), i+longestWord); j++ {
			word := string(lower[i : j+1])
			if rank := p.rank(word); rank > 0 {
				p.add("dictionary", i, j, match.Match{MatchedWord: word, Rank: rank})
			}
			if rank := p.rank(reversed(word)); rank > 0 {
				p.add("dictionary", i, j, match.Match{MatchedWord: word, Rank: rank, Reversed: true})
			}
			if i < j {
				p.findDisguised(i, j, lower[i:j+1])
			}
		}
	}
}

func reversed(s string) string {
	runes := []rune(s)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}

// disguises are the letters that digits and signs are put for.
var disguises = map[rune]string{
	'4': "a", '@': "a", '8': "b", '(': "c", '{': "c", '[': "c", '<': "c", '3': "e", '6': "g", '9': "g", '1': "il",
	'!': "i", '|': "il", '7': "lt", '0': "o", '$': "s", '5': "s", '+': "t", '%': "x", '2': "z",
}

// mostDisguises bounds the search: each sign in a word doubles it.
const mostDisguises = 6

// findDisguised finds the words that the characters from i to j become once signs are taken for letters, each for the
// same letter or for itself throughout; where there are many signs, none is taken for itself.
func (p *pattern) findDisguised(i, j int, word []rune) {
	var signs []rune
	for _, r := range word {
		if disguises[r] != "" && !strings.ContainsRune(string(signs), r) {
			signs = append(signs, r)
		}
	}
	if len(signs) > 0 {
		p.unmask(i, j, string(word), signs, nil, len(signs) <= mostDisguises)
	}
}

func (p *pattern) unmask(i, j int, word string, signs []rune, taken map[string]string, all bool) {
	if len(signs) == 0 {
		if rank := p.rank(word); rank > 0 && len(taken) > 0 {
			p.add("dictionary", i, j, match.Match{MatchedWord: word, Rank: rank, L33t: true, Sub: taken})
		}
		return
	}
	if all {
		p.unmask(i, j, word, signs[1:], taken, all)
	}
	sign := string(signs[0])
	for _, letter := range disguises[signs[0]] {
		more := map[string]string{sign: string(letter)}
		for k, v := range taken {
			more[k] = v
		}
		p.unmask(i, j, strings.ReplaceAll(word, sign, string(letter)), signs[1:], more, all)
	}
}
