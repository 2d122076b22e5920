package client_test

import (
	"os"
	"strings"
	"testing"
)

// squeeze makes code comparable however it is indented.
func squeeze(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDocumentedCode finds every piece of code of the guide and of the package
// comment in example_test.go, where it is compiled and run.
func TestDocumentedCode(t *testing.T) {
	t.Parallel()
	examples := squeeze(read(t, "example_test.go"))
	var blocks []string
	for _, rest := range strings.Split(read(t, "../docs/sdk.md"), "```go\n")[1:] {
		block, _, _ := strings.Cut(rest, "```")
		blocks = append(blocks, block)
	}
	var comment strings.Builder
	for line := range strings.Lines(read(t, "doc.go")) {
		code, isCode := strings.CutPrefix(line, "//\t")
		if isCode && !strings.HasPrefix(code, "Users.Suspend ->") && !strings.HasPrefix(code, " ") {
			comment.WriteString(code)
		}
	}
	blocks = append(blocks, comment.String())
	if len(blocks) < 6 {
		t.Errorf("%d pieces of code, want at least 6: has the guide changed its form?", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(examples, squeeze(block)) {
			t.Errorf("this is not in example_test.go:\n%s", block)
		}
	}
}
