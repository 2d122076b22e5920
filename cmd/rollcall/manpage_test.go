package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// TestManPage: it has every command and flag, and no text that roff takes for a request.
func TestManPage(t *testing.T) {
	t.Parallel()
	w, stdout, stderr := inMemory()
	if status := runContext(t.Context(), []string{"man"}, w); status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	page := stdout.String()
	requests := regexp.MustCompile(`^\.(TH ROLLCALL|S[HS] |PP$|TP$|[BI] |nf$|fi$|br$)`)
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !requests.MatchString(line) {
			t.Errorf("%q is a request", line)
		}
	}
	parser, err := newParser(t.Context(), &grammar{}, nil, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Leaves(false) {
		_, section, found := strings.Cut(page, "\n.SS "+roff(commandWords(command)))
		if !found {
			t.Errorf("no section of %s", commandWords(command))
			continue
		}
		section, _, _ = strings.Cut(section, "\n.SS ")
		for _, flag := range command.Flags {
			if flag.Name != "help" && !strings.Contains(section, roff(flag.Name)) {
				t.Errorf("%s: no flag %s", commandWords(command), flag.Name)
			}
		}
	}
}

func TestRoff(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a-b": `a\-b`, `c:\n`: `c:\en`, ".so x": `\&.so x`, "'x'": `\&'x'`, "a\n.b": "a .b"} {
		if got := roff(in); got != want {
			t.Errorf("roff(%q) = %s, want %s", in, got, want)
		}
	}
	var page strings.Builder
	writeDetail(&page, "Text.\n\n\t.example\n")
	if got, want := page.String(), ".PP\nText.\n.PP\n.br\n.nf\n    \\&.example\n.fi\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOutputThatCannotBeWritten is an error, not silence.
func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"man"}, {"completion", "bash"}} {
		w, _, stderr := inMemory()
		w.stdout = &failing{}
		if status := runContext(t.Context(), args, w); status != exitError || !bytes.Contains(stderr.Bytes(), []byte("full")) {
			t.Errorf("%q: status %d: %s", args, status, stderr)
		}
	}
}
