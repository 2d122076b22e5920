package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// kubernetes is the published API of one version of Kubernetes: the schema of each kind, by apiVersion/kind. They are
// those that kubectl-validate carries, read as data.
type kubernetes map[string]*openapi3.Schema

// loadKubernetes reads the documents of the groups that the chart uses.
func loadKubernetes(t *testing.T, version string) kubernetes {
	t.Helper()
	dir := filepath.Join(moduleDir(t, "kubeschemas", "sigs.k8s.io/kubectl-validate"), "pkg/openapiclient/builtins", version)
	schemas := kubernetes{}
	for _, group := range []string{"api/v1", "apis/apps/v1", "apis/batch/v1", "apis/networking.k8s.io/v1", "apis/policy/v1"} {
		text, err := os.ReadFile(filepath.Join(dir, group+".json"))
		if err != nil {
			t.Fatal(err)
		}
		document, err := openapi3.NewLoader().LoadFromData(text)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[*openapi3.Schema]bool{}
		for name, ref := range document.Components.Schemas {
			closeSchema(ref.Value, seen)
			schemas[strings.TrimPrefix(strings.TrimPrefix(group, "apis/"), "api/")+"/"+name[strings.LastIndex(name, ".")+1:]] = ref.Value
		}
	}
	return schemas
}

// moduleDir downloads what a module of tools pins and returns its folder.
func moduleDir(t *testing.T, module, path string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "-C", filepath.Join(root, "tools", module), "mod", "download", "-json", path).Output()
	if err != nil {
		t.Fatalf("go mod download: %v\n%s%s", err, out, stderrOf(err))
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(out, &downloaded); err != nil {
		t.Fatal(err)
	}
	return downloaded.Dir
}

// closeSchema makes an object with named members refuse others: the API server drops them with a warning, which hides
// a misspelt one.
func closeSchema(s *openapi3.Schema, seen map[*openapi3.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	if len(s.Properties) > 0 && s.AdditionalProperties.Schema == nil {
		no := false
		s.AdditionalProperties.Has = &no
	}
	inner := append(openapi3.SchemaRefs{s.Items, s.AdditionalProperties.Schema}, s.AllOf...)
	for _, p := range s.Properties {
		inner = append(inner, p)
	}
	for _, ref := range inner {
		if ref != nil {
			closeSchema(ref.Value, seen)
		}
	}
}

// validate returns what is wrong with a manifest. The kinds of the Prometheus operator are not Kubernetes' own.
func (k kubernetes) validate(o object) error {
	version := o.text("apiVersion")
	if strings.HasPrefix(version, "monitoring.coreos.com/") {
		return nil
	}
	schema := k[version+"/"+o.text("kind")]
	if schema == nil {
		return fmt.Errorf("%s has no %s", version, o.text("kind"))
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	return schema.VisitJSON(value, openapi3.MultiErrors())
}

// TestKubernetesRefuses: the schemas notice a misspelt member, a wrong type, a missing one.
func TestKubernetesRefuses(t *testing.T) {
	t.Parallel()
	k := loadKubernetes(t, "1.30")
	good := object{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "a"},
		"spec": map[string]any{"ports": []any{map[string]any{"port": 1}}}}
	if err := k.validate(good); err != nil {
		t.Errorf("a good service: %v", err)
	}
	for name, spec := range map[string]any{
		"misspelt": map[string]any{"port": []any{}},
		"type":     map[string]any{"ports": []any{map[string]any{"port": "1"}}},
		"missing":  map[string]any{"ports": []any{map[string]any{"name": "a"}}},
	} {
		if err := k.validate(object{"apiVersion": "v1", "kind": "Service", "spec": spec}); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	if k.validate(object{"apiVersion": "v1", "kind": "Deployment"}) == nil {
		t.Error("a kind of another group: not noticed")
	}
}
