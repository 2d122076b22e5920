package roster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/roster"
)

const csvPeople = "\ufeffID, Email ,display_name,state,type,groups,create_time\r\n" +
	"U1,ada@example.com,\"Lovelace, Ada\",ACTIVE,guest,owners; security,2024-01-15T10:30:00Z\r\n" +
	"\r\n" +
	",bob@example.com, Bob ,,,, \r\n"

const jsonPeople = `[
  {"id": "U1", "email": "ada@example.com", "display_name": "Lovelace, Ada", "state": "ACTIVE",
   "type": "guest", "groups": ["owners", "security"], "create_time": "2024-01-15T10:30:00Z"},

  {"email": "bob@example.com", "display_name": "Bob"}
]
`

const jsonlPeople = `{"id": "U1", "email": "ada@example.com", "display_name": "Lovelace, Ada", "state": "ACTIVE", "type": "guest", "groups": ["owners", "security"], "create_time": "2024-01-15T10:30:00Z"}
{"email": "bob@example.com", "display_name": "Bob"}`

// files are the same people in every format.
var files = map[string]string{"people.csv": csvPeople, "people.json": jsonPeople, "PEOPLE.JSONL": jsonlPeople}

// read returns what a sequence yields, errors as their text.
func read(users iter.Seq2[directory.User, error]) (all []directory.User, errs []string) {
	for u, err := range users {
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		all = append(all, u)
	}
	return all, errs
}

func TestUsers(t *testing.T) {
	t.Parallel()
	want := []directory.User{
		{ID: "U1", Email: "ada@example.com", DisplayName: "Lovelace, Ada", State: directory.Active, Type: directory.Guest,
			Groups: []string{"owners", "security"}, CreateTime: time.Date(2024, 1, 15, 10, 30, 0, 0, time.UTC)},
		{Email: "bob@example.com", DisplayName: "Bob"},
	}
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, errs := read(roster.Users(name, strings.NewReader(text)))
			if diff := cmp.Diff(want, got); diff != "" || errs != nil {
				t.Errorf("errors %q, people (-want +got)\n%s", errs, diff)
			}
		})
	}
}

