package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of `go test -json`: see `go doc test2json`, and `go help buildjson` for the build's own events,
// which name an ImportPath in place of a Package.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Output      string
	FailedBuild string
}

// report adds the events up. It holds the output of unfinished tests only: what passed is forgotten.
type report struct {
	out                     io.Writer
	passed, failed, skipped int
	packages                map[string]*packageRun
	builds                  map[string]*strings.Builder
}

// packageRun is a package between its start and its end.
type packageRun struct {
	output  strings.Builder
	running map[string]*strings.Builder
	failed  int
}

func newReport(out io.Writer) *report {
	return &report{out: out, packages: map[string]*packageRun{}, builds: map[string]*strings.Builder{}}
}

// readAll takes in every line. A line that is no event, such as a message of the go command, is shown as it is.
func (r *report) readAll(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			r.line(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) line(line []byte) {
	var e event
	if line[0] != '{' || json.Unmarshal(line, &e) != nil {
		fmt.Fprintf(r.out, "%s\n", bytes.TrimRight(line, "\n"))
		return
	}
	switch {
	case e.Action == "build-output":
		r.build(e.ImportPath).WriteString(e.Output)
	case e.Package == "":
	case e.Test == "":
		r.packageEvent(e)
	default:
		r.testEvent(e)
	}
}

func (r *report) build(path string) *strings.Builder {
	if r.builds[path] == nil {
		r.builds[path] = &strings.Builder{}
	}
	return r.builds[path]
}

func (r *report) pkg(path string) *packageRun {
	if r.packages[path] == nil {
		r.packages[path] = &packageRun{running: map[string]*strings.Builder{}}
	}
	return r.packages[path]
}

func (r *report) testEvent(e event) {
	p := r.pkg(e.Package)
	if p.running[e.Test] == nil {
		p.running[e.Test] = &strings.Builder{}
	}
	switch e.Action {
	case "output":
		if !strings.HasPrefix(e.Output, "=== ") { // RUN, PAUSE, CONT: events again, as text
			p.running[e.Test].WriteString(e.Output)
		}
		return
	case "pass":
		r.passed++
	case "skip":
		r.skipped++
		fmt.Fprintf(r.out, "%s", p.running[e.Test])
	case "fail":
		r.failTest(p, p.running[e.Test])
	default: // run, pause, cont and the like: the test goes on
		return
	}
	delete(p.running, e.Test)
}

func (r *report) failTest(p *packageRun, output *strings.Builder) {
	r.failed++
	p.failed++
	fmt.Fprintf(r.out, "%s", output)
}

func (r *report) packageEvent(e event) {
	p := r.pkg(e.Package)
	switch e.Action {
	case "output":
		p.output.WriteString(e.Output)
		return
	case "pass", "skip":
		r.orphans(p)
		fmt.Fprintln(r.out, lastLine(p.output.String()))
	case "fail":
		r.failPackage(p, e)
	default:
		return
	}
	delete(r.packages, e.Package)
}

// orphans fails the tests that began and never ended, as those a crash or a timeout cut off.
func (r *report) orphans(p *packageRun) {
	for _, name := range slices.Sorted(maps.Keys(p.running)) {
		fmt.Fprintf(r.out, "--- FAIL: %s (did not end)\n", name)
		r.failTest(p, p.running[name])
	}
}

// failPackage counts a package that failed without a failing test (it did not build, crashed, or failed in TestMain)
// as one failure of its own.
func (r *report) failPackage(p *packageRun, e event) {
	r.orphans(p)
	if e.FailedBuild != "" {
		fmt.Fprintf(r.out, "%s", r.build(e.FailedBuild))
	}
	if p.failed == 0 {
		r.failed++
	}
	fmt.Fprint(r.out, p.output.String())
}

// finish prints the closing line and returns the exit code.
func (r *report) finish(strict bool) int {
	code := 0
	for _, path := range slices.Sorted(maps.Keys(r.packages)) {
		fmt.Fprintf(r.out, "FAIL\t%s (the run ended before it did)\n", path)
		r.failed++
	}
	if strict && r.skipped > 0 {
		fmt.Fprintln(r.out, "FAIL: tests were skipped, and in CI a skipped test is a failure; each is named above")
		code = 1
	}
	if r.passed == 0 {
		fmt.Fprintln(r.out, "FAIL: no test passed; run go test by hand to see why")
		code = 1
	}
	if r.failed > 0 {
		code = 1
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	return code
}

// lastLine returns the last line that is not blank: in a package's output, go test's verdict.
func lastLine(s string) string {
	s = strings.TrimRight(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}
