package report

import (
	"strings"
	"unicode/utf8"
)

// table is what both layouts draw. The first column is aligned to the left, the others to the right, but for those
// marked as words.
type table struct {
	title string
	note  string
	head  []string
	words map[int]bool // columns other than the first that hold words
	rows  [][]string
}

func (t table) left(column int) bool { return column == 0 || t.words[column] }

// text draws the table for a terminal.
func (t table) text() string {
	var b strings.Builder
	b.WriteString("\n" + t.title + "\n")
	if t.note != "" {
		b.WriteString(t.note + "\n")
	}
	widths := t.widths()
	for _, row := range append([][]string{t.head}, t.rows...) {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			line.WriteString("  ")
			if t.left(i) {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

func (t table) widths() []int {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// markdown draws the table for a document.
func (t table) markdown() string {
	var b strings.Builder
	b.WriteString("\n### " + t.title + "\n\n")
	if t.note != "" {
		b.WriteString(t.note + "\n\n")
	}
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "---:"
		if t.left(i) {
			rule[i] = "---"
		}
	}
	for _, row := range append([][]string{t.head, rule}, t.rows...) {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return b.String()
}
