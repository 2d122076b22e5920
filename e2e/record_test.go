package e2e

import (
	"cmp"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/audit"
)

// entry is what the tests compare of an audit entry.
type entry struct {
	Action  audit.Action  `json:"action"`
	Target  string        `json:"target"`
	Outcome audit.Outcome `json:"outcome"`
}

// recorded is an entry as `rollcall admin audit export` writes it.
type recorded struct {
	entry
	RequestID string `json:"request_id"`
	Seq       int64  `json:"seq"`
}

// record is the audit record of one account.
type record struct {
	states []recorded // the suspensions and reactivations that changed something, in the order of the chain
	byID   map[string][]entry
}

// readRecord has the audit record of a server that has ended verified, and reads all of it.
func readRecord(t *testing.T, dir, account string) record {
	t.Helper()
	administer(t, dir, "audit", "verify")
	rec := record{byID: map[string][]entry{}}
	export := json.NewDecoder(strings.NewReader(administer(t, dir, "audit", "export", "-", "--account="+account)))
	for export.More() {
		var r recorded
		if err := export.Decode(&r); err != nil {
			t.Fatalf("admin audit export: %v", err)
		}
		rec.byID[r.RequestID] = append(rec.byID[r.RequestID], r.entry)
		if r.Outcome == audit.Done && (r.Action == audit.UserSuspend || r.Action == audit.UserReactivate) {
			rec.states = append(rec.states, r)
		}
	}
	slices.SortFunc(rec.states, func(a, b recorded) int { return cmp.Compare(a.Seq, b.Seq) })
	return rec
}

// administer runs a command of `rollcall admin` and returns what it prints.
func administer(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, append(append([]string{"admin"}, args...), "--data="+dir)...)
	cmd.Env = cleanEnv()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("rollcall admin %s: %v\n%s%s", strings.Join(args, " "), err, out, stderrOf(err))
	}
	return string(out)
}
