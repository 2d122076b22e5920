package main

import (
	"fmt"
	"strings"
)

// fishCompletion is a list of what fish may offer, each under the condition that the
// words before lead to its command.
func fishCompletion(offers []offer) string {
	var known []string
	var offered strings.Builder
	for _, o := range offers {
		known = append(known, fishQuote(o.command))
		at := "complete -c rollcall -n " + fishQuote("test (__rollcall_at) = "+fishQuote(o.command))
		if !o.files {
			fmt.Fprintf(&offered, "%s -f\n", at)
		}
		for _, child := range o.commands {
			fmt.Fprintf(&offered, "%s -a %s -d %s\n", at, child.Name, fishQuote(child.Help))
		}
		for _, value := range o.values {
			fmt.Fprintf(&offered, "%s -a %s\n", at, value)
		}
		for _, flag := range o.flags {
			fmt.Fprintf(&offered, "%s -l %s%s -d %s\n", at, strings.TrimPrefix(flag.name, "--"), fishValue(flag), fishQuote(flag.help))
		}
	}
	return `function __rollcall_at
    set -l at rollcall
    set -l known ` + strings.Join(known, " ") + `
    for word in (commandline -opc)[2..]
        if contains -- "$at $word" $known
            set at "$at $word"
        end
    end
    echo $at
end
function __rollcall_profiles
    set -l base $HOME/.config
    set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
    for file in $base/rollcall/profiles/*.json
        string replace -r '.*/(.*)\.json$' '$1' -- $file
    end
end
` + offered.String()
}

// fishValue says what follows a flag, and its short form.
func fishValue(flag offeredFlag) string {
	short := ""
	if flag.short != "" {
		short = " -s " + strings.TrimPrefix(flag.short, "-")
	}
	switch values := strings.Join(flag.values, " "); flag.kind {
	case oneOf:
		return short + " -x -a " + fishQuote(values)
	case someOf:
		return short + " -x -a " + fishQuote(`(__fish_complete_list , "printf %s\n `+values+`")`)
	case aProfile:
		return short + " -x -a '(__rollcall_profiles)'"
	case aFile:
		return short + " -r -F"
	case anything:
		return short + " -x"
	}
	return short
}

// fishQuote quotes a word for fish, where only two characters are special in quotes.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
