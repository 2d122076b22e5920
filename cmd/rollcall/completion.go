package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" help:"${enum}." enum:"bash"`
}

// Help gives an example.
func (completionCmd) Help() string {
	return `Have it read when the shell starts, by this line in ~/.bashrc: source <(rollcall completion bash)

	rollcall completion bash`
}

// Run prints the script.
func (*completionCmd) Run(w *world, k *kong.Context) error {
	_, err := io.WriteString(w.stdout, bashCompletion(k.Model.Node))
	return err
}

// candidates are what may follow the words of a command.
type candidates struct{ command, words string }

// candidatesBelow lists the command and all below it.
func candidatesBelow(n *kong.Node) []candidates {
	var words []string
	var below []candidates
	for _, child := range n.Children {
		words = append(words, child.Name)
		below = append(below, candidatesBelow(child)...)
	}
	for _, flag := range flagsOf(n) {
		words = append(words, "--"+flag.Name)
		if flag.Tag.Negatable != "" {
			words = append(words, "--no-"+flag.Name)
		}
	}
	return append([]candidates{{commandWords(n), strings.Join(words, " ")}}, below...)
}

// flagsOf are the flags that may be typed after a command, those of the commands above
// it first.
func flagsOf(n *kong.Node) (flags []*kong.Flag) {
	for _, group := range n.AllFlags(true) {
		flags = append(flags, group...)
	}
	return flags
}

// commandWords lead to a command: "rollcall users list".
func commandWords(n *kong.Node) string {
	if n.Parent == nil {
		return n.Name
	}
	return commandWords(n.Parent) + " " + n.Name
}

// bashCompletion follows the words that were typed to a command, and offers what may
// come next there, or files. Names of commands and flags are letters and dashes: bash
// takes none for more than a word.
func bashCompletion(root *kong.Node) string {
	var known []string
	var offered strings.Builder
	for _, c := range candidatesBelow(root) {
		known = append(known, "'"+c.command+"'")
		fmt.Fprintf(&offered, "    '%s') words='%s' ;;\n", c.command, c.words)
	}
	return `_rollcall() {
  local at=rollcall word words=''
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
    ` + strings.Join(known, " | ") + `) at="$at $word" ;;
    esac
  done
  case "$at" in
` + offered.String() + `  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _rollcall rollcall
`
}
