// Command rollcall is the server, its local administration and a client of any Users API.
//
// This package reads arguments, environment and configuration file, and prints;
// everything else is in the rooms it connects. What must always hold: a secret is
// never an argument or a log line, a server's never a variable either, and what ends
// badly says what to do.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/rollcall-id/rollcall/internal/config"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// grammar is everything that can be typed.
type grammar struct {
	Config string `help:"Configuration file, YAML: the long flag names without dashes in front." placeholder:"FILE" type:"path"`

	Serve   serveCmd   `cmd:"" help:"Serve the Users API for real use."`
	Dev     devCmd     `cmd:"" set:"log_format=text" help:"Serve a throwaway Users API to build and test against."`
	Admin   adminCmd   `cmd:"" help:"Administer accounts, people, applications and the audit record on this machine's database, also while the server runs."`
	Version versionCmd `cmd:"" help:"Print the version."`

	clientCommands

	Completion completionCmd `cmd:"" help:"Print a script that lets the shell complete commands and flags."`
	Man        manCmd        `cmd:"" help:"Print the manual page."`
}

// world is what a command may touch besides its arguments.
type world struct {
	stdout, stderr io.Writer
	stdin          io.Reader
	now            func() time.Time
	rand           io.Reader
}

func main() {
	w := &world{stdout: os.Stdout, stderr: os.Stderr, stdin: os.Stdin, now: time.Now, rand: rand.Reader}
	if err := dropEmptyVariables(); err != nil {
		os.Exit(w.fail(exitError, err))
	}
	os.Exit(run(os.Args[1:], w))
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
		switch code := recover().(type) {
		case nil:
		case exit:
			status = int(code)
		default:
			panic(code) // a defect must not look like success
		}
	}()
	if err := config.NoPasswordArgument(args); err != nil {
		return w.fail(exitUsage, err)
	}
	var c grammar
	parser, err := newParser(ctx, &c, args, w)
	if err != nil {
		return w.fail(exitUsage, err)
	}
	command, err := parser.Parse(args)
	if err != nil {
		return w.misused(parser, err)
	}
	var misuse *terminal.Misuse
	switch err := command.Run(); {
	case err == nil, errors.Is(err, context.Canceled):
		return exitOK
	case errors.As(err, &misuse):
		return w.fail(exitUsage, err)
	default:
		return w.fail(exitError, err)
	}
}

// misused says how the command that was meant is used, and what was wrong.
func (w *world) misused(parser *kong.Kong, err error) int {
	var wrong *kong.ParseError
	if !errors.As(err, &wrong) {
		return w.fail(exitUsage, mistyped(err))
	}
	parser.Stdout = w.stderr
	if helpErr := wrong.Context.PrintUsage(true); helpErr != nil {
		err = errors.Join(err, helpErr)
	}
	return w.fail(exitUsage, err)
}

const secretFileHelp = "Write account id, client id and secret to this file, as shell assignments that only you can read, instead of printing the secret. Other lines of the file are kept."

// newParser reads the configuration file, and makes the parser of everything else.
func newParser(ctx context.Context, c *grammar, args []string, w *world) (*kong.Kong, error) {
	options := []kong.Option{
		kong.Name("rollcall"),
		kong.Description("An open, self-hosted Users API: suspend a person the moment an alarm fires, list who is active, let them back in."),
		settingVariables(),
		kong.ValueFormatter(describe),
		kong.Vars{"log_format": "json", "secret_file": secretFileHelp},
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Bind(w, w.clientEnv()),
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
	fmt.Fprint(w.stderr, "rollcall: ")
	for line := range strings.Lines(err.Error()) {
		// Files and the database can hold text that would rewrite the terminal.
		fmt.Fprintln(w.stderr, terminal.Visible(strings.TrimSuffix(line, "\n")))
	}
	return status
}

// mistyped adds what to type next to a mistake in the arguments.
func mistyped(err error) error {
	return terminal.Misused("%w\nsee 'rollcall --help'", err)
}

type versionCmd struct{}

// Help gives an example.
func (versionCmd) Help() string { return "Example:\n\n\trollcall version" }

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
