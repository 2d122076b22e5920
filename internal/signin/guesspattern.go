package signin

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/trustelem/zxcvbn/adjacency"
	"github.com/trustelem/zxcvbn/match"
	"github.com/trustelem/zxcvbn/scoring"
)

// keyboards are those whose rows are looked for.
var keyboards = []string{"qwerty", "dvorak", "keypad", "mac_keypad"}

// shiftedKeys are typed with the shift key.
const shiftedKeys = `~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?`

// findKeys finds three and more keys of which each is next to the one before.
func (p *pattern) findKeys() {
	for _, name := range keyboards {
		for i := 0; i < len(p.text)-1; {
			row := rowFrom(name, p.text[i:])
			if row.length > 2 {
				p.add("spatial", i, i+row.length-1, match.Match{Graph: name, Turns: row.turns, ShiftedCount: row.shifted})
			}
			i += row.length
		}
	}
}

// row is how many neighbouring keys there are, how often their direction changes, its beginning counted, and how many
// take the shift key.
type row struct{ length, turns, shifted int }

// rowFrom returns the row of keys with which text begins.
func rowFrom(keyboard, text string) row {
	r, direction := row{length: 1}, -1
	if !strings.HasSuffix(keyboard, "keypad") && strings.IndexByte(shiftedKeys, text[0]) >= 0 {
		r.shifted = 1
	}
	for ; r.length < len(text); r.length++ {
		next, shift := neighbour(adjacency.Graphs[keyboard].Graph[text[r.length-1:r.length]], text[r.length:r.length+1])
		if next < 0 {
			break
		}
		if next != direction {
			r.turns, direction = r.turns+1, next
		}
		if shift {
			r.shifted++
		}
	}
	return r
}

// neighbour tells in which direction a character lies, -1 for none, and whether it takes the shift key.
func neighbour(around []string, char string) (direction int, shift bool) {
	for direction, key := range around {
		if at := strings.Index(key, char); at >= 0 {
			return direction, at == 1
		}
	}
	return -1, false
}

// longestStep is how far apart the characters of a sequence may be.
const longestStep = 5

// findSequences finds characters at the same distance, such as abc and 9753.
func (p *pattern) findSequences() {
	start, step := 0, 0
	for k := 1; k <= len(p.runes); k++ {
		next := 0
		if k < len(p.runes) {
			next = int(p.runes[k]) - int(p.runes[k-1])
			if k == 1 || next == step {
				step = next
				continue
			}
		}
		size := max(step, -step)
		if end := k - 1; size > 0 && size <= longestStep && (end-start > 1 || size == 1) {
			p.add("sequence", start, end, match.Match{Ascending: step > 0})
		}
		start, step = k-1, next
	}
}

// findRepeats finds what stands there twice and more in a row, which is worth little more than once.
func (p *pattern) findRepeats() {
	for i := 0; i < len(p.runes); {
		unit, length := repeatAt(p.runes[i:])
		if length == 0 {
			i++
			continue
		}
		j := i + length - 1
		p.add("repeat", i, j, match.Match{
			BaseToken: p.text[i : i+unit], BaseGuesses: guesses(string(p.runes[i:i+unit]), nil), RepeatCount: length / unit,
		})
		i = j + 1
	}
}

// repeatAt returns the longest repetition that s begins with, by its shortest unit; 0, 0 for none.
func repeatAt(s []rune) (unit, length int) {
	for n := 1; n <= len(s)/2; n++ {
		end := n
		for end < len(s) && s[end] == s[end-n] {
			end++
		}
		if whole := end / n * n; whole >= 2*n && whole > length {
			unit, length = n, whole
		}
	}
	return unit, length
}

var recentYear = regexp.MustCompile(`19\d\d|20[0-2]\d`)

func (p *pattern) findYears() {
	for _, at := range recentYear.FindAllStringIndex(p.text, -1) {
		p.add("regex", at[0], at[1]-1, match.Match{RegexName: "recent_year"})
	}
}

// A date is two or three numbers of day and month and a year, which is first or last.
var (
	dateParts  = regexp.MustCompile(`^(\d{1,4})([\s/\\_.-])(\d{1,2})([\s/\\_.-])(\d{1,4})$`)
	dateDigits = regexp.MustCompile(`^\d{4,8}$`)
)

// longestDate is that of 31/12/1999, shortestDate that of 1199.
const longestDate, shortestDate = 10, 4

func (p *pattern) findDates() {
	for i := range len(p.text) {
		for j := i + shortestDate - 1; j < min(len(p.text), i+longestDate); j++ {
			if year, separator := dateOf(p.text[i : j+1]); year > 0 {
				p.add("date", i, j, match.Match{Year: year, Separator: separator})
			}
		}
	}
}

// dateOf returns the year of a date, of several the one that is tried first, and what separates its parts.
func dateOf(token string) (year int, separator string) {
	if parts := dateParts.FindStringSubmatch(token); parts != nil && parts[2] == parts[4] {
		return yearOf(parts[1], parts[3], parts[5]), parts[2]
	}
	if !dateDigits.MatchString(token) {
		return 0, ""
	}
	for k := 1; k <= 4; k++ {
		for l := k + 1; l <= k+2 && l < len(token); l++ {
			if len(token)-l > 4 {
				continue
			}
			if found := yearOf(token[:k], token[k:l], token[l:]); found > 0 && (year == 0 || fromNow(found) < fromNow(year)) {
				year = found
			}
		}
	}
	return year, ""
}

func fromNow(year int) int { return max(year-scoring.ReferenceYear, scoring.ReferenceYear-year) }

// yearOf returns the year of three numbers that are a date, else 0. The year is last if it can be.
func yearOf(first, middle, last string) int {
	a, b, c := numeral(first), numeral(middle), numeral(last)
	for _, try := range [][3]int{{c, a, b}, {a, b, c}} {
		year, x, y := fullYear(try[0]), try[1], try[2]
		if year > 0 && b > 0 && (isDay(x) && isMonth(y) || isMonth(x) && isDay(y)) {
			return year
		}
	}
	return 0
}

func numeral(digits string) int {
	n, _ := strconv.Atoi(digits) // of four digits at most
	return n
}

// fullYear gives years of two digits their century, and 0 for what is no year.
func fullYear(n int) int {
	switch {
	case n >= 1000 && n <= 2050:
		return n
	case n > 99:
		return 0
	case n > 50:
		return 1900 + n
	}
	return 2000 + n
}

func isDay(n int) bool { return n <= 31 }

func isMonth(n int) bool { return n <= 12 }
