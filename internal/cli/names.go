package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/internal/terminal"
)

// name is how somebody was named. At least one of the fields is set; both must mean the
// same person.
type name struct {
	id    string
	email string // in a file without columns also an id that has an @
}

func (n name) String() string {
	if n.email == "" {
		return n.id
	}
	return n.email
}

// parseName takes text with an @ for an e-mail address, and all else for an id.
func parseName(text string) name {
	if text = strings.TrimSpace(text); strings.Contains(text, "@") {
		return name{email: text}
	}
	return name{id: text}
}

// Bounds of a list of names.
const (
	maxNamesFile = 64 << 20 // bytes
	maxNames     = 100_000
)

// readNames reads people from what was typed, from a file, or from standard input,
// which both "-" mean. Each is returned once.
func (e *Env) readNames(typed []string, file string) ([]name, error) {
	if file == "" && len(typed) == 1 && typed[0] == "-" {
		typed, file = nil, "-"
	}
	if (file == "") == (len(typed) == 0) {
		return nil, terminal.Misused("name people by id or e-mail address, or a file of them with --file, - being standard input")
	}
	if file == "" {
		var names []name
		for _, text := range typed {
			if strings.TrimSpace(text) == "" || text == "-" {
				return nil, terminal.Misused("%q is nobody: name people by id or e-mail address", text)
			}
			names = append(names, parseName(text))
		}
		return unique(names), nil
	}
	from, text, err := e.readFile(file)
	if err != nil {
		return nil, err
	}
	names, err := parseNames(text)
	if err == nil && len(names) == 0 {
		err = errors.New("it names nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("read people from %s: %w", from, err)
	}
	return unique(names), nil
}

func (e *Env) readFile(file string) (from string, text []byte, err error) {
	r, from := e.Stdin, "standard input"
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", nil, fmt.Errorf("read people: %w", err)
		}
		defer f.Close() //nolint:errcheck // it is only read
		r, from = f, file
	}
	text, err = io.ReadAll(io.LimitReader(r, maxNamesFile+1))
	if err == nil && len(text) > maxNamesFile {
		err = fmt.Errorf("it is larger than %d MiB: split it", maxNamesFile>>20)
	}
	if err != nil {
		return "", nil, fmt.Errorf("read people from %s: %w", from, err)
	}
	return from, text, nil
}

func unique(names []name) []name {
	seen := map[name]bool{}
	return slices.DeleteFunc(names, func(n name) bool {
		key := name{n.id, strings.ToLower(n.email)}
		defer func() { seen[key] = true }()
		return seen[key]
	})
}

// parseNames reads CSV whose first line names a column id or email, JSON objects with
// such fields a line or in an array, or names a line, where lines that begin with # are
// remarks.
func parseNames(text []byte) (names []name, err error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, errors.New("it is no text in UTF-8: a spreadsheet writes that as \"CSV UTF-8\"")
	}
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, " \t\r\n"), []byte("\n"))
	switch columns := nameColumns(string(first)); {
	case bytes.HasPrefix(first, []byte("{")):
		names, err = parseObjects(text)
	case bytes.HasPrefix(first, []byte("[")):
		names, err = parseArray(text)
	case columns.twice:
		err = errors.New("two of its columns are ids, or two are e-mail addresses: leave the one in that is meant")
	case columns.found():
		names, err = parseCSV(text, columns)
	default:
		names, err = parseLines(text)
	}
	if err == nil && len(names) > maxNames {
		err = fmt.Errorf("it names %d people, and a run takes %d: split it", len(names), maxNames)
	}
	return names, err
}

// places are the columns to read, -1 where there is none.
type places struct {
	id, email int
	twice     bool // it is not known which is meant
	comma     rune
}

func (p places) found() bool { return p.id >= 0 || p.email >= 0 }

// nameColumns looks for columns in a heading, which spreadsheets separate by commas,
// semicolons or tabs.
func nameColumns(heading string) places {
	p := places{id: -1, email: -1, comma: ','}
	for _, comma := range []rune{';', '\t'} {
		if strings.ContainsRune(heading, comma) {
			p.comma = comma
		}
	}
	for i, field := range strings.Split(heading, string(p.comma)) {
		switch strings.ToLower(strings.Trim(strings.TrimSpace(field), `"`)) {
		case "id", "user_id":
			p.twice = p.twice || p.id >= 0
			p.id = i
		case "email", "e-mail":
			p.twice = p.twice || p.email >= 0
			p.email = i
		}
	}
	return p
}

func parseCSV(text []byte, p places) (names []name, err error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.ReuseRecord = p.comma, true
	at := func(row []string, i int) string {
		if i < 0 {
			return ""
		}
		return terminal.ParseCell(strings.TrimSpace(row[i]))
	}
	for heading := true; ; heading = false {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return names, nil
		case err != nil:
			return nil, err
		case heading:
			continue
		}
		n := name{at(row, p.id), at(row, p.email)}
		if n == (name{}) {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("line %d has neither id nor e-mail address", line)
		}
		names = append(names, n)
	}
}

// object is a person as JSON has them.
type object struct{ ID, Email string }

func (o object) name() (name, error) {
	if n := (name{o.ID, o.Email}); n != (name{}) {
		return n, nil
	}
	return name{}, errors.New("has neither id nor email")
}

// errNoObject stands for the reader's error, which speaks of this program's types.
var errNoObject = errors.New(`is no JSON object with id or email in quotes, such as {"email":"ada@example.com"}`)

func parseObjects(text []byte) (names []name, err error) {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var o object
		if json.Unmarshal(line, &o) != nil {
			return nil, fmt.Errorf("line %d %w", number, errNoObject)
		}
		n, err := o.name()
		if err != nil {
			return nil, fmt.Errorf("line %d %w", number, err)
		}
		names = append(names, n)
	}
	return names, nil
}

// parseArray reads what 'users list --output json' prints.
func parseArray(text []byte) (names []name, err error) {
	var objects []json.RawMessage
	if err := json.Unmarshal(text, &objects); err != nil {
		return nil, fmt.Errorf("it begins as a JSON array and is none: %w", err)
	}
	for i, text := range objects {
		var o object
		if json.Unmarshal(text, &o) != nil {
			return nil, fmt.Errorf("element %d %w", i+1, errNoObject)
		}
		n, err := o.name()
		if err != nil {
			return nil, fmt.Errorf("element %d %w", i+1, err)
		}
		names = append(names, n)
	}
	return names, nil
}

func parseLines(text []byte) (names []name, err error) {
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.ContainsAny(line, ",;\t \""):
			return nil, fmt.Errorf("line %d is not one id or e-mail address: in a CSV file, the first line names the columns, one of them id or email", number)
		default:
			names = append(names, parseName(line))
		}
	}
	return names, nil
}
