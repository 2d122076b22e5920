package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/rollcall-id/rollcall/internal/terminal"
)

type manCmd struct {
	Command []string `arg:"" optional:"" help:"The command whose page is printed, such as users suspend. Without it, one page of all."`
	Dir     string   `help:"Write the page of each command into this folder, such as /usr/local/share/man/man1, instead of printing one." placeholder:"DIR" type:"path"`
}

// Help gives examples.
func (*manCmd) Help() string {
	return `The pages are generated from what --help says. To read one at once: rollcall man users suspend | man -l -

	rollcall man
	rollcall man users suspend
	rollcall man --dir man1`
}

// Run prints a page, or writes all.
func (cmd *manCmd) Run(w *world, k *kong.Context) error {
	if cmd.Dir != "" {
		if len(cmd.Command) > 0 {
			return terminal.Misused("--dir writes the pages of all commands: leave out %s", strings.Join(cmd.Command, " "))
		}
		return writePages(cmd.Dir, k.Model.Node)
	}
	page := manPage(k.Model.Node)
	if len(cmd.Command) > 0 {
		n := k.Model.Node
		for _, word := range cmd.Command {
			if n = childOf(n, word); n == nil {
				return terminal.Misused("there is no command %q: 'rollcall --help' shows those there are", strings.Join(cmd.Command, " "))
			}
		}
		page = commandPage(n)
	}
	_, err := io.WriteString(w.stdout, page)
	return err
}

func childOf(n *kong.Node, name string) *kong.Node {
	for _, child := range n.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

// writePages writes the page of all commands and one for each.
func writePages(dir string, n *kong.Node) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // G301: manuals are for everybody
		return fmt.Errorf("write the manual: %w", err)
	}
	write := commandPage
	if n.Parent == nil {
		write = manPage
	}
	page := write(n)
	if err := os.WriteFile(filepath.Join(dir, pageName(n)+".1"), []byte(page), 0o644); err != nil { //nolint:gosec // G306: as above
		return fmt.Errorf("write the manual: %w", err)
	}
	for _, child := range n.Children {
		if err := writePages(dir, child); err != nil {
			return err
		}
	}
	return nil
}

// pageName is what man is asked for: "rollcall-users-suspend".
func pageName(n *kong.Node) string { return strings.ReplaceAll(commandWords(n), " ", "-") }

// manPage is the manual of all commands, in the macros of man(7).
func manPage(root *kong.Node) string {
	var page strings.Builder
	writeTitle(&page, root)
	page.WriteString(".SH SYNOPSIS\n.B rollcall\n.I command\n[flags]\n.SH FLAGS OF ALL COMMANDS\n")
	writeFlags(&page, root.Flags)
	page.WriteString(".SH COMMANDS\n")
	for _, child := range root.Children {
		writeCommand(&page, child)
	}
	writeExitStatus(&page)
	return page.String()
}

// commandPage is the manual of one command, with the flags of those above it.
func commandPage(n *kong.Node) string {
	var page strings.Builder
	writeTitle(&page, n)
	words := commandWords(n)
	if len(n.Children) > 0 {
		words += " COMMAND"
	}
	for _, arg := range n.Positional {
		words += " " + arg.Summary()
	}
	fmt.Fprintf(&page, ".SH SYNOPSIS\n.B %s\n[flags]\n", roff(words))
	if n.Detail != "" {
		page.WriteString(".SH DESCRIPTION\n")
		writeDetail(&page, n.Detail)
	}
	if len(n.Positional) > 0 {
		page.WriteString(".SH ARGUMENTS\n")
		writeArguments(&page, n)
	}
	if len(n.Children) > 0 {
		page.WriteString(".SH COMMANDS\n")
	}
	for _, child := range n.Children {
		fmt.Fprintf(&page, ".TP\n.BR %s (1)\n%s\n", roff(pageName(child)), roff(child.Help))
	}
	page.WriteString(".SH FLAGS\n")
	writeFlags(&page, flagsOf(n))
	writeExitStatus(&page)
	fmt.Fprintf(&page, ".SH SEE ALSO\n.BR %s (1)\n", roff(pageName(n.Parent)))
	return page.String()
}

func writeTitle(page *strings.Builder, n *kong.Node) {
	fmt.Fprintf(page, ".TH %s 1 \"\" \"rollcall %s\"\n.ad l\n.SH NAME\n%s \\- %s\n",
		strings.ToUpper(pageName(n)), roff(version()), roff(pageName(n)), roff(strings.TrimSuffix(n.Help, ".")))
}

func writeExitStatus(page *strings.Builder) {
	page.WriteString(".SH EXIT STATUS\n0 if all was done, 1 if something failed, 2 if what was typed is wrong.\n")
}

// writeCommand describes a command and all below it.
func writeCommand(page *strings.Builder, n *kong.Node) {
	words := commandWords(n)
	for _, arg := range n.Positional {
		words += " " + arg.Summary()
	}
	fmt.Fprintf(page, ".SS %s\n%s\n", roff(words), roff(n.Help))
	writeDetail(page, n.Detail)
	writeArguments(page, n)
	writeFlags(page, n.Flags)
	for _, child := range n.Children {
		writeCommand(page, child)
	}
}

func writeArguments(page *strings.Builder, n *kong.Node) {
	for _, arg := range n.Positional {
		fmt.Fprintf(page, ".TP\n.I %s\n%s\n", roff(arg.Summary()), roff(describe(arg)))
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
