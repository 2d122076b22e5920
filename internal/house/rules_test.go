package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Limits of style, in lines. Generated files and tests are exempt.
const (
	maxFileLines = 400
	maxBodyLines = 80
)

// vagueNames say nothing about what a package is for.
const vagueNames = "util utils common helper helpers model models misc base shared"

// pkg is a package of this module.
type pkg struct {
	path    string
	name    string
	imports []string // of the files that are no tests
	files   []file   // all of them, tests too
}

// file is a parsed source file.
type file struct {
	name string
	test bool
	set  *token.FileSet
	tree *ast.File
}

// handwritten tells whether the rules of style apply.
func (f file) handwritten() bool { return !f.test && !ast.IsGenerated(f.tree) }

// dependencyBreaches returns a sentence for each import of the package that the plan forbids.
func dependencyBreaches(p pkg) []string {
	room := roomOf(p.path)
	if floorOf(room) == 0 {
		return []string{fmt.Sprintf("%s is on no floor: give %q a floor in docs/design.md and in internal/house/floors_test.go", p.path, room)}
	}
	var breaches []string
	for _, imported := range p.imports {
		if why := importBreach(room, imported); why != "" {
			breaches = append(breaches, fmt.Sprintf("%s imports %s: %s", p.path, imported, why))
		}
	}
	return breaches
}

// importBreach returns why the room must not import the package, or nothing.
func importBreach(room, imported string) string {
	if isRoom(ruleRooms, room) && isRoom(worldly, imported) {
		return "rule rooms take clock, chance, disk and network as values"
	}
	to := roomOf(imported)
	if to == "" || to == room {
		return ""
	}
	here, there := floorOf(room), floorOf(to)
	allowed, isNarrow := narrow[room]
	switch {
	case isNarrow && !isRoom(allowed, to):
		return fmt.Sprintf("of ours, %s may import only [%s]", room, allowed)
	case there > here:
		return fmt.Sprintf("up, from floor %d to floor %d", here, there)
	case there == here && house[here-1].apart:
		return fmt.Sprintf("sideways on floor %d", here)
	}
	return ""
}

// clockBreaches returns a sentence for each place of a rule room that names a function reading the clock.
func clockBreaches(p pkg) []string {
	if !isRoom(ruleRooms, roomOf(p.path)) {
		return nil
	}
	var breaches []string
	for _, f := range p.files {
		if f.test {
			continue
		}
		timeName := importName(f.tree, "time")
		ast.Inspect(f.tree, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !isRoom(clockReads, sel.Sel.Name) {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == timeName {
				breaches = append(breaches, fmt.Sprintf("%s: time.%s in a rule room: take the time as an argument or a field", f.at(sel), sel.Sel.Name))
			}
			return true
		})
	}
	return breaches
}

// importName returns the name by which the file knows the package, or nothing when it does not import it.
func importName(tree *ast.File, imported string) string {
	for _, spec := range tree.Imports {
		if got, err := strconv.Unquote(spec.Path.Value); err != nil || got != imported {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(imported)
	}
	return ""
}

// at returns file:line of the node.
func (f file) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.name, f.set.Position(n.Pos()).Line)
}

// styleBreaches returns a sentence for each countable rule of style that the package breaks.
func styleBreaches(p pkg) []string {
	var breaches []string
	if isRoom(vagueNames, p.name) || isRoom(vagueNames, path.Base(p.path)) {
		breaches = append(breaches, p.path+": name the package after its idea or the technology it faces")
	}
	if !hasPackageComment(p) {
		breaches = append(breaches, p.path+": no package comment: say what it owns, what it leaves to whom, what must always hold")
	}
	for _, f := range p.files {
		if !f.handwritten() {
			continue
		}
		if lines := f.set.Position(f.tree.FileEnd).Line; lines > maxFileLines {
			breaches = append(breaches, fmt.Sprintf("%s: %d lines, at most %d", f.name, lines, maxFileLines))
		}
		breaches = append(breaches, bodyBreaches(f)...)
	}
	return breaches
}

// bodyBreaches returns a sentence for each function of the file whose body is too long, counting the lines between its braces.
func bodyBreaches(f file) []string {
	var breaches []string
	for _, decl := range f.tree.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		lines := f.set.Position(fn.Body.Rbrace).Line - f.set.Position(fn.Body.Lbrace).Line - 1
		if lines > maxBodyLines {
			breaches = append(breaches, fmt.Sprintf("%s: the body of %s has %d lines, at most %d", f.at(fn), fn.Name.Name, lines, maxBodyLines))
		}
	}
	return breaches
}

// hasPackageComment tells whether a file documents the package. A package that is generated as a whole has no author to ask.
func hasPackageComment(p pkg) bool {
	generated := func(f file) bool { return ast.IsGenerated(f.tree) }
	documented := func(f file) bool { return f.tree.Doc != nil && strings.TrimSpace(f.tree.Doc.Text()) != "" }
	if slices.ContainsFunc(p.files, func(f file) bool { return !generated(f) }) {
		return slices.ContainsFunc(p.files, func(f file) bool { return !generated(f) && documented(f) })
	}
	return true
}
