package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exempt lists statements that may scan or sort, and why that is no cliff.
var exempt = map[string]string{
	"ListPageKeys":     "a handful of rows, all wanted",
	"PurgePageKeys":    "the same handful",
	"ListAccounts":     "all wanted, by local administration",
	"ListOpenAccounts": "two are sought, and accounts are few",
	"ListUsage":        "hours, which are few, and sorted within: for local administration",
	"PurgeMarks":       "the marks of an hour",
}

// upkeep tells of statements that no request waits for. Statistics, which nothing of ours
// makes, may change their plans, as where a table is small enough to be read as a whole.
func upkeep(name string) bool {
	return strings.HasPrefix(name, "Purge") || name == "ListUsage" || name == "PageOfChain"
}

// statements returns every statement the store runs, read from the generated code so
// that a new one is looked at too.
func statements(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("internal", "sqlgen", "*.sql.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no generated code: %v", err)
	}
	found := map[string]string{}
	constant := regexp.MustCompile("(?s)const (\\w+) = `(.*?)`")
	for _, file := range files {
		for _, m := range constant.FindAllStringSubmatch(string(readFile(t, file)), -1) {
			found[m[1]] = m[2]
		}
	}
	return found
}

var parameter = regexp.MustCompile(`\$(\d+)`)

