package views_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rollcall-id/rollcall/internal/console/assets"
)

var _ = assets.Style

func TestPreview(t *testing.T) {
	for name, page := range pages() {
		var b bytes.Buffer
		if err := page.Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if dir := os.Getenv("PREVIEW"); dir != "" {
			os.MkdirAll(dir, 0o755)
			os.WriteFile(filepath.Join(dir, name+".html"), b.Bytes(), 0o644)
		}
	}
}
