// Testgate reads what `go test -json` prints, shows it as a person would read it, and decides whether the run counts.
//
// It prints the line that go test would have printed for each package (ok, FAIL), the output of each failing test and
// package, and every skipped test by name, so that none is skipped silently. Its last line is always
// "N passed, N failed, N skipped", counting tests and subtests.
//
// The run counts when something passed, nothing failed, no package went missing in the middle, and, where the
// environment variable CI is set, nothing was skipped. Which tests exist and how they run is left to tools/test.sh.
//
// It uses the standard library only and is a module of its own, so that it builds in a second before anything else does.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Stdin, os.Stdout, os.Getenv("CI") != ""))
}

// run copies a readable report of the events in to out and returns the exit code: 0 when the run counts, 1 when not.
// strict makes a skipped test a failure.
func run(in io.Reader, out io.Writer, strict bool) int {
	report := newReport(out)
	if err := report.readAll(in); err != nil {
		fmt.Fprintf(out, "testgate: cannot read the test events: %v\n", err)
		return 1
	}
	return report.finish(strict)
}