func TestUsersProblems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file, text string
		want       []string
	}{
		"no rows":        {file: "p.csv", text: "email,display_name\n"},
		"empty list":     {file: "p.json", text: "[]"},
		"no lines":       {file: "p.jsonl", text: ""},
		"format":         {file: "p.xlsx", want: []string{"p.xlsx: people are imported from .csv, .json or .jsonl files: rename the file after what it holds"}},
		"no header":      {file: "p.csv", want: []string{"p.csv:1: is empty: the first line names the columns, email and display_name at least"}},
		"semicolons":     {file: "p.csv", text: "email;display_name\n", want: []string{"p.csv:1: columns are separated by commas: save the file as comma-separated"}},
		"unknown column": {file: "p.csv", text: "email,name\n", want: []string{`p.csv:1: column "name" is not known: use create_time, display_name, email, groups, id, state, type`}},
		"column slip":    {file: "p.csv", text: "email,display-name\n", want: []string{`p.csv:1: column "display-name" is not known: did you mean "display_name"?`}},
		"missing column": {file: "p.csv", text: "email,id\n", want: []string{"p.csv:1: column display_name is missing"}},
		"column twice":   {file: "p.csv", text: "email,Email\n", want: []string{`p.csv:1: column "email" is there twice`}},
		"bad rows": {file: "p.csv", text: "email,display_name,state\na@example.com,A,GONE\n\nb@example.com,\"B\n\",\nc@example.com,C\nd@example.com,D,ACTIVE\n,E,\n",
			want: []string{
				`p.csv:2: state "GONE" is not known: use ACTIVE, SUSPENDED or PENDING`,
				"p.csv:6: has 2 cells, but the first line names 3 columns",
				"p.csv:8: email is missing"}},
		"quotes":    {file: "p.csv", text: "email,display_name\na@example.com,A \"x\" y\n", want: []string{"p.csv:2: is not CSV: bare \" in non-quoted-field"}},
		"open end":  {file: "p.csv", text: "email,display_name\n\na@example.com,\"A" + strings.Repeat("\n", 3*roster.MaxRowBytes), want: []string{"p.csv:2: is longer than 1048576 bytes, or a quote or bracket before it is not closed"}},
		"long json": {file: "p.json", text: "[{\"email\":\n\"" + strings.Repeat("a", 3*roster.MaxRowBytes), want: []string{"p.json:2: is longer than 1048576 bytes, or a quote or bracket before it is not closed"}},
		"blank json": {file: "p.json", text: "[" + strings.Repeat(" ", 3*roster.MaxRowBytes),
			want: []string{"p.json:1: is longer than 1048576 bytes, or a quote or bracket before it is not closed"}},
		"utf-16":       {file: "p.csv", text: "\xff\xfee\x00", want: []string{"p.csv:1: is UTF-16 text: save it as UTF-8"}},
		"latin 1":      {file: "p.csv", text: "email,display_name\na@example.com,Ren\xe9\n", want: []string{"p.csv:2: display_name is not valid UTF-8"}},
		"json rows":    {file: "p.json", text: "[\n{\"email\": \"a@example.com\",\n\"display_name\": 7},\n7,\n{\"email\": \"b@example.com\", \"display_name\": \"B\"}\n]", want: []string{"p.json:3: display_name must be text, not a number: put it in quotes", "p.json:4: must be a set of fields, not a number"}},
		"no list":      {file: "p.json", text: "{\"users\": []}", want: []string{"p.json:1: people are written as a list, [{...}, {...}]; name a file of objects without a list .jsonl"}},
		"blank":        {file: "p.json", text: "\n", want: []string{"p.json:1: is empty: people are written as a list, [{...}, {...}]"}},
		"cut off list": {file: "p.json", text: "[\n", want: []string{"p.json:1: is not JSON: the text ends in the middle"}},
		"cut off":      {file: "p.json", text: "[\n{\"email\": ", want: []string{"p.json:2: is not JSON: the text ends in the middle"}},
		"comma":        {file: "p.json", text: "[{\"email\": \"a@example.com\", \"display_name\": \"A\"},", want: []string{"p.json:1: is not JSON: the text ends in the middle"}},
		"more":         {file: "p.json", text: "[]\n[]", want: []string{"p.json:2: more follows the end of the JSON value"}},
		"wide row":     {file: "p.json", text: "[[" + strings.Repeat("0,", 10_000) + "0]]", want: []string{"p.json:1: holds more than 10000 values: a person has a dozen"}},
		"no comma":     {file: "p.json", text: "[{\"email\": \"a@example.com\", \"display_name\": \"A\"}\n{}]", want: []string{"p.json:2: is not JSON: invalid character '{' after array element"}},
		"jsonl":        {file: "p.jsonl", text: "{\"email\": \"a@example.com\"}\n{", want: []string{"p.jsonl:1: display_name is missing", "p.jsonl:2: is not JSON: the text ends in the middle"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got := read(roster.Users(tt.file, strings.NewReader(tt.text)))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// write makes a file in a folder of its own and opens it; its errors are relative to the folder.
func write(t *testing.T, name, text string) (file *roster.UserFile, relative func(error) string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := roster.OpenUsers(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, func(err error) string { return strings.ReplaceAll(fmt.Sprint(err), path, name) }
}

func TestOpenUsers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := roster.OpenUsers(filepath.Join(dir, "none.csv")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"folder.csv", "people.txt"} {
		if _, err := roster.OpenUsers(filepath.Join(dir, name)); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
	file, _ := write(t, "people.csv", csvPeople)
	if got := file.Size(); got != int64(len(csvPeople)) {
		t.Errorf("size %d, want %d", got, len(csvPeople))
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	many := "email,display_name\n" + strings.Repeat("bad,row\n", 100)
	tests := map[string]struct {
		name, text string
		count      int
		want       string
	}{
		"csv":   {name: "p.csv", text: csvPeople, count: 2},
		"json":  {name: "p.json", text: jsonPeople, count: 2},
		"jsonl": {name: "p.jsonl", text: jsonlPeople, count: 2},
		"twice": {name: "p.csv", text: "email,display_name,id\na@example.com,A,1\nb@example.com,B,1\nA@EXAMPLE.com,C,2\n", count: 3,
			want: "p.csv:3: id \"1\" is taken: line 2 has it already\np.csv:4: email \"a@example.com\" is taken: line 2 has it already"},
		"twice in json": {name: "p.json", text: "[{\"display_name\": \"A\",\n\"email\": \"a@example.com\"},\n{\"display_name\": \"A\",\n\"email\": \"A@example.com\"}]", count: 2,
			want: "p.json:4: email \"a@example.com\" is taken: line 2 has it already"},
		"many": {name: "p.csv", text: many, count: 21, want: "p.csv: there is more: these are the first 20 problems"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, relative := write(t, tt.name, tt.text)
			count, err := file.Check(t.Context())
			if count != tt.count {
				t.Errorf("count %d, want %d", count, tt.count)
			}
			if tt.want == "" && err != nil || tt.want != "" && !strings.HasSuffix(relative(err), tt.want) {
				t.Errorf("got %s\nwant %s", relative(err), tt.want)
			}
		})
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	t.Parallel()
	file, _ := write(t, "p.csv", csvPeople)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := file.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, _ := services(t)
			if _, err := dir.CreateAccount(t.Context(), operator, directory.Account{ID: "A", Name: "A"}); err != nil {
				t.Fatal(err)
			}
			file, relative := write(t, name, text)
			told := 0
			n, err := file.Import(t.Context(), operator, dir, "A", func(done, total int) { told = 100*done + total })
			if n != 2 || err != nil || told != 202 {
				t.Fatalf("imported %d, progress %d, error %v", n, told, err)
			}
			users := everybody(t, dir, "A")
			got := fmt.Sprintln(users[0].Email, users[0].Groups, users[1].Email, users[1].State, users[1].CreateTime.Equal(now))
			if diff := cmp.Diff("ada@example.com [owners security] bob@example.com ACTIVE true\n", got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}

			// Once more: they are there already, and the line says who is the first of them.
			first := map[string]int{"people.csv": 2, "people.json": 2, "PEOPLE.JSONL": 1}[name]
			_, err = file.Import(t.Context(), operator, dir, "A", nil)
			want := fmt.Sprintf("%s:%d: a person with the e-mail address ada@example.com, or the id U1, is in the account already", name, first)
			if diff := cmp.Diff(want, relative(err)); diff != "" || fault.KindOf(err) != fault.KindConflict {
				t.Errorf("kind %v (-want +got)\n%s", fault.KindOf(err), diff)
			}
		})
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	t.Parallel()
	dir, _ := services(t)
	if _, err := dir.CreateAccount(t.Context(), operator, directory.Account{ID: "A", Name: "A"}); err != nil {
		t.Fatal(err)
	}
	last, _ := write(t, "last.csv", "email,display_name\nlast@example.com,Last\n")
	if _, err := last.Import(t.Context(), operator, dir, "A", nil); err != nil {
		t.Fatal(err)
	}
	file, relative := write(t, "p.json", "[\n{\"email\": \"a@example.com\", \"display_name\": \"A\"},\n\n{\"email\": \"last@example.com\", \"display_name\": \"B\"}]")
	_, err := file.Import(t.Context(), operator, dir, "A", nil)
	if got := relative(err); !strings.HasPrefix(got, "p.json:4: a person with the e-mail address last@example.com, or the id ") {
		t.Errorf("got %s", got)
	}
	if users := everybody(t, dir, "A"); len(users) != 1 {
		t.Errorf("%d people are in the account, want the one from before", len(users))
	}
	if _, err := file.Import(t.Context(), operator, dir, "B", nil); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("unknown account: got %v, want not found", err)
	}
}

// endless is a file that never ends: a start, then the same row again and again.
type endless struct {
	row  string
	rest string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		e.rest = e.row
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestUsersInConstantMemory is not parallel: it measures the memory of the process.
// Remembering 8 bytes of each of its 50,000 rows would be too much.
func TestUsersInConstantMemory(t *testing.T) { //nolint:paralleltest // see above
	for name, r := range map[string]io.Reader{
		"p.csv":   &endless{rest: "email,display_name\n", row: "a@example.com,A\n"},
		"p.json":  &endless{rest: "[", row: "{\"email\": \"a@example.com\",\n\"display_name\": \"A\"},\n"},
		"p.jsonl": &endless{row: "{\"email\": \"a@example.com\", \"display_name\": \"A\"}\n"},
	} {
		n, high := 0, uint64(0)
		var before, m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for _, err := range roster.Users(name, r) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n%10_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&m)
				high = max(high, m.HeapAlloc)
			}
			if n == 50_000 {
				break
			}
		}
		if high > before.HeapAlloc+256<<10 {
			t.Errorf("%s: the heap grew from %d to %d bytes", name, before.HeapAlloc, high)
		}
	}
}
