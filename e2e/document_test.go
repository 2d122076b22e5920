package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// block is a fenced code block of a Markdown document that holds shell commands.
type block struct {
	at    string // file:line of its first command
	lines []string
}

// Fenced blocks that hold commands say by their info string what they are for:
//
//	sh           commands that work as they are; TestDocuments runs them
//	sh no-test   commands for a machine that a test has not got: names, certificates, rights
//	console      commands together with what they print; for reading
const (
	infoRun     = "sh"
	infoNoTest  = "sh no-test"
	infoConsole = "console"
)

// shells are other info strings for shell commands: they would go untested unnoticed.
var shells = regexp.MustCompile(`(?i)^(sh|bash|shell|zsh|shell-session|console)\b`)

var fence = regexp.MustCompile("^ {0,3}(```+|~~~+) *(.*)$")

// runnable returns the blocks of a document that are to be run.
func runnable(name, text string) (blocks []block, err error) {
	var open, info string // the fence and the info string of the block that the line is in
	var current block
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		m := fence.FindStringSubmatch(line)
		switch {
		case open == "" && m != nil:
			open, info = m[1], strings.TrimSpace(m[2])
			if shells.MatchString(info) && !slices.Contains([]string{infoRun, infoNoTest, infoConsole}, info) {
				return nil, fmt.Errorf("%s:%d: a block of %q: say %q, %q or %q", name, number, info, infoRun, infoNoTest, infoConsole)
			}
			current = block{at: fmt.Sprintf("%s:%d", name, number+1)}
		case open != "" && m != nil && m[2] == "" && strings.HasPrefix(m[1], open):
			if info == infoRun {
				blocks = append(blocks, current)
			}
			open = ""
		case open != "":
			current.lines = append(current.lines, line)
		}
	}
	if open != "" {
		return nil, fmt.Errorf("%s: the block before line %s does not end", name, current.at)
	}
	return blocks, nil
}

var (
	// serves matches commands that run until they are told to end.
	serves = regexp.MustCompile(`^(go run \./cmd/rollcall|(\./)?rollcall) (dev|serve)\b|^make run\b`)
	// makes matches the other commands of the Makefile, all of which would test or measure everything within a test.
	makes = regexp.MustCompile(`^make( .*)?$`)
	// address is where a server listens by default, which may be in use where tests run.
	address = regexp.MustCompile(`(127\.0\.0\.1|localhost):8443\b`)
)

// translate turns a command of a document into one that can be run in a test: as it is, but for servers, which go to the
// background until they are ready, and make, which is asked whether it knows what to do.
func translate(command string) string {
	command = address.ReplaceAllString(command, `$1:"$$E2E_PORT"`)
	switch {
	case serves.MatchString(command):
		return fmt.Sprintf("e2e_log=\"$E2E_LOGS/$((++e2e_servers))\"\n{ %s\n} 3>&1 >\"$e2e_log\" 2>&1 &\ne2e_ready $!", command)
	case makes.MatchString(command):
		return strings.Replace(command, "make", "make --dry-run --no-print-directory >/dev/null", 1)
	}
	return command
}

// prologue stops at the first command that fails and says which it was.
const prologue = `set -Eeuo pipefail
e2e_servers=0
trap 'e2e_status=$?; echo "$e2e_at: exit status $e2e_status of: $BASH_COMMAND"; tail -n 50 "$E2E_LOGS"/* 2>/dev/null; exit "$e2e_status"' ERR
e2e_ready() { # until the newest server has printed that it serves
  until grep -qE 'Press Ctrl-C|msg"?[=:]"?serving' "$e2e_log"; do
    kill -0 "$1" 2>/dev/null || { wait "$1" || true; echo 'the server has ended'; return 1; }
    sleep 0.05
  done
}
`

// epilogue ends the servers, which are of this process group.
const epilogue = `
trap '' TERM
kill -TERM 0
wait
`

// script is the blocks of one document as one shell script: what one sets, the next one has.
func script(blocks []block) string {
	var b strings.Builder
	b.WriteString(prologue)
	for _, block := range blocks {
		fmt.Fprintf(&b, "e2e_at='%s'\n", block.at)
		for _, command := range commands(block.lines) {
			b.WriteString(translate(command) + "\n")
		}
	}
	return b.String() + epilogue
}

// commands joins the lines of commands that are continued by a backslash.
func commands(lines []string) (list []string) {
	continued := false
	for _, line := range lines {
		if continued {
			list[len(list)-1] += "\n" + line
		} else {
			list = append(list, line)
		}
		continued = strings.HasSuffix(line, `\`)
	}
	return list
}

func TestRunnable(t *testing.T) {
	t.Parallel()
	const f = "```"
	tests := map[string]struct {
		text  string
		want  []block
		fails bool
	}{
		"none": {text: "no block\n    indented\n" + f + "\nplain\n" + f + "\n" + f + "go\nfunc main\n" + f + "\n"},
		"some": {
			text: "a\n" + f + "sh\none \\\n  more\ntwo\n" + f + "\n" + f + "sh no-test\nnot this\n" + f + "\n~~~ sh\n" + f + "\nthree\n~~~\n",
			want: []block{{at: "x.md:3", lines: []string{`one \`, "  more", "two"}}, {at: "x.md:11", lines: []string{f, "three"}}},
		},
		"for reading":     {text: f + "console\n$ ls\n" + f + "\n"},
		"another name":    {text: f + "bash\nls\n" + f + "\n", fails: true},
		"a misspelt mark": {text: f + "sh notest\nls\n" + f + "\n", fails: true},
		"without end":     {text: f + "sh\nls\n", fails: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := runnable("x.md", tt.text)
			if (err != nil) != tt.fails {
				t.Fatalf("got error %v, want one: %v", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(block{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
