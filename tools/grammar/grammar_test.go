// Package grammar holds every statement of rollcall against the grammar of CockroachDB,
// by its own parser, and against a list of what no distributed engine has in common with
// PostgreSQL. It is a module of its own: the parser is large, and the program needs none.
package grammar

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/cockroachdb/cockroachdb-parser/pkg/sql/parser"
)

const store = "../../internal/store"

// statements returns what is generated, by name.
func statements(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(store, "internal/sqlgen/*.sql.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no generated code: %v", err)
	}
	found := map[string]string{}
	constant := regexp.MustCompile("(?s)const (\\w+) = `(.*?)`")
	for _, file := range files {
		for _, m := range constant.FindAllStringSubmatch(read(t, file), -1) {
			found[m[1]] = m[2]
		}
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// migrations returns each migration by file, as it is: engines that are not PostgreSQL get
// it without the collation, which CockroachDB does not know.
func migrations(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(store, "migrations/*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	found := map[string]string{}
	for _, file := range files {
		found[filepath.Base(file)] = read(t, file)
	}
	return found
}

// besides are the statements that are not generated.
var besides = map[string]string{
	"begin":     "BEGIN",
	"commit":    "COMMIT",
	"rollback":  "ROLLBACK",
	"bounds":    "SET LOCAL lock_timeout = 4000; SET LOCAL idle_in_transaction_session_timeout = 15000",
	"plan once": "SET plan_cache_mode = force_generic_plan",
	"ready":     "UPDATE accounts SET state = '' WHERE id = ''",
	"version":   "SELECT coalesce(max(version_id), 0) FROM rollcall_migrations WHERE is_applied",
	"analyze":   "ANALYZE users",
	"copy":      "COPY users (account_id, id) FROM STDIN",
}

func all(t *testing.T) map[string]string {
	t.Helper()
	list := statements(t)
	for _, more := range []map[string]string{migrations(t), besides} {
		for name, text := range more {
			list[name] = text
		}
	}
	return list
}

func TestCockroachReadsEveryStatement(t *testing.T) {
	t.Parallel()
	for name, text := range all(t) {
		if _, err := parser.Parse(text); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	if _, err := parser.Parse("SELECT FROM WHERE"); err == nil {
		t.Error("the parser takes anything")
	}
}

// unportable finds what some engine that speaks PostgreSQL's language lacks.
var unportable = regexp.MustCompile(`(?i)pg_advisory|\bLISTEN\b|\bNOTIFY\b|\bSEQUENCE\b|\bserial\b|\bnextval\b|\bTRIGGER\b|\bxmin\b|\bxmax\b|\bctid\b|SKIP LOCKED|\bnow\(\)|` +
	`current_timestamp|\bjsonb?\b|\buuid\b|\btimestamptz?\b|\bboolean\b|\[\]|\bENUM\b|\bINHERITS\b|\bEXCLUDE\b|DEFERRABLE|CREATE (FUNCTION|EXTENSION|TYPE)|\bDO \$\$`)

var comment = regexp.MustCompile(`(?m)--.*$`)

func TestEveryStatementIsPortable(t *testing.T) {
	t.Parallel()
	for name, text := range all(t) {
		if found := unportable.FindString(comment.ReplaceAllString(text, "")); found != "" {
			t.Errorf("%s uses %s", name, found)
		}
	}
	if unportable.FindString("SELECT now()") == "" {
		t.Error("nothing is found")
	}
}
