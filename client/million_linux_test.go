package client_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

const (
	millionPages = 1000
	pageOf       = 1000
	mostResident = 30 << 10 // KiB
)

// bigPage is a page of 1000 people as a server would send it, with a # for the
// number of the page in the id of each.
func bigPage() []byte {
	var b bytes.Buffer
	for i := range pageOf {
		fmt.Fprintf(&b, `,{"id":"U%03d-#","email":"u@example.com","display_name":"Some One","state":"ACTIVE","create_time":"2024-01-15T10:30:00Z","path":"accounts/A/users/U"}`, i)
	}
	return b.Bytes()[1:]
}

// TestMillion has a program walk a million people, and looks at all that it ever had
// resident: heap, stacks, and what it touched of its own file.
func TestMillion(t *testing.T) {
	t.Parallel()
	requests, people := 0, bigPage()
	f := &fake{users: func(w http.ResponseWriter, r *http.Request, _ int) {
		requests++
		page, _ := strconv.Atoi(r.FormValue("page_token"))
		next := ""
		if page+1 < millionPages {
			next = strconv.Itoa(page + 1)
		}
		answer := fmt.Appendf(nil, `{"results":[%s],"next_page_token":"%s"}`, bytes.ReplaceAll(people, []byte("#"), []byte(strconv.Itoa(page))), next)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer)
	}}
	server := httptest.NewServer(f)
	defer server.Close()

	walk := exec.CommandContext(t.Context(), buildWalk(t))
	walk.Env = append(os.Environ(), "ROLLCALL_BASE_URL="+server.URL, "ROLLCALL_ACCOUNT_ID="+testAccount, "ROLLCALL_CLIENT_ID=payroll", "ROLLCALL_CLIENT_SECRET="+testSecret)
	out, err := walk.CombinedOutput()
	if err != nil {
		t.Fatalf("walk: %v\n%s", err, out)
	}
	var walked, resident int
	var hash string
	if _, err := fmt.Sscanf(string(out), "%d people %s\nVmHWM: %d kB", &walked, &hash, &resident); err != nil {
		t.Fatalf("walk says %q: %v", out, err)
	}
	if walked != millionPages*pageOf || hash != everybody() || requests != millionPages {
		t.Errorf("%d people (%s) after %d requests, want %d (%s) after %d", walked, hash, requests, millionPages*pageOf, everybody(), millionPages)
	}
	if resident > mostResident {
		t.Errorf("%d KiB were resident at the most, at most %d may be", resident, mostResident)
	}
	t.Logf("%d KiB were resident at the most", resident)
}

// everybody is walk's hash of all.
func everybody() string {
	hash := sha256.New()
	for page := range millionPages {
		for i := range pageOf {
			fmt.Fprintf(hash, "U%03d-%d\n", i, page)
		}
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

func buildWalk(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "walk")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/walk")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build walk: %v\n%s", err, out)
	}
	return program
}
