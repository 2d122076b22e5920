package store

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
)

// recorded makes a folder whose account has a chain of seven changes with other entries
// between them, and returns its file.
func recorded(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	s := openDir(t, dir)
	account := newAccount(t, s)
	id := crowd(t, s, account, 1)[0]
	caller := access.Caller{Kind: access.Application, Client: "client", UserAgent: "Acme/1"}
	for i := range 5 {
		at := morning.Add(time.Duration(i+1) * time.Second)
		if err := toggle(t.Context(), s, account, id, at); err != nil {
			t.Fatal(err)
		}
		e := audit.New(caller, account, audit.TokenIssue, "", audit.Done, at.Add(time.Millisecond))
		if err := s.Append(t.Context(), []audit.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, s)
	return dir, filepath.Join(dir, File)
}

func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	const row = "UPDATE audit_entries SET "
	const cutOff = "DELETE FROM audit_entries WHERE seq = 7 AND chained = 1;" +
		"UPDATE accounts SET audit_seq = 6, audit_hash = (SELECT hash FROM audit_entries WHERE seq = 6 AND chained = 1);"
	exchange := func(table string) string {
		which := ""
		if table == "audit_entries" {
			which = " AND chained = 1"
		}
		set := func(to, from string) string {
			return "UPDATE " + table + " SET seq = " + to + " WHERE seq = " + from + which + ";"
		}
		return set("-1", "6") + set("6", "7") + set("7", "-1")
	}
	for name, tampering := range map[string]struct {
		statements string
		what       string // part of the first problem's words
		seq        int64  // its place
	}{
		"nothing":                         {},
		"a change's detail":               {row + "detail = 'x' WHERE seq = 3 AND chained = 1", "content", 3},
		"a change's outcome":              {row + "outcome = 'refused' WHERE seq = 3 AND chained = 1", "not a change", 3},
		"a change's account":              {row + "account_id = 'OTHER' WHERE seq = 3 AND chained = 1", "3 to 3 of the chain are missing", 3},
		"a change's time":                 {row + "time = time + 1 WHERE seq = 7 AND chained = 1", "content", 7},
		"a change's actor":                {row + "actor = 'eve' WHERE seq = 1 AND chained = 1", "content", 1},
		"a change's hash":                 {row + "hash = zeroblob(32) WHERE seq = 3 AND chained = 1", "content", 3},
		"a change's previous hash":        {row + "prev_hash = zeroblob(32) WHERE seq = 3 AND chained = 1", "does not follow", 3},
		"a middle change deleted":         {"DELETE FROM audit_entries WHERE seq = 4 AND chained = 1", "4 to 4 of the chain are missing", 4},
		"the first change deleted":        {"DELETE FROM audit_entries WHERE seq = 1 AND chained = 1", "1 to 1 of the chain are missing", 1},
		"the last change deleted":         {"DELETE FROM audit_entries WHERE seq = 7 AND chained = 1", "last entries are missing", 7},
		"all changes deleted":             {"DELETE FROM audit_entries WHERE chained = 1", "ends at 0", 1},
		"the last two exchanged":          {exchange("audit_entries"), "ends at 5", 6},
		"with their places":               {exchange("audit_entries") + exchange("audit_chain"), "does not follow", 6},
		"a change taken out of the chain": {row + "chained = 0 WHERE seq = 4 AND chained = 1", "4 to 4 of the chain are missing", 4},
		"the head's place":                {"UPDATE accounts SET audit_seq = 6", "goes on to 7", 6},
		"the head's hash":                 {"UPDATE accounts SET audit_hash = zeroblob(32)", "head is not the hash", 7},
		"the head forgotten":              {"UPDATE accounts SET audit_seq = 0, audit_hash = zeroblob(32)", "goes on to 7", 0},
		"another entry's count":           {row + "count = 2 WHERE seq = 5 AND chained = 0", "content", 5},
		"another entry moved":             {row + "seq = 4 WHERE seq = 5 AND chained = 0", "content", 4},
		"another entry's change gone":     {row + "seq = 99 WHERE seq = 5 AND chained = 0", "content", 99},
		"the last entry cut off":          {cutOff, "entry 7 of the chain is missing", 7},
		"with its place":                  {cutOff + "DELETE FROM audit_chain WHERE seq = 7", "hangs under, entry 7", 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, path := recorded(t)
			if tampering.statements != "" {
				exec(t, path, tampering.statements)
			}
			s := openDir(t, dir)
			defer closeStore(t, s)
			report, err := audit.Verify(t.Context(), s, "ACCOUNT")
			if err != nil {
				t.Fatal(err)
			}
			if tampering.what == "" {
				if len(report.Problems) != 0 || report.Changes != 7 || report.Others != 5 {
					t.Errorf("got %+v, want 7 changes, 5 others and no problem", report)
				}
				return
			}
			if len(report.Problems) == 0 {
				t.Fatal("it was not found")
			}
			if p := report.Problems[0]; !strings.Contains(p.What, tampering.what) || p.Seq != tampering.seq {
				t.Errorf("got first problem %+v, want %q at %d", p, tampering.what, tampering.seq)
			}
		})
	}
}

// TestVerifyFindsAnAddedEntry adds a copy of the last change as the next one, outside the
// chain and within it.
func TestVerifyFindsAnAddedEntry(t *testing.T) {
	t.Parallel()
	const columns = "time, actor_kind, actor, action, target, outcome, detail, address, user_agent, request_id, count, prev_hash, hash"
	entry := "INSERT INTO audit_entries (account_id, id, chained, seq, " + columns +
		") SELECT account_id, id || 'X', chained, 8, " + columns + " FROM audit_entries WHERE chained = 1 AND seq = 7;"
	link := "INSERT INTO audit_chain (account_id, seq, entry_id, hash) SELECT account_id, 8, entry_id || 'X', hash FROM audit_chain WHERE seq = 7;"
	head := "UPDATE accounts SET audit_seq = 8"
	for statements, want := range map[string][]string{
		entry:               {"it is a change and not in the chain"},
		entry + link:        {"it does not follow from the entry before it", "its content is not what was written", "the account's head is at 7 and the chain goes on to 8"},
		entry + link + head: {"it does not follow from the entry before it", "its content is not what was written"},
	} {
		dir, path := recorded(t)
		exec(t, path, statements)
		s := openDir(t, dir)
		report, err := audit.Verify(t.Context(), s, "ACCOUNT")
		var got []string
		for _, p := range report.Problems {
			got = append(got, p.What)
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v, problems (-want +got):\n%s", err, diff)
		}
		closeStore(t, s)
	}
}
