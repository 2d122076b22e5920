package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/colorprofile"
)

// Printer prints results to one stream and remarks about them to another, so that
// results can be piped. What it is given may come from anywhere: control characters
// are escaped before they reach a terminal.
type Printer struct {
	results io.Writer
	remarks io.Writer
	json    bool
	pretty  bool // results go to a terminal
	width   int  // of the terminal, in columns; 0 = not known
}

// NewPrinter prints results to stdout, as JSON if asked for, and remarks to stderr.
func NewPrinter(stdout, stderr io.Writer, asJSON bool) *Printer {
	p := &Printer{results: stdout, remarks: stderr, json: asJSON, pretty: IsTerminal(stdout)}
	if p.pretty {
		p.results = colorprofile.NewWriter(stdout, os.Environ()) // knows NO_COLOR and TERM
		p.width = widthOf(stdout)
	}
	return p
}

// Remark tells something that is not a result.
func (p *Printer) Remark(format string, args ...any) {
	fmt.Fprintln(p.remarks, Visible(fmt.Sprintf(format, args...)))
}

// One prints a single result: a JSON object, or lines for people.
func (p *Printer) One(v any, lines ...string) error {
	if p.json {
		text, err := Encode(v)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.results, "%s\n", text)
		return err
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(p.results, Visible(line)); err != nil {
			return err
		}
	}
	return nil
}

// chunk is how many rows of a list are in memory at once.
const chunk = 1000

// List prints rows as they come: a JSON array, or a table under headings. Its widths
// are those of the first chunk.
type List[T any] struct {
	*Printer
	headings []string
	cells    func(T) []string
	waiting  [][]string
	widths   []int
	narrow   bool // the table does not fit
	blocks   bool // nor do its rows
	count    int
}

// NewList begins a list; cells gives the texts of a row.
func NewList[T any](p *Printer, headings []string, cells func(T) []string) *List[T] {
	return &List[T]{Printer: p, headings: headings, cells: cells}
}

// Add prints a row, now or together with others.
func (l *List[T]) Add(v T) error {
	l.count++
	if l.json {
		return l.addJSON(v)
	}
	row := l.cells(v)
	for i, cell := range row {
		if row[i] = Visible(cell); cell == "" {
			row[i] = "-"
		}
	}
	if l.waiting = append(l.waiting, row); len(l.waiting) == chunk {
		return l.flush()
	}
	return nil
}

func (l *List[T]) addJSON(v T) error {
	text, err := Encode(v)
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

// End prints what is left; nothing says that there is nothing.
func (l *List[T]) End(nothing string) error {
	switch {
	case l.json && l.count == 0:
		_, err := fmt.Fprintln(l.results, "[]")
		return err
	case l.json:
		_, err := fmt.Fprintln(l.results, "\n]")
		return err
	case l.count == 0:
		l.Remark("%s", nothing)
		return nil
	}
	return l.flush()
}

func (l *List[T]) flush() error {
	rows := l.waiting
	l.waiting = nil
	if len(rows) == 0 {
		return nil
	}
	if l.pretty && !l.narrow {
		drawn := prettyTable(l.headings, rows)
		if l.width == 0 || lipgloss.Width(drawn) <= l.width {
			_, err := fmt.Fprintln(l.results, drawn)
			return err
		}
		l.narrow = true
	}
	if l.narrow {
		return l.flushNarrow(rows)
	}
	return l.flushPlain(rows)
}

// flushNarrow prints for a terminal that a table does not fit on: without lines if
// that is enough, else a block a row. A row that is broken anywhere could not be copied.
func (l *List[T]) flushNarrow(rows [][]string) error {
	heads := append([][]string{l.headings}, rows...)
	fits := l.widths != nil || sum(widths(heads))+2*(len(l.headings)-1) <= l.width
	if fits && !l.blocks {
		return l.flushPlain(rows)
	}
	l.blocks = true
	name := 0
	for _, heading := range l.headings {
		name = max(name, lipgloss.Width(heading))
	}
	var text strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			writeRow(&text, []int{name, 0}, []string{l.headings[i], cell})
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(l.results, text.String())
	return err
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}

func (l *List[T]) flushPlain(rows [][]string) error {
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

// Count is how many rows were added.
func (l *List[T]) Count() int { return l.count }
