package cli

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/terminal"
)

var compareNames = cmp.AllowUnexported(name{})

func TestParseNames(t *testing.T) {
	t.Parallel()
	for title, tt := range map[string]struct {
		text string
		want []name
		err  string
	}{
		"lines":           {"A\r\n\n# b@x\n  c@x  \nD", []name{{id: "A"}, {email: "c@x"}, {id: "D"}}, ""},
		"csv":             {"name,email,id\nAda,a@x,A\nBob,b@x,\nC,,C\n", []name{{"A", "a@x"}, {"", "b@x"}, {"C", ""}}, ""},
		"spreadsheet":     {"\ufeff\"User_ID\";E-Mail\r\nA;a@x\r\n", []name{{"A", "a@x"}}, ""},
		"tabs":            {"Email\tWhy\na@x\tleft, \tx\n", nil, "wrong number of fields"},
		"formulas":        {"email,id\n'=a@x,'-A\n'quoted@x,\n", []name{{"-A", "=a@x"}, {"", "'quoted@x"}}, ""},
		"objects":         {`{"id":"A","email":"a@x","state":"ACTIVE"}` + "\n\n" + `{"email":"b@x"}`, []name{{"A", "a@x"}, {"", "b@x"}}, ""},
		"array":           {"[\n {\"id\":\"A\"},\n {\"email\":\"b@x\"}\n]\n", []name{{"A", ""}, {"", "b@x"}}, ""},
		"number for id":   {`{"id":7}`, nil, "line 1 is no JSON object with id or email in quotes"},
		"array of words":  {`[{"id":"A"},"b@x"]`, nil, "element 2 is no JSON object"},
		"array of nobody": {`[{"id":"A"},{}]`, nil, "element 2 has neither"},
		"half an array":   {`[{"id":"A"},`, nil, "begins as a JSON array"},
		"UTF-16":          {"\xff\xfee\x00m\x00", nil, "no text in UTF-8"},
		"zeros":           {"A\x00B", nil, "no text in UTF-8"},
		"nothing":         {"", nil, ""},
		"empty row":       {"email,id\na@x,A\n,\n", nil, "line 3 has neither"},
		"empty object":    {"{\"id\":\"A\"}\n{}", nil, "line 2 has neither"},
		"broken object":   {"{\"id\":\"A\"}\n{", nil, "line 2 is no JSON object"},
		"two words":       {"A\nB C", nil, "line 2 is not one id or e-mail address"},
		"unknown columns": {"name,mail\nA,a@x", nil, "line 1 is not one"},
		"two addresses":   {"E-Mail,name,email\na@x,A,b@x", nil, "two of its columns are ids"},
		"two ids":         {"id,user_id\nA,B", nil, "two of its columns are ids"},
		"short row":       {"email,id\na@x\n", nil, "wrong number of fields"},
		"too many":        {strings.Repeat("A\n", maxNames+1), nil, "a run takes 100000: split it"},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			got, err := parseNames([]byte(tt.text))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got error %v, want one with %q", err, tt.err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got, compareNames); diff != "" || err != nil {
				t.Errorf("error %v (-want +got)\n%s", err, diff)
			}
		})
	}
}

func TestNamesOnce(t *testing.T) {
	t.Parallel()
	got := unique([]name{{id: "A"}, {email: "a@x"}, {email: "A@X"}, {id: "A", email: "a@x"}, {id: "A"}, {id: "a"}})
	want := []name{{id: "A"}, {email: "a@x"}, {id: "A", email: "a@x"}, {id: "a"}}
	if diff := cmp.Diff(want, got, compareNames); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestNamesOfOurCSV: whatever people are called, the CSV that is printed names them.
func TestNamesOfOurCSV(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[!-~]{1,20}`).Filter(func(s string) bool { return terminal.ParseCell(s) == s }).Draw(t, "id")
		var b strings.Builder
		w := csv.NewWriter(&b)
		_ = w.WriteAll([][]string{{"id", "display_name"}, {terminal.CellText(id), "x"}})
		got, err := parseNames([]byte(b.String()))
		if diff := cmp.Diff([]name{{id: id}}, got, compareNames); diff != "" || err != nil {
			t.Fatalf("error %v (-want +got)\n%s", err, diff)
		}
	})
}

// FuzzParseNames: whatever a file holds, nobody without a name comes of it.
func FuzzParseNames(f *testing.F) {
	for _, seed := range []string{"A\nb@x", "email,id\na@x,A", `{"id":"A"}`, "\"id\"\tx\nA\t1", "email\n\"", "id\n'=A"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		names, err := parseNames(text)
		if err != nil {
			return
		}
		for _, n := range names {
			if n == (name{}) {
				t.Errorf("%q names nobody", text)
			}
		}
	})
}
