package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// maxSecret bounds what is read as a secret, in bytes.
const maxSecret = 4 << 10

// readSecret reads one line: from standard input, or from the terminal without showing
// what is typed.
func (e *Env) readSecret(ctx context.Context, fromStdin bool, prompt string) (client.Secret, error) {
	var line string
	var err error
	switch {
	case fromStdin:
		line, err = readLine(e.Stdin)
	case terminal.IsTerminal(e.Stdin):
		line, err = e.askHidden(ctx, prompt)
	default:
		return client.Secret{}, terminal.Misused("standard input is no terminal to ask for the secret: pipe it in and add --stdin")
	}
	if err != nil {
		return client.Secret{}, interrupted(ctx, err, "no secret was read")
	}
	if line = strings.TrimSpace(line); line == "" {
		return client.Secret{}, errors.New("the secret is empty: paste it as it was shown when it was made")
	}
	return client.NewSecret(line), nil
}

func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxSecret+1)).ReadString('\n')
	switch {
	case len(line) > maxSecret:
		return "", fmt.Errorf("read the secret from standard input: it is longer than %d bytes", maxSecret)
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("read the secret from standard input: %w", err)
	}
	return line, nil
}

// askHidden asks at the terminal. If the context ends first, the terminal is put back
// as it was; the reader ends with the process, which does nothing more.
func (e *Env) askHidden(ctx context.Context, prompt string) (string, error) {
	file, ok := e.Stdin.(interface{ Fd() uintptr })
	if !ok {
		return "", errors.New("standard input is no terminal")
	}
	fd := int(file.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("ask for the secret: %w", err)
	}
	fmt.Fprint(e.Stderr, prompt)
	defer fmt.Fprintln(e.Stderr)
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		answered <- answer{text, err}
	}()
	select {
	case a := <-answered:
		return string(a.text), a.err
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}
