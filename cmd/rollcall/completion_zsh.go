package main

import (
	"fmt"
	"strings"

	"github.com/rollcall-id/rollcall/internal/envfile"
)

// zshCompletion is a function for zsh's completion system, to be sourced after compinit
// or put as _rollcall into a folder of fpath.
func zshCompletion(offers []offer) string {
	var known []string
	var offered, values strings.Builder
	for _, o := range offers {
		known = append(known, envfile.Quote(o.command))
		fmt.Fprintf(&offered, "  '%s')\n", o.command)
		zshDescribed(&offered, "commands", zshCommands(o))
		zshDescribed(&offered, "options", zshFlags(o))
		fmt.Fprintf(&offered, "    files=%t ;;\n", o.files)
		for _, flag := range o.flags {
			if action := zshAction(flag); action != "" {
				fmt.Fprintf(&values, "  '%s %s') %s; return ;;\n", o.command, flag.name, action)
			}
		}
	}
	return `#compdef rollcall
_rollcall() {
  local at=rollcall word files=false
  local -a commands options profiles
  for word in "${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
    ` + strings.Join(known, " | ") + `) at="$at $word" ;;
    esac
  done
  local flag="${words[CURRENT-1]}"
  if [[ ${words[CURRENT]} == --*=* ]]; then
    flag="${words[CURRENT]%%=*}"
    compset -P 1 '*='
  fi
  case "$at $flag" in
` + values.String() + `  esac
  case "$at" in
` + offered.String() + `  esac
  if [[ ${words[CURRENT]} == -* ]]; then
    _describe -o option options
    return
  fi
  (( $#commands )) && _describe command commands
  [[ $files == true ]] && _files
}
if [[ ${funcstack[1]} == _rollcall ]]; then
  _rollcall "$@"
else
  compdef _rollcall rollcall
fi
`
}

func zshCommands(o offer) (described []string) {
	for _, child := range o.commands {
		described = append(described, child.Name+":"+child.Help)
	}
	return append(described, o.values...)
}

func zshFlags(o offer) (described []string) {
	for _, flag := range o.flags {
		described = append(described, flag.name+":"+flag.help)
		if flag.short != "" {
			described = append(described, flag.short+":"+flag.help)
		}
	}
	return described
}

func zshDescribed(b *strings.Builder, array string, described []string) {
	if len(described) == 0 {
		return
	}
	fmt.Fprintf(b, "    %s=(\n", array)
	for _, d := range described {
		fmt.Fprintf(b, "      %s\n", envfile.Quote(d))
	}
	b.WriteString("    )\n")
}

// zshAction completes the value of a flag.
func zshAction(flag offeredFlag) string {
	switch flag.kind {
	case oneOf:
		return "compadd -- " + strings.Join(flag.values, " ")
	case someOf:
		return "compset -P '*,'; compadd -q -S ',' -- " + strings.Join(flag.values, " ")
	case aFile:
		return "_files"
	case aProfile:
		return "profiles=(" + strings.Replace(profilesPattern, "*.json", "*.json(N:t:r)", 1) + "); compadd -a profiles"
	case anything:
		return "_message value"
	}
	return ""
}
