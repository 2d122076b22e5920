package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
)

// isTerminal tells whether a person sits at the other end.
func isTerminal(stream any) bool {
	file, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}

// errDeclined is the answer to a question that was not answered with yes.
var errDeclined = errors.New("not confirmed: nothing was changed")

// confirm asks before what can't be taken back, unless --yes was typed.
func (w *world) confirm(ctx context.Context, yes bool, consequence string) error {
	if yes {
		return nil
	}
	if !isTerminal(w.stdin) {
		return usageHint("%s\nadd --yes to do it without being asked", consequence)
	}
	fmt.Fprintf(w.stderr, "%s\nType yes to go on: ", consequence)
	answer := make(chan string, 1)
	// Reading a terminal can't be interrupted: if the context ends first, the reader
	// ends with the process, which does nothing more.
	go func() {
		line, _ := bufio.NewReader(io.LimitReader(w.stdin, 64)).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return errDeclined
	case text := <-answer:
		if text != "yes" {
			return errDeclined
		}
		return nil
	}
}