// plan returns SQLite's plan of a statement, one step a line.
func plan(t *testing.T, db *sql.DB, statement string) string {
	t.Helper()
	n := 0
	for _, m := range parameter.FindAllStringSubmatch(statement, -1) {
		i, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		n = max(n, i)
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+sqliteText(statement), make([]any, n)...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	var text strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&text, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// filling makes n people and what belongs to so many, half of the tables' rows in one
// account and the rest spread over a hundred; SQLite itself makes them.
const filling = `
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 100)
INSERT INTO accounts (id, name, provisioning, state, create_time, audit_seq, audit_hash) SELECT 'A' || i, 'n', 'none', 'open', i, 0, zeroblob(32) FROM n;
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT %d)
SELECT i, CASE i %% 2 WHEN 0 THEN 'A0' ELSE 'A' || (i / 2 %% 100) END AS a FROM n;
INSERT INTO users (account_id, id, email, email_key, display_name, state, listed, type, create_time)
SELECT a, 'U' || i, 'e' || i, 'e' || i, 'n', CASE i / 3 %% 10 WHEN 0 THEN 'SUSPENDED' WHEN 1 THEN 'PENDING' ELSE 'ACTIVE' END, i / 3 %% 10 <> 1, 'member', i FROM n;
INSERT INTO group_members SELECT a, CASE i %% 50 WHEN 0 THEN 'owners' ELSE 'crew' END, 'U' || i FROM n WHERE i %% 5 = 0;
INSERT INTO applications (id, account_id, name, description, redirect_url, permissions, state, create_time) SELECT 'C' || i, a, 'n', '', '', 'users.list', 'enabled', i FROM n WHERE i %% 100 = 0;
INSERT INTO application_secrets (id, client_id, hash, create_time, expire_time) SELECT 'S' || i, 'C' || i, zeroblob(32), i, 0 FROM n WHERE i %% 100 = 0;
INSERT INTO tokens (hash, client_id, secret_id, issue_time, expire_time) SELECT CAST('T' || i AS blob), 'C' || (i / 100 * 100), 'S' || (i / 100 * 100), i, i FROM n;
INSERT INTO audit_entries SELECT a, 'E' || i, i %% 4 = 0, i, i, 'operator', 'o', 'a', 't', 'done', '', '', '', '', 1, zeroblob(32), zeroblob(32) FROM n;
INSERT INTO audit_chain SELECT a, i, 'E' || i, zeroblob(32) FROM n WHERE i %% 4 = 0;
INSERT INTO usage_hours SELECT i / 10, a, 'C' || i, 'agent', 1, 0, 0 FROM n;
DROP TABLE n;`

// plans returns the plan of every statement, as a sorted list of steps: in what order
// several single rows are found does not matter.
func plans(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for name, statement := range statements(t) {
		steps := strings.Split(strings.TrimSpace(plan(t, db, statement)), "\n")
		slices.Sort(steps)
		found[name] = steps
	}
	return found
}

// climbs checks that nothing but what may scans or sorts.
func climbs(t *testing.T, plans map[string][]string) {
	t.Helper()
	for name, steps := range plans {
		for _, step := range steps {
			what, scans := strings.CutPrefix(step, "SCAN ")
			// A subquery's rows, which it has searched for, are not a table's; nor is the one row of no table.
			scans = scans && what != "CONSTANT ROW" && !slices.Contains(steps, "CO-ROUTINE "+what)
			if exempt[name] == "" && (scans || strings.Contains(step, "TEMP B-TREE")) {
				t.Errorf("%s: %s", name, step)
			}
		}
	}
}

// requested leaves out what no request waits for.
func requested(plans map[string][]string) map[string][]string {
	maps.DeleteFunc(plans, func(name string, _ []string) bool { return upkeep(name) })
	return plans
}

// TestPlans: no statement scans a table or sorts, whatever the number of people, and
// statistics change no plan. Plans follow from the schema and from sqlite_stat1 alone.
// For the large sizes that table is written as ANALYZE would; that it would is checked at
// a size where ANALYZE itself is cheap.
func TestPlans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	closeStore(t, openDir(t, dir))
	empty := raw(t, filepath.Join(dir, File))
	want := plans(t, empty)
	climbs(t, want)
	want = requested(want)
	small := filledFile(t, dir, 1000)
	counted := statistics(t, small)
	for _, people := range []int{1_000, 20_000, 200_000, 1_000_000} {
		t.Run(strconv.Itoa(people), func(t *testing.T) {
			t.Parallel()
			db := raw(t, copyOf(t, small))
			enlarge(t, db, counted, people/1000)
			got := plans(t, db)
			if people > 1000 {
				climbs(t, got)
			}
			if diff := cmp.Diff(want, requested(got)); diff != "" {
				t.Errorf("plans (-without +with statistics):\n%s", diff)
			}
		})
	}
	t.Run("ANALYZE", func(t *testing.T) {
		t.Parallel()
		large := filledFile(t, dir, 4_000)
		for name, got := range statistics(t, large) {
			rows, scaled := strings.Fields(got)[0], strings.Fields(scaled(counted[name], 4))[0]
			if rows != scaled && !strings.Contains(name, "accounts") && name != "goose_db_version" {
				t.Errorf("%s: ANALYZE counts %s, want %s", name, rows, scaled)
			}
		}
		if diff := cmp.Diff(want, requested(plans(t, raw(t, large)))); diff != "" {
			t.Errorf("plans (-without +with statistics):\n%s", diff)
		}
	})
}

// filledFile fills a copy of the folder's new database and analyzes it.
func filledFile(t *testing.T, dir string, people int) string {
	t.Helper()
	path := copyOf(t, filepath.Join(dir, File))
	exec(t, path, "PRAGMA synchronous = OFF", fmt.Sprintf(filling, people), "ANALYZE")
	return path
}

func copyOf(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(to, bytes.Clone(readFile(t, path)), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// statistics returns what ANALYZE wrote, by index.
func statistics(t *testing.T, path string) map[string]string {
	t.Helper()
	rows, err := raw(t, path).QueryContext(t.Context(), "SELECT coalesce(idx, tbl), stat FROM sqlite_stat1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var index, stat string
		if err := rows.Scan(&index, &stat); err != nil {
			t.Fatal(err)
		}
		found[index] = stat
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// scaled multiplies statistics: the rows, and the rows that share a beginning of the key
// unless that is unique.
func scaled(stat string, by int) string {
	var out []string
	for _, field := range strings.Fields(stat) {
		if n, err := strconv.Atoi(field); err == nil && n > 1 {
			field = strconv.Itoa(n * by)
		}
		out = append(out, field)
	}
	return strings.Join(out, " ")
}

// enlarge makes the database believe that it holds so many times as much.
func enlarge(t *testing.T, db *sql.DB, counted map[string]string, by int) {
	t.Helper()
	for index, stat := range counted {
		if _, err := db.ExecContext(t.Context(), "UPDATE sqlite_stat1 SET stat = $1 WHERE coalesce(idx, tbl) = $2", scaled(stat, by), index); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.ExecContext(t.Context(), "ANALYZE sqlite_schema"); err != nil {
		t.Fatal(err)
	}
}
