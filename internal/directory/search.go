package directory

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of what is kept of a person to be found by.
const (
	maxWords = 24 // a person
	maxWord  = 32 // bytes of each
)

// SearchWords returns the words by which a person is found: those of the name and of the
// address, each once, as searches are compared: lower-case and without accents. It is
// what the store keeps in its index.
func SearchWords(u User) []string { return words(u.DisplayName + " " + string(u.Email)) }

// Words returns the words of the query's text in the same form.
func (q PeopleQuery) Words() []string { return words(q.Text) }

func words(text string) []string {
	var list []string
	for word := range strings.FieldsFuncSeq(plainText(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		word = cutWord(word)
		if !slices.Contains(list, word) {
			list = append(list, word)
		}
		if len(list) == maxWords {
			break
		}
	}
	return list
}

// plainText is the text in lower case, its accents taken off.
func plainText(text string) string {
	if isASCII(text) { // as nearly all are, and there are thousands to look at for a page
		return strings.ToLower(text)
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(strings.ToLower(strings.ToValidUTF8(text, " "))))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cutWord cuts between characters.
func cutWord(word string) string {
	if len(word) <= maxWord {
		return word
	}
	return strings.ToValidUTF8(word[:maxWord], "")
}

// Fits returns what tells whether a person is among those wanted; member tells it whether
// they are in q.Group.
func (q PeopleQuery) Fits() func(u User, member bool) bool {
	wanted := q.Words()
	return func(u User, member bool) bool {
		if (q.State != "" && u.State != q.State) || (q.Type != "" && u.Type != q.Type) || (q.Group != "" && !member) {
			return false
		}
		return len(wanted) == 0 || begins(wanted, SearchWords(u))
	}
}

// begins tells whether each wanted word begins one of those there are.
func begins(wanted, have []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool {
		return !slices.ContainsFunc(have, func(h string) bool { return strings.HasPrefix(h, w) })
	})
}
