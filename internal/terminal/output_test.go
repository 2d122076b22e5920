package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/colorprofile"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ada Byron, Zoë 李 🎈": "Ada Byron, Zoë 李 🎈",
		"\x1b[31mred":        `\x1b[31mred`,
		"a\r\nb\tc\x00":      `a\r\nb\tc\x00`,
		"\u009b2J":           `\u009b2J`,
		"a\u202egnp.exe":     `a\u202egnp.exe`,
		"\xff\xfe":           `\xff\xfe`,
		"kept \uFFFD":        "kept \uFFFD",
		"it's 'quoted'":      "it's 'quoted'",
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestVisibleIsPrintable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "s"))
		for _, r := range Visible(s) {
			if !unicode.IsPrint(r) {
				t.Fatalf("Visible(%q) holds %U", s, r)
			}
		}
	})
}

func TestEncodeIsPrintableJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		text, err := Encode(map[string]string{"s": s})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range text {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q holds %U", text, r)
			}
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(text), &back); err != nil || back["s"] != s {
			t.Fatalf("%s reads back as %q, error %v", text, back["s"], err)
		}
	})
	if _, err := Encode(func() {}); err == nil {
		t.Error("a function: got no error")
	}
}

func TestCellText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "curl/8": "curl/8", "a=b": "a=b", "1": "1",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "  =1": "'  =1", "|cmd": "'|cmd",
		"\t=1": `\t=1`, "\r=1": `\r=1`, "\n=1": `\n=1`, "＝1": "'＝1",
	} {
		if got := CellText(in); got != want {
			t.Errorf("CellText(%q) = %q, want %q", in, got, want)
		}
	}
}

// printed is what a list of n rows looks like.
func printed(t *testing.T, p *Printer, n int) {
	t.Helper()
	l := NewList(p, []string{"id", "name"}, func(i int) []string { return []string{fmt.Sprint(i), strings.Repeat("x", i%3)} })
	for i := range n {
		if err := l.Add(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.End("nothing"); err != nil {
		t.Fatal(err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		json          bool
		n             int
		want, remarks string
	}{
		{"plain", false, 3, "ID  NAME\n0   -\n1   x\n2   xx\n", ""},
		{"plain, none", false, 0, "", "nothing\n"},
		{"json", true, 2, "[\n 0,\n 1\n]\n", ""},
		{"json, none", true, 0, "[]\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, remarks bytes.Buffer
			printed(t, NewPrinter(&out, &remarks, tt.json), tt.n)
			if diff := cmp.Diff([]string{tt.want, tt.remarks}, []string{out.String(), remarks.String()}); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestListOfManyChunks(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	printed(t, NewPrinter(&out, &out, false), 2*chunk+500)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2*chunk+501 || lines[0] != "ID   NAME" || lines[1] != "0    -" || lines[chunk] != "999  -" || lines[chunk+2] != "1001  xx" {
		t.Errorf("got %d lines: %q, %q, %q, %q", len(lines), lines[0], lines[1], lines[chunk], lines[chunk+2])
	}
}

func TestPrettyList(t *testing.T) {
	t.Parallel()
	for profile, colour := range map[colorprofile.Profile]bool{colorprofile.TrueColor: true, colorprofile.NoTTY: false} {
		t.Run(profile.String(), func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			printed(t, &Printer{results: &colorprofile.Writer{Forward: &out, Profile: profile}, remarks: &out, pretty: true}, 2)
			if got := strings.Contains(out.String(), "\x1b["); got != colour {
				t.Errorf("colour %t, want %t", got, colour)
			}
			for _, want := range []string{"╭", "name", " x ", "╯"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, &out)
				}
			}
		})
	}
}

type failing struct{ after int }

var errFull = errors.New("full")

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestListReportsWhatCannotBePrinted(t *testing.T) {
	t.Parallel()
	for _, asJSON := range []bool{false, true} {
		p := NewPrinter(&failing{}, &bytes.Buffer{}, asJSON)
		l := NewList(p, []string{"n"}, func(i int) []string { return []string{fmt.Sprint(i)} })
		if err := errors.Join(l.Add(1), l.End("")); !errors.Is(err, errFull) {
			t.Errorf("json %t: got error %v", asJSON, err)
		}
		if err := p.One(1, "one"); !errors.Is(err, errFull) {
			t.Errorf("json %t: got error %v", asJSON, err)
		}
	}
}

// TestNarrowTerminal: a table that does not fit loses its lines, and then its rows; nothing is broken in the middle.
func TestNarrowTerminal(t *testing.T) {
	t.Parallel()
	const bordered = "╭────┬──────╮\n"
	for width, want := range map[int]string{
		0:  bordered,
		13: bordered,
		12: "ID  NAME\n0   -\n1   x\n2   xx\n",
		8:  "ID  NAME\n0   -\n1   x\n2   xx\n",
		7:  "id    0\nname  -\n\nid    1\nname  x\n\nid    2\nname  xx\n\n",
	} {
		var out bytes.Buffer
		printed(t, &Printer{results: &colorprofile.Writer{Forward: &out, Profile: colorprofile.NoTTY}, remarks: &out, pretty: true, width: width}, 3)
		if got := out.String(); got != want && (want != bordered || !strings.HasPrefix(got, want)) {
			t.Errorf("%d columns: got\n%s\nwant\n%s", width, got, want)
		}
	}
}

// TestNarrowInTheEnd: once rows do not fit they stay blocks, however short the later ones are.
func TestNarrowInTheEnd(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &Printer{results: &out, remarks: &out, pretty: true, width: 20}
	l := NewList(p, []string{"id", "name"}, func(name string) []string { return []string{"1", name} })
	for i := range 2*chunk + 1 {
		name := "x"
		if i == chunk {
			name = strings.Repeat("x", 30)
		}
		if err := l.Add(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.End(""); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "╭") != 1 || strings.Count(got, "name  ") != chunk+1 || strings.Contains(got, "NAME") {
		t.Errorf("got %d tables and %d blocks, want 1 and %d", strings.Count(got, "╭"), strings.Count(got, "name  "), chunk+1)
	}
}
