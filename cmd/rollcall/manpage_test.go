package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var requests = regexp.MustCompile(`^\.(TH ROLLCALL|ad l$|S[HS] |PP$|TP$|[BI] |BR |ad l$|nf$|fi$|br$)`)

// TestManPage: it has every command and flag, and no text that roff takes for a request.
func TestManPage(t *testing.T) {
	t.Parallel()
	w, stdout, stderr := inMemory()
	if status := runContext(t.Context(), []string{"man"}, w); status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	page := stdout.String()
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

// TestManPages writes the page of each command, and has groff set them, which finds nothing wrong.
func TestManPages(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "man1")
	w, _, stderr := inMemory()
	if status := runContext(t.Context(), []string{"man", "--dir", dir}, w); status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	parser, err := newParser(t.Context(), &grammar{}, nil, w)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, n := range nodesBelow(parser.Model.Node) {
		file := filepath.Join(dir, pageName(n)+".1")
		files = append(files, file)
		page, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for line := range strings.Lines(string(page)) {
			if strings.HasPrefix(line, ".") && !requests.MatchString(strings.TrimSuffix(line, "\n")) {
				t.Errorf("%s: %q is a request", file, line)
			}
		}
		for _, flag := range flagsOf(n) {
			if flag.Name != "help" && !strings.Contains(string(page), roff(flag.Name)) {
				t.Errorf("%s: no flag %s", file, flag.Name)
			}
		}
	}
	// One after the other in one process: groff reads many files.
	var complaints bytes.Buffer
	groff := exec.Command("groff", append([]string{"-man", "-Tutf8", "-ww", "-z"}, files...)...)
	groff.Stderr = &complaints
	if err := groff.Run(); err != nil || complaints.Len() > 0 {
		t.Errorf("error %v, groff says:\n%.2000s", err, &complaints)
	}
	plain := []string{"-man", "-Tutf8", "-P-c", "-P-b", "-P-o", "-P-u"}
	shown, err := exec.Command("groff", append(plain, filepath.Join(dir, "rollcall-apps-rotate.1"))...).CombinedOutput()
	for _, want := range []string{"ROLLCALL-APPS-ROTATE(1)", "rollcall apps rotate <app> [flags]", "    rollcall apps rotate \"Alarm bridge\" --env-file bridge.env\n", "--overlap=DURATION", "--profile=NAME", "rollcall-apps(1)"} {
		if err != nil || !strings.Contains(string(shown), want) {
			t.Errorf("error %v, groff does not show %q:\n%s", err, want, shown)
		}
	}
}

func nodesBelow(n *kong.Node) []*kong.Node {
	nodes := []*kong.Node{n}
	for _, child := range n.Children {
		nodes = append(nodes, nodesBelow(child)...)
	}
	return nodes
}

func TestManPageOfACommand(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]int{"users suspend": exitOK, "users": exitOK, "users fly": exitUsage, "users --dir x": exitUsage} {
		w, stdout, stderr := inMemory()
		status := runContext(t.Context(), append([]string{"man"}, strings.Fields(args)...), w)
		if status != want || (want == exitOK) != strings.HasPrefix(stdout.String(), ".TH ROLLCALL-USERS") {
			t.Errorf("man %s: status %d, want %d: %.60s%s", args, status, want, stdout, stderr)
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
