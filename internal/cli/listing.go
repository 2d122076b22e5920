package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// sheet is how things of a kind are printed. Columns are named as the fields of their
// JSON form.
type sheet[T any] struct {
	all, table []string
	// value is a column as JSON has it; nil where there is none.
	value func(T, string) any
}

// text is a column for a table.
func (s *sheet[T]) text(of T, column string) string {
	switch v := s.value(of, column).(type) {
	case string:
		return v
	case client.Timestamp:
		return moment(v)
	case *client.Timestamp:
		if v == nil {
			return ""
		}
		return moment(*v)
	case []client.Permission:
		names := make([]string, len(v))
		for i, p := range v {
			names[i] = string(p)
		}
		return strings.Join(names, ",")
	case []client.ApplicationSecret:
		return strconv.Itoa(len(v))
	}
	return ""
}

// moment is a time as the wire has it.
func moment(t client.Timestamp) string {
	text, err := t.MarshalText()
	if err != nil { // a year beyond 9999
		return t.String()
	}
	return string(text)
}

func (s *sheet[T]) texts(of T, columns []string) []string {
	row := make([]string, len(columns))
	for i, column := range columns {
		row[i] = s.text(of, column)
	}
	return row
}

// lines show one thing, a column a line.
func (s *sheet[T]) lines(of T) []string {
	width := 0
	for _, column := range s.all {
		width = max(width, len(column))
	}
	lines := make([]string, len(s.all))
	for i, column := range s.all {
		lines[i] = strings.TrimRight(fmt.Sprintf("%-*s  %s", width, column, s.text(of, column)), " ")
	}
	return lines
}

// listing prints things as they come.
type listing[T any] interface {
	Add(T) error
	// End prints what is left; nothing says that there is none.
	End(nothing string) error
}

// Formats of a list.
const (
	asTable = "table"
	asJSON  = "json"
	asLines = "jsonl"
	asCSV   = "csv"
)

func newListing[T any](e *Env, s *sheet[T], format string, columns []string) listing[T] {
	switch format {
	case asLines:
		return &jsonLines[T]{out: e.Stdout, sheet: s, columns: columns}
	case asCSV:
		if columns == nil {
			columns = s.all
		}
		return &csvRows[T]{out: csv.NewWriter(e.Stdout), sheet: s, columns: columns}
	case asJSON:
		return &jsonArray[T]{sheet: s, columns: columns, list: terminal.NewList[any](terminal.NewPrinter(e.Stdout, e.Stderr, true), nil, nil)}
	}
	if columns == nil {
		columns = s.table
	}
	return terminal.NewList(terminal.NewPrinter(e.Stdout, e.Stderr, false), columns, func(of T) []string { return s.texts(of, columns) })
}

// chosen is a thing with some of its fields, in the order asked for.
type chosen[T any] struct {
	of      T
	sheet   *sheet[T]
	columns []string
}

// MarshalJSON implements [json.Marshaler].
func (c chosen[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, column := range c.columns {
		value, err := json.Marshal(c.sheet.value(c.of, column))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%c%q:%s", "{,"[min(i, 1)], column, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// fields is the thing, or the fields of it that were asked for.
func (s *sheet[T]) fields(of T, columns []string) any {
	if columns == nil {
		return of
	}
	return chosen[T]{of, s, columns}
}

type jsonArray[T any] struct {
	sheet   *sheet[T]
	columns []string
	list    *terminal.List[any]
}

func (j *jsonArray[T]) Add(of T) error { return j.list.Add(j.sheet.fields(of, j.columns)) }

func (j *jsonArray[T]) End(nothing string) error { return j.list.End(nothing) }

type jsonLines[T any] struct {
	out     io.Writer
	sheet   *sheet[T]
	columns []string
}

func (j *jsonLines[T]) Add(of T) error {
	text, err := terminal.Encode(j.sheet.fields(of, j.columns))
	if err != nil {
		return err
	}
	_, err = io.WriteString(j.out, text+"\n")
	return err
}

func (*jsonLines[T]) End(string) error { return nil }

// csvRows writes a heading even where nothing is under it.
type csvRows[T any] struct {
	out     *csv.Writer
	sheet   *sheet[T]
	columns []string
	begun   bool
}

func (c *csvRows[T]) begin() error {
	if c.begun {
		return nil
	}
	c.begun = true
	return c.out.Write(c.columns)
}

func (c *csvRows[T]) Add(of T) error {
	row := c.sheet.texts(of, c.columns)
	for i, text := range row {
		row[i] = terminal.CellText(text)
	}
	return errors.Join(c.begin(), c.out.Write(row))
}

func (c *csvRows[T]) End(string) error {
	err := c.begin()
	c.out.Flush()
	return errors.Join(err, c.out.Error())
}
