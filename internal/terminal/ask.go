package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
)

// IsTerminal tells whether a person sits at the other end.
func IsTerminal(stream any) bool {
	file, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}

// widthOf is how many columns a terminal has, 0 where it does not say.
func widthOf(stream any) int {
	file, ok := stream.(interface{ Fd() uintptr })
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// ErrDeclined is the answer to a question that was not answered with yes.
var ErrDeclined = errors.New("not confirmed: nothing was changed")

// Confirm asks before what can't be taken back, unless --yes was typed. It is a Misuse
// where there is nobody to ask.
func Confirm(ctx context.Context, stdin io.Reader, stderr io.Writer, yes bool, consequence string) error {
	if yes {
		return nil
	}
	if !IsTerminal(stdin) {
		return Misused("%s\nadd --yes to do it without being asked", consequence)
	}
	fmt.Fprintf(stderr, "%s\nType yes to go on: ", consequence)
	answer := make(chan string, 1)
	// Reading a terminal can't be interrupted: if the context ends first, the reader
	// ends with the process, which does nothing more.
	go func() {
		line, _ := bufio.NewReader(io.LimitReader(stdin, 64)).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return ErrDeclined
	case text := <-answer:
		if text != "yes" {
			return ErrDeclined
		}
		return nil
	}
}

// Misuse is a mistake in what was typed, which says itself what to type.
type Misuse struct{ error }

// Unwrap returns what the mistake is.
func (e *Misuse) Unwrap() error { return e.error }

// Misused makes a Misuse as fmt.Errorf makes an error.
func Misused(format string, args ...any) error { return &Misuse{fmt.Errorf(format, args...)} }
