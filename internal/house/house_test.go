package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHouse(t *testing.T) {
	t.Parallel()
	for _, p := range load(t) {
		t.Run(strings.TrimPrefix(p.path, module+"/"), func(t *testing.T) {
			t.Parallel()
			for _, breach := range slices.Concat(dependencyBreaches(p), clockBreaches(p), styleBreaches(p)) {
				t.Error(breach)
			}
		})
	}
}

// listed is what this test reads of `go list -json`.
type listed struct {
	Dir          string
	ImportPath   string
	Name         string
	Imports      []string
	GoFiles      []string
	CgoFiles     []string
	TestGoFiles  []string
	XTestGoFiles []string
}

// load returns every package of the main module, parsed.
func load(t *testing.T) []pkg {
	t.Helper()
	root := filepath.Join("..", "..")
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []pkg
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var l listed
		if err := decoder.Decode(&l); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, parse(t, l))
	}
}

func parse(t *testing.T, l listed) pkg {
	t.Helper()
	p := pkg{path: l.ImportPath, name: l.Name, imports: l.Imports}
	add := func(names []string, test bool) {
		for _, name := range names {
			full := filepath.Join(l.Dir, name)
			set := token.NewFileSet()
			tree, err := parser.ParseFile(set, full, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			p.files = append(p.files, file{name: full, test: test, set: set, tree: tree})
		}
	}
	add(slices.Concat(l.GoFiles, l.CgoFiles), false)
	add(slices.Concat(l.TestGoFiles, l.XTestGoFiles), true)
	return p
}
