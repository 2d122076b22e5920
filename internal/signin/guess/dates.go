package guess

import (
	"math"
	"slices"
	"strings"
)

const (
	// nearYear is the year from which an attacker begins: years are guessed by their distance
	// from it, at least by twenty. That it ages does little harm.
	nearYear  = 2026
	leastYear = 20
	firstYear = 1000
	lastYear  = 2100
)

var separators = " -/\\_."

// date prices a year, or a day, month and year in any order, with a separator or without.
func date(text []rune) float64 {
	parts, separated := numbers(text)
	if parts == nil {
		return math.Inf(1)
	}
	bits := math.Inf(1)
	if !separated {
		digits := parts[0]
		if len(digits) == 4 && digits >= "1900" && digits < "2100" {
			bits = math.Log2(years(number(digits)))
		}
		for _, cut := range cuts[len(digits)] {
			bits = min(bits, day(digits[:cut[0]], digits[cut[0]:cut[1]], digits[cut[1]:]))
		}
		return bits
	}
	return day(parts[0], parts[1], parts[2]) + 2 // which separator
}

// cuts are the ways to read digits as three numbers, by how many there are.
var cuts = map[int][][2]int{
	4: {{1, 2}, {2, 3}},
	5: {{1, 3}, {2, 3}},
	6: {{1, 2}, {2, 4}, {4, 5}},
	7: {{1, 3}, {2, 3}, {4, 5}, {4, 6}},
	8: {{2, 4}, {4, 6}},
}

// numbers cuts text into its digits: one run, or three with two separators that are alike.
// It returns nil for anything else.
func numbers(text []rune) (parts []string, separated bool) {
	if len(text) < 4 || len(text) > 10 {
		return nil, false
	}
	word := string(text)
	if at := strings.IndexAny(word, separators); at >= 0 {
		parts, separated = strings.Split(word, word[at:at+1]), true
		if len(parts) != 3 {
			return nil, false
		}
	} else {
		parts = []string{word}
	}
	for _, p := range parts {
		if p == "" || strings.Trim(p, "0123456789") != "" {
			return nil, false
		}
	}
	return parts, separated
}

// day prices three numbers as a date, with the year first or last.
func day(a, b, c string) float64 {
	if bits := yearAndDay(c, number(a), number(b)); !math.IsInf(bits, 1) {
		return bits
	}
	return yearAndDay(a, number(b), number(c))
}

func yearAndDay(year string, a, b int) float64 {
	isDay := func(d, m int) bool { return d >= 1 && d <= 31 && m >= 1 && m <= 12 }
	y := number(year)
	if len(year) <= 2 {
		y = nearYear - mod(nearYear-y, 100)
	}
	if !slices.Contains([]int{1, 2, 4}, len(year)) || y < firstYear || y > lastYear || !isDay(a, b) && !isDay(b, a) {
		return math.Inf(1)
	}
	return math.Log2(365 * years(y))
}

// years is how many years are guessed before this one.
func years(y int) float64 { return float64(max(leastYear, y-nearYear, nearYear-y)) }

func mod(a, b int) int { return ((a % b) + b) % b }

// number reads digits, of which there are ten at most.
func number(digits string) int {
	n := 0
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}
