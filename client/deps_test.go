package client_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDependencies: who compiles the SDK in gets it, the wire types, and package oauth2.
func TestDependencies(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	want := []string{
		"github.com/rollcall-id/rollcall/api", "github.com/rollcall-id/rollcall/client",
		"golang.org/x/oauth2", "golang.org/x/oauth2/clientcredentials", "golang.org/x/oauth2/internal",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages (-want +got)\n%s", diff)
	}
}
