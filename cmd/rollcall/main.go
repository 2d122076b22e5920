// Command rollcall is the server, its local administration and, one day, its client.
//
// This package reads arguments, environment and configuration file, and prints;
// everything else is in the rooms it connects. What must always hold: a secret is
// never an argument, a variable or a log line, and what ends badly says what to do.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/rollcall-id/rollcall/internal/config"
)

// cli is everything that can be typed.
type cli struct {
	Config string `help:"Configuration file, YAML: the long flag names without dashes in front." placeholder:"FILE" type:"path"`

	Serve   serveCmd   `cmd:"" help:"Serve the Users API for real use."`
	Dev     devCmd     `cmd:"" set:"log_format=text" help:"Serve a throwaway Users API to build and test against."`
	Admin   adminCmd   `cmd:"" help:"Administer accounts, people, applications and the audit record on this machine's database, also while the server runs."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// world is what a command may touch besides its arguments.
type world struct {
	stdout, stderr io.Writer
	stdin          io.Reader
	now            func() time.Time
	rand           io.Reader
}

func main() {
	os.Exit(run(os.Args[1:], &world{
		stdout: os.Stdout, stderr: os.Stderr, stdin: os.Stdin, now: time.Now, rand: rand.Reader,
	}))
}

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func run(args []string, w *world) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once: the default behaviour is back after the first.
	context.AfterFunc(ctx, stop)
	return runContext(ctx, args, w)
}

// exit carries kong's wish to end, as after --help, out of the parser.
type exit int

func runContext(ctx context.Context, args []string, w *world) (status int) {
	defer func() {
		if code, ok := recover().(exit); ok {
			status = int(code)
		}
	}()
	var c cli
	parser, err := newParser(ctx, &c, args, w)
	if err != nil {
		return w.fail(exitUsage, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return w.fail(exitUsage, usage(err))
	}
	if err := command.Run(); err != nil && !errors.Is(err, context.Canceled) {
		return w.fail(exitError, err)
	}
	return exitOK
}

func newParser(ctx context.Context, c *cli, args []string, w *world) (*kong.Kong, error) {
	options := []kong.Option{
		kong.Name("rollcall"),
		kong.Description("An open, self-hosted Users API: suspend a person the moment an alarm fires, list who is active, let them back in."),
		kong.DefaultEnvars("ROLLCALL"),
		kong.Vars{"log_format": "json"},
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: false}),
		kong.Bind(w),
		kong.BindTo(ctx, (*context.Context)(nil)),
	}
	file, err := configFile(args)
	if err != nil {
		return nil, err
	}
	if file != nil {
		options = append(options, kong.Resolvers(file))
	}
	return kong.New(c, options...)
}

// fail prints what went wrong and returns the exit status.
func (w *world) fail(status int, err error) int {
	fmt.Fprintf(w.stderr, "rollcall: %v\n", err) //nolint:errcheck // there is nowhere left to say it
	return status
}

// usage adds what to type next to a mistake in the arguments.
func usage(err error) error {
	return fmt.Errorf("%w\nsee 'rollcall --help'", err)
}

// logger writes the log to standard error.
func (w *world) logger(c config.Logs) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w.stderr, options))
	}
	return slog.New(slog.NewJSONHandler(w.stderr, options))
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(w *world) error {
	_, err := fmt.Fprintln(w.stdout, "rollcall", version())
	return err
}

// version is the module's version as built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
