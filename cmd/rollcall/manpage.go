package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type manCmd struct{}

// Help gives examples.
func (manCmd) Help() string {
	return `It is generated from what --help says. To read it at once: rollcall man | man -l -

	rollcall man`
}

// Run prints the page.
func (*manCmd) Run(w *world, k *kong.Context) error {
	_, err := io.WriteString(w.stdout, manPage(k.Model.Node))
	return err
}

// manPage is the manual of all commands, in the macros of man(7).
func manPage(root *kong.Node) string {
	var page strings.Builder
	fmt.Fprintf(&page, ".TH ROLLCALL 1 \"\" \"rollcall %s\"\n.SH NAME\nrollcall \\- %s\n", roff(version()), roff(strings.TrimSuffix(root.Help, ".")))
	page.WriteString(".SH SYNOPSIS\n.B rollcall\n.I command\n[flags]\n.SH FLAGS OF ALL COMMANDS\n")
	writeFlags(&page, root.Flags)
	page.WriteString(".SH COMMANDS\n")
	for _, child := range root.Children {
		writeCommand(&page, child)
	}
	page.WriteString(".SH EXIT STATUS\n0 if all was done, 1 if something failed, 2 if what was typed is wrong.\n")
	return page.String()
}

// writeCommand describes a command and all below it.
func writeCommand(page *strings.Builder, n *kong.Node) {
	words := commandWords(n)
	for _, arg := range n.Positional {
		words += " " + arg.Summary()
	}
	fmt.Fprintf(page, ".SS %s\n%s\n", roff(words), roff(n.Help))
	writeDetail(page, n.Detail)
	for _, arg := range n.Positional {
		fmt.Fprintf(page, ".TP\n.I %s\n%s\n", roff(arg.Summary()), roff(describe(arg)))
	}
	writeFlags(page, n.Flags)
	for _, child := range n.Children {
		writeCommand(page, child)
	}
}

// writeDetail sets paragraphs, and examples as they are typed.
func writeDetail(page *strings.Builder, detail string) {
	for line := range strings.Lines(detail) {
		line = strings.TrimSuffix(line, "\n")
		switch example, isExample := strings.CutPrefix(line, "\t"); {
		case isExample:
			fmt.Fprintf(page, ".br\n.nf\n    %s\n.fi\n", roff(example))
		case line == "":
			page.WriteString(".PP\n")
		default:
			page.WriteString(".PP\n" + roff(line) + "\n")
		}
	}
}

func writeFlags(page *strings.Builder, flags []*kong.Flag) {
	for _, flag := range flags {
		name := "--" + flag.Name
		if flag.Tag.Negatable != "" {
			name = "--[no-]" + flag.Name
		}
		if flag.Short != 0 {
			name = "-" + string(flag.Short) + ", " + name
		}
		if !flag.IsBool() {
			name += "=" + flag.FormatPlaceHolder()
		}
		fmt.Fprintf(page, ".TP\n.B %s\n%s\n", roff(name), roff(describe(flag.Value)))
	}
}

// roff keeps text from being taken for a request or an escape.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + s
	}
	return s
}
