package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// A column is named as the field of the JSON form.
const (
	columnID      = "id"
	columnEmail   = "email"
	columnName    = "display_name"
	columnState   = "state"
	columnCreated = "create_time"
	columnPath    = "path"
)

var (
	allColumns   = []string{columnID, columnEmail, columnName, columnState, columnCreated, columnPath}
	tableColumns = []string{columnID, columnState, columnCreated, columnEmail, columnName}
)

// cell is the text of a column, "" for a column that is none.
func cell(u client.User, column string) string {
	switch column {
	case columnID:
		return u.ID
	case columnEmail:
		return u.Email
	case columnName:
		return u.DisplayName
	case columnState:
		return string(u.State)
	case columnCreated:
		text, err := u.CreateTime.MarshalText()
		if err != nil { // a year beyond 9999
			return u.CreateTime.String()
		}
		return string(text)
	case columnPath:
		return u.Path
	}
	return ""
}

func cells(u client.User, columns []string) []string {
	row := make([]string, len(columns))
	for i, column := range columns {
		row[i] = cell(u, column)
	}
	return row
}

// listing prints people as they come.
type listing interface {
	Add(client.User) error
	// End prints what is left; nothing says that there is nobody.
	End(nothing string) error
}

// Formats of a list.
const (
	asTable = "table"
	asJSON  = "json"
	asLines = "jsonl"
	asCSV   = "csv"
)

func (e *Env) newListing(format string, columns []string) listing {
	switch format {
	case asLines:
		return &jsonLines{out: e.Stdout, columns: columns}
	case asCSV:
		if columns == nil {
			columns = allColumns
		}
		return &csvRows{out: csv.NewWriter(e.Stdout), columns: columns}
	case asJSON:
		return &jsonArray{columns: columns, list: terminal.NewList[any](terminal.NewPrinter(e.Stdout, e.Stderr, true), nil, nil)}
	}
	if columns == nil {
		columns = tableColumns
	}
	return terminal.NewList(terminal.NewPrinter(e.Stdout, e.Stderr, false), columns, func(u client.User) []string { return cells(u, columns) })
}

// chosen is a person with some of the fields, in the order asked for.
type chosen struct {
	user    client.User
	columns []string
}

// MarshalJSON implements [json.Marshaler].
func (c chosen) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, column := range c.columns {
		value, err := json.Marshal(cell(c.user, column))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%c%q:%s", "{,"[min(i, 1)], column, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// fields is the person, or the fields of them that were asked for.
func fields(u client.User, columns []string) any {
	if columns == nil {
		return u
	}
	return chosen{u, columns}
}

type jsonArray struct {
	columns []string
	list    *terminal.List[any]
}

func (j *jsonArray) Add(u client.User) error { return j.list.Add(fields(u, j.columns)) }

func (j *jsonArray) End(nothing string) error { return j.list.End(nothing) }

type jsonLines struct {
	out     io.Writer
	columns []string
}

func (j *jsonLines) Add(u client.User) error {
	text, err := terminal.Encode(fields(u, j.columns))
	if err != nil {
		return err
	}
	_, err = io.WriteString(j.out, text+"\n")
	return err
}

func (*jsonLines) End(string) error { return nil }

// csvRows writes a heading even where nobody is under it.
type csvRows struct {
	out     *csv.Writer
	columns []string
	begun   bool
}

func (c *csvRows) begin() error {
	if c.begun {
		return nil
	}
	c.begun = true
	return c.out.Write(c.columns)
}

func (c *csvRows) Add(u client.User) error {
	row := cells(u, c.columns)
	for i, text := range row {
		row[i] = terminal.CellText(text)
	}
	return errors.Join(c.begin(), c.out.Write(row))
}

func (c *csvRows) End(string) error {
	err := c.begin()
	c.out.Flush()
	return errors.Join(err, c.out.Error())
}
