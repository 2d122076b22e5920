package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/envfile"
)

type completionCmd struct {
	Shell string `arg:"" help:"${enum}." enum:"bash,zsh,fish"`
}

// Help gives examples.
func (completionCmd) Help() string {
	return `Have it read when the shell starts: in ~/.bashrc by the line source <(rollcall completion bash), in ~/.zshrc, after compinit, by source <(rollcall completion zsh), and for fish by a file that it looks for by itself.

	rollcall completion bash
	rollcall completion zsh
	rollcall completion fish > ~/.config/fish/completions/rollcall.fish`
}

// Run prints the script.
func (cmd *completionCmd) Run(w *world, k *kong.Context) error {
	write := map[string]func([]offer) string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[cmd.Shell]
	_, err := io.WriteString(w.stdout, write(offersBelow(k.Model.Node)))
	return err
}

// offer is what may follow the words of a command.
type offer struct {
	command  string // "rollcall users list"
	commands []*kong.Node
	flags    []offeredFlag
	files    bool // it takes arguments that may be files
	values   []string
}

// offeredFlag is a flag as it is typed.
type offeredFlag struct {
	name, short, help string // "--output"
	kind              valueKind
	values            []string // where kind is oneOf or someOf
}

// valueKind is what follows a flag.
type valueKind int

const (
	nothing valueKind = iota
	anything
	aFile
	aProfile
	oneOf  // one of the values
	someOf // some of them, separated by commas
)

// offersBelow lists the command and all below it.
func offersBelow(n *kong.Node) []offer {
	o := offer{command: commandWords(n), commands: n.Children}
	for _, flag := range flagsOf(n) {
		o.flags = append(o.flags, offeredFlags(flag)...)
	}
	for _, arg := range n.Positional {
		o.values = append(o.values, enumOf(arg)...)
		o.files = o.files || len(enumOf(arg)) == 0
	}
	offers := []offer{o}
	for _, child := range n.Children {
		offers = append(offers, offersBelow(child)...)
	}
	return offers
}

// flagsOf are the flags that may be typed after a command, those of the commands above
// it first.
func flagsOf(n *kong.Node) (flags []*kong.Flag) {
	for _, group := range n.AllFlags(true) {
		flags = append(flags, group...)
	}
	return flags
}

func offeredFlags(flag *kong.Flag) []offeredFlag {
	f := offeredFlag{name: "--" + flag.Name, help: flag.Help, kind: kindOf(flag)}
	if flag.Short != 0 {
		f.short = "-" + string(flag.Short)
	}
	if f.kind == oneOf || f.kind == someOf {
		f.values = valuesOf(flag)
	}
	if flag.Tag.Negatable == "" {
		return []offeredFlag{f}
	}
	return []offeredFlag{f, {name: "--no-" + flag.Name, help: flag.Help}}
}

func kindOf(flag *kong.Flag) valueKind {
	switch values := valuesOf(flag); {
	case flag.IsBool():
		return nothing
	case len(values) > 0 && flag.IsSlice():
		return someOf
	case len(values) > 0:
		return oneOf
	case flag.Name == "profile":
		return aProfile
	case strings.Contains(flag.PlaceHolder, "FILE"), flag.PlaceHolder == "DIR", flag.PlaceHolder == "JOURNAL":
		return aFile
	}
	return anything
}

// valuesOf are those that a flag takes, or that are suggested for it.
func valuesOf(flag *kong.Flag) []string {
	if flag.Tag.Get("suggest") == "permissions" { // another server may know more of them
		return access.AllOf(access.All)
	}
	return enumOf(flag.Value)
}

func enumOf(v *kong.Value) (values []string) {
	for value := range strings.SplitSeq(v.Enum, ",") {
		if value != "" {
			values = append(values, value)
		}
	}
	return values
}

// commandWords lead to a command: "rollcall users list".
func commandWords(n *kong.Node) string {
	if n.Parent == nil {
		return n.Name
	}
	return commandWords(n.Parent) + " " + n.Name
}

// words are the names of what may follow.
func (o offer) words() []string {
	var words []string
	for _, child := range o.commands {
		words = append(words, child.Name)
	}
	words = append(words, o.values...)
	for _, flag := range o.flags {
		words = append(words, flag.name)
	}
	return words
}

// profilesPattern matches the files of profiles, for a POSIX shell.
const profilesPattern = `"${XDG_CONFIG_HOME:-$HOME/.config}"/rollcall/profiles/*.json`

// bashCompletion follows the words that were typed to a command, and offers what may
// come next there, or files. Names of commands, flags and values are letters, dots and
// dashes: bash takes none for more than a word.
func bashCompletion(offers []offer) string {
	var known []string
	var offered, values strings.Builder
	for _, o := range offers {
		known = append(known, envfile.Quote(o.command))
		fmt.Fprintf(&offered, "    '%s') words='%s' ;;\n", o.command, strings.Join(o.words(), " "))
		for _, flag := range o.flags {
			if list := strings.Join(flag.values, " "); list != "" {
				fmt.Fprintf(&values, "    '%s %s') words='%s' list=%t ;;\n", o.command, flag.name, list, flag.kind == someOf)
			}
		}
	}
	return `_rollcall() {
  local at=rollcall word words='' list='' profile before='' current="${COMP_WORDS[COMP_CWORD]}" flag="${COMP_WORDS[COMP_CWORD-1]}"
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
    ` + strings.Join(known, " | ") + `) at="$at $word" ;;
    esac
  done
  if [[ $flag == = ]]; then flag="${COMP_WORDS[COMP_CWORD-2]}"; fi # --flag=value is three words
  if [[ $current == = ]]; then current=''; fi
  case "$at" in
` + offered.String() + `  esac
  case "$at $flag" in
  *' --profile')
    words=''
    for profile in ` + profilesPattern + `; do
      if [[ -e $profile ]]; then profile="${profile##*/}" words+=" ${profile%.json}"; fi
    done ;;
` + values.String() + `  esac
  if [[ $list == true && $current == *,* ]]; then before="${current%,*}," current="${current##*,}"; fi
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$words" -- "$current")
}
complete -o default -F _rollcall rollcall
`
}
