// Command bench measures what a request costs the server: CPU microseconds of its process, with the database on disk,
// every commit durable, limits counted, audit and usage on. `make bench` runs it; docs/performance.md explains the method.
//
// This package owns the plan of a benchmark run: which databases, which scenarios, how often, and the targets. How load
// is made is left to load, how the server is run and read to process, the figures and their layout to report.
//
//	main -> suite: build, seed -> phases: bare, load, ready, pages -> report
//	                                 |
//	        scenario (what is sent, what is right) -> load.Run -> server process
//
// What must always hold: the server under test is the released binary in a process of its own; only runs in which every
// answer was right are counted; what was started is ended and what was written is removed, also after an error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/rollcall-id/rollcall/bench/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// Exit statuses: a target that was missed is told apart from a run that failed.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitMissed = 3
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == bareCommand {
		return failure(stderr, serveBare(ctx, args[1:], stderr))
	}
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitUsage
	}
	result, err := measureAll(ctx, o, stderr)
	if err != nil {
		return failure(stderr, err)
	}
	if o.profile != "" {
		return exitOK // a profiled server is slower: its figures mean nothing
	}
	if err := publish(result, o, stdout); err != nil {
		return failure(stderr, err)
	}
	return verdict(result, o, stderr)
}

func failure(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "bench:", err)
	return exitFailed
}

// publish writes the report where the options say.
func publish(r report.Report, o options, stdout io.Writer) error {
	text := r.Text()
	if o.markdown {
		text = r.Markdown()
	}
	if _, err := io.WriteString(stdout, text); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if o.json == "" {
		return nil
	}
	encoded, err := r.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(o.json, encoded, 0o644); err != nil { //nolint:gosec // G306: figures are for everyone
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// verdict names the targets that were missed, and fails for them where that was asked for.
func verdict(r report.Report, o options, stderr io.Writer) int {
	missed := r.Missed()
	if len(missed) == 0 {
		return exitOK
	}
	fmt.Fprintf(stderr, "bench: missed: %s\n", strings.Join(missed, ", "))
	if o.check {
		return exitMissed
	}
	return exitOK
}
