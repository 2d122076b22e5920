package roster

import (
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// csvRows reads the rows of a CSV file (RFC 4180) whose first line names the columns.
func csvRows(name string, src *source, yield func(node, error) bool) {
	r := csv.NewReader(src)
	r.ReuseRecord = true
	r.TrimLeadingSpace = true
	columns, err := csvHeader(name, r)
	if err != nil {
		yield(node{}, err)
		return
	}
	for {
		start := src.handOut(r.InputOffset())
		cells, err := r.Read()
		var wrong *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, csv.ErrFieldCount):
			line, _ := r.FieldPos(0)
			err = &RowError{name, line, fault.Invalid("has %d cells, but the first line names %d columns", len(cells), len(columns))}
			if !yield(node{}, err) {
				return
			}
			continue
		case errors.As(err, &wrong):
			yield(node{}, &RowError{name, wrong.Line, fault.Invalid("is not CSV: %v", wrong.Err)})
			return
		case err != nil:
			yield(node{}, &RowError{name, start, err})
			return
		}
		if !yield(csvRow(r, columns, cells), nil) {
			return
		}
	}
}

// csvHeader reads the names of the columns, in lower case.
func csvHeader(name string, r *csv.Reader) ([]string, error) {
	cells, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, &RowError{name, 1, fault.Invalid("is empty: the first line names the columns, email and display_name at least")}
	case err != nil:
		return nil, &RowError{name, 1, fault.Invalid("the first line is not CSV: %v", err)}
	}
	line, _ := r.FieldPos(0)
	columns := make([]string, len(cells))
	for i, cell := range cells {
		column := strings.ToLower(strings.TrimSpace(cell))
		switch {
		case len(cells) == 1 && strings.ContainsAny(column, ";\t"):
			return nil, &RowError{name, line, fault.Invalid("columns are separated by commas: save the file as comma-separated")}
		case userShape.fields[column] == nil:
			return nil, &RowError{name, line, unknown("column", cell, slices.Collect(maps.Keys(userShape.fields)))}
		case slices.Contains(columns[:i], column):
			return nil, &RowError{name, line, fault.Invalid("column %q is there twice", column)}
		}
		columns[i] = column
	}
	for _, column := range userShape.required {
		if !slices.Contains(columns, column) {
			return nil, &RowError{name, line, fault.Invalid("column %s is missing", column)}
		}
	}
	return columns, nil
}

// csvRow makes an object of a row. An empty cell is a field that was left out.
func csvRow(r *csv.Reader, columns, cells []string) node {
	n := node{kind: object, fields: make([]field, 0, len(cells))}
	n.line, _ = r.FieldPos(0)
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		if cell == "" {
			continue
		}
		line, _ := r.FieldPos(i)
		value := node{kind: text, line: line, text: cell}
		if columns[i] == "groups" {
			value = csvGroups(value)
		}
		n.fields = append(n.fields, field{name: columns[i], line: line, value: value})
	}
	return n
}

// csvGroups splits a cell of several groups.
func csvGroups(cell node) node {
	n := node{kind: list, line: cell.line}
	for _, name := range strings.FieldsFunc(cell.text, func(c rune) bool { return c == ';' || c == '|' }) {
		if name = strings.TrimSpace(name); name != "" {
			n.items = append(n.items, node{kind: text, line: cell.line, text: name})
		}
	}
	return n
}
