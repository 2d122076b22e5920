package main

import (
	"os"
	"strings"

	"github.com/rollcall-id/rollcall/internal/cli"
)

// clientCommands are those that call an API, this program's or another's.
type clientCommands struct{ cli.Commands }

// clientEnv is the world as the client commands see it.
func (w *world) clientEnv() *cli.Env {
	return &cli.Env{
		Stdin: w.stdin, Stdout: w.stdout, Stderr: w.stderr, Now: w.now,
		Getenv: os.Getenv, Keyring: cli.SystemKeyring(os.Getenv),
		// A product's version has no parentheses (RFC 9110 section 10.1.5).
		UserAgent: "rollcall/" + strings.Trim(version(), "()"),
	}
}
