package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/colorprofile"
)

// printer prints results to one stream and remarks about them to another, so that
// results can be piped. What it is given may come from anywhere: control characters
// are escaped before they reach a terminal.
type printer struct {
	results io.Writer
	remarks io.Writer
	json    bool
	pretty  bool // results go to a terminal
}

func newPrinter(stdout, stderr io.Writer, asJSON bool) *printer {
	p := &printer{results: stdout, remarks: stderr, json: asJSON, pretty: isTerminal(stdout)}
	if p.pretty {
		p.results = colorprofile.NewWriter(stdout, os.Environ()) // knows NO_COLOR and TERM
	}
	return p
}

// remark tells something that is not a result.
func (p *printer) remark(format string, args ...any) {
	fmt.Fprintln(p.remarks, visible(fmt.Sprintf(format, args...)))
}

// one prints a single result: a JSON object, or lines for people.
func (p *printer) one(v any, lines ...string) error {
	if p.json {
		text, err := encode(v)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.results, "%s\n", text)
		return err
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(p.results, visible(line)); err != nil {
			return err
		}
	}
	return nil
}

// chunk is how many rows of a list are in memory at once.
const chunk = 1000

// list prints rows as they come: a JSON array, or a table under headings. Its widths
// are those of the first chunk.
type list[T any] struct {
	*printer
	headings []string
	cells    func(T) []string
	waiting  [][]string
	widths   []int
	count    int
}

func newList[T any](p *printer, headings []string, cells func(T) []string) *list[T] {
	return &list[T]{printer: p, headings: headings, cells: cells}
}

func (l *list[T]) add(v T) error {
	l.count++
	if l.json {
		return l.addJSON(v)
	}
	row := l.cells(v)
	for i, cell := range row {
		if row[i] = visible(cell); cell == "" {
			row[i] = "-"
		}
	}
	if l.waiting = append(l.waiting, row); len(l.waiting) == chunk {
		return l.flush()
	}
	return nil
}

func (l *list[T]) addJSON(v T) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	before := ",\n "
	if l.count == 1 {
		before = "[\n "
	}
	_, err = fmt.Fprintf(l.results, "%s%s", before, text)
	return err
}

// end prints what is left; nothing says that there is nothing.
func (l *list[T]) end(nothing string) error {
	switch {
	case l.json && l.count == 0:
		_, err := fmt.Fprintln(l.results, "[]")
		return err
	case l.json:
		_, err := fmt.Fprintln(l.results, "\n]")
		return err
	case l.count == 0:
		l.remark("%s", nothing)
		return nil
	}
	return l.flush()
}

func (l *list[T]) flush() error {
	rows := l.waiting
	l.waiting = nil
	if len(rows) == 0 {
		return nil
	}
	if l.pretty {
		_, err := fmt.Fprintln(l.results, prettyTable(l.headings, rows))
		return err
	}
	if l.widths == nil {
		heads := make([]string, len(l.headings))
		for i, h := range l.headings {
			heads[i] = strings.ToUpper(h)
		}
		rows = append([][]string{heads}, rows...)
		l.widths = widths(rows)
	}
	var text strings.Builder
	for _, row := range rows {
		writeRow(&text, l.widths, row)
	}
	_, err := io.WriteString(l.results, text.String())
	return err
}

// widths returns the width of each column.
func widths(rows [][]string) []int {
	w := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			w[i] = max(w[i], lipgloss.Width(cell))
		}
	}
	return w
}

// writeRow aligns all cells but the last.
func writeRow(b *strings.Builder, widths []int, row []string) {
	for i, cell := range row {
		b.WriteString(cell)
		if i == len(row)-1 {
			b.WriteByte('\n')
			return
		}
		b.WriteString(strings.Repeat(" ", max(widths[i]-lipgloss.Width(cell), 0)+2))
	}
}

var (
	headStyle = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Cyan).Padding(0, 1)
	cellStyle = lipgloss.NewStyle().Padding(0, 1)
	lineStyle = lipgloss.NewStyle().Foreground(lipgloss.BrightBlack)
)

func prettyTable(headings []string, rows [][]string) string {
	return table.New().Headers(headings...).Rows(rows...).
		Border(lipgloss.RoundedBorder()).BorderStyle(lineStyle).
		StyleFunc(func(row, _ int) lipgloss.Style {
			if row == table.HeaderRow {
				return headStyle
			}
			return cellStyle
		}).String()
}

// visible escapes what is not meant to be seen: control characters, with which a name
// could rewrite what a terminal shows, invisible and direction-changing ones, and
// bytes that are not UTF-8.
func visible(s string) string {
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

// encode writes one line of JSON that is safe to print: what visible escapes is
// escaped here as JSON does it.
func encode(v any) (string, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("write as JSON: %w", err)
	}
	text := strings.TrimSuffix(buf.String(), "\n")
	if strings.IndexFunc(text, isHidden) < 0 {
		return text, nil
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
	return b.String(), nil
}
