package httpapi_test

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/httpapi"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// row is what the operation table and the document both say of an operation.
type row struct{ ID, Method, Path, Security, Class, Permission string }

// TestOperationsAreTheDocument compares the table with api/openapi.yaml, both ways.
func TestOperationsAreTheDocument(t *testing.T) {
	t.Parallel()
	var got []row
	for _, op := range httpapi.Operations() {
		r := row{op.ID, op.Method, op.Path, securityOf(op.Auth), "none", ""}
		if op.Class != 0 {
			r.Class = op.Class.String()
		}
		if op.Permission != 0 {
			r.Permission = op.Permission.String()
		}
		got = append(got, r)
	}
	byID := func(a, b row) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(got, byID)
	want := documented(t)
	slices.SortFunc(want, byID)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-openapi.yaml +table):\n%s", diff)
	}
}

func securityOf(a httpapi.Authentication) string {
	return map[httpapi.Authentication]string{httpapi.Open: "", httpapi.Basic: "basic", httpapi.Bearer: "bearer", httpapi.Either: "bearer session"}[a]
}

// documented lists the document's operations, but for HEAD twins and what only the
// operator switches on.
func documented(t *testing.T) []row {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if method == http.MethodHead || op.Extensions["x-rollcall-optional"] != nil || item.Extensions["x-rollcall-optional"] != nil {
				continue
			}
			r := row{ID: op.OperationID, Method: method, Path: path}
			r.Class, _ = op.Extensions["x-rollcall-rate-class"].(string)
			r.Permission, _ = op.Extensions["x-rollcall-permission"].(string)
			if op.Security != nil {
				var schemes []string
				for _, scheme := range *op.Security {
					schemes = slices.AppendSeq(schemes, maps.Keys(scheme))
				}
				r.Security = strings.Join(schemes, " ")
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// TestEveryOperationHasItsPermission: nothing that needs a token is without one, and
// what changes an application is never counted as a read.
func TestEveryOperationHasItsPermission(t *testing.T) {
	t.Parallel()
	for _, op := range httpapi.Operations() {
		bearer := op.Auth == httpapi.Bearer || op.Auth == httpapi.Either
		if bearer != (op.Permission != 0) || bearer != slices.Contains(bearerClasses[:], op.Class) {
			t.Errorf("%s: authentication %d, permission %s, class %s", op.ID, op.Auth, op.Permission, op.Class)
		}
		write := op.Class == throttle.ClassManagementWrite
		if write != (op.Permission == access.WriteApplications) || write && op.Method == http.MethodGet {
			t.Errorf("%s: class %s, permission %s", op.ID, op.Class, op.Permission)
		}
		if op.Auth != httpapi.Open && (op.Class == 0 || op.Action == "") {
			t.Errorf("%s: class %s, action %q: an authenticated operation is metered and audited", op.ID, op.Class, op.Action)
		}
	}
	if n := len(access.Catalog()); n != 6 {
		t.Errorf("permissions: got %d, want 6", n)
	}
}

var bearerClasses = [...]throttle.Class{throttle.ClassUsers, throttle.ClassManagementRead, throttle.ClassManagementWrite}
