package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible escapes what is not meant to be seen: control characters, with which a name
// could rewrite what a terminal shows, invisible and direction-changing ones, and
// bytes that are not UTF-8.
func Visible(s string) string {
	if strings.IndexFunc(s, isHidden) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch _, size := utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case isHidden(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isHidden holds for line breaks too: a name must not make a second row.
func isHidden(r rune) bool { return !unicode.IsPrint(r) }

// Encode writes one line of JSON that is safe to print: what Visible escapes is
// escaped here as JSON does it.
func Encode(v any) (string, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("write as JSON: %w", err)
	}
	return EscapeJSON(strings.TrimSuffix(buf.String(), "\n")), nil
}

// EscapeJSON escapes in one line of JSON what Visible escapes in other text.
func EscapeJSON(text string) string {
	if strings.IndexFunc(text, isHidden) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if !isHidden(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// formulaStarts begin what a spreadsheet takes for a formula.
const formulaStarts = "=+-@|%＝＋－＠"

// CellText is a CSV cell that no spreadsheet runs, whoever chose the text: it would take
// a cell that begins so for a formula. Some skip white space first, and take the wide
// forms too.
func CellText(s string) string {
	s = Visible(s)
	if isFormula(s) {
		return "'" + s
	}
	return s
}

// ParseCell takes back the quote that CellText put in front.
func ParseCell(s string) string {
	if rest, quoted := strings.CutPrefix(s, "'"); quoted && isFormula(rest) {
		return rest
	}
	return s
}

func isFormula(s string) bool {
	start := strings.TrimLeft(s, " ")
	if start == "" {
		return false
	}
	first, _ := utf8.DecodeRuneInString(start)
	return strings.ContainsRune(formulaStarts, first)
}
