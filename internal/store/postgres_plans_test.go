package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/rollcall-id/rollcall/internal/pgtest"
)

// postgresFilling is filling in PostgreSQL's words.
const postgresFilling = `
INSERT INTO accounts (id, name, provisioning, state, create_time, audit_seq, audit_hash) SELECT 'A' || i, 'n', 'none', 'open', i, 0, '' FROM generate_series(0, 100) i;
CREATE TEMP TABLE n AS SELECT i, CASE i %% 2 WHEN 0 THEN 'A0' ELSE 'A' || (i / 2 %% 100) END AS a FROM generate_series(0, %d) i;
INSERT INTO users (account_id, id, email, email_key, display_name, state, listed, type, create_time)
SELECT a, 'U' || i, 'e' || i, 'e' || i, 'n', CASE i / 3 %% 10 WHEN 0 THEN 'SUSPENDED' WHEN 1 THEN 'PENDING' ELSE 'ACTIVE' END,
	CASE i / 3 %% 10 WHEN 1 THEN 0 ELSE 1 END, 'member', i FROM n;
INSERT INTO group_members SELECT a, CASE i %% 50 WHEN 0 THEN 'owners' ELSE 'crew' END, 'U' || i FROM n;
INSERT INTO applications (id, account_id, name, description, redirect_url, permissions, state, create_time) SELECT 'C' || i, 'A' || i %% 100, 'n', '', '', 'users.list', 'enabled', i FROM n;
INSERT INTO application_secrets (id, client_id, hash, create_time, expire_time) SELECT 'S' || i, 'C' || i, '', i, 0 FROM n;
INSERT INTO tokens (hash, client_id, secret_id, issue_time, expire_time) SELECT CAST('T' || i AS bytea), 'C' || i, 'S' || i, i, i FROM n;
INSERT INTO audit_entries SELECT a, 'E' || i, CASE i %% 4 WHEN 0 THEN 1 ELSE 0 END, i, i, 'operator', 'o', 'a', 't', 'done', '', '', '', '', 1, '', '' FROM n;
INSERT INTO audit_chain SELECT a, i, 'E' || i, '' FROM n WHERE i %% 4 = 0;
INSERT INTO usage_hours SELECT i / 10, a, 'C' || i, 'agent', 1, 0, 0 FROM n;
INSERT INTO passwords SELECT a, 'U' || i, 'h', i FROM n;
INSERT INTO passkeys SELECT a, 'U' || i, 'K' || i, CAST('K' || i AS bytea), '', 'n', i, 0 FROM n;
INSERT INTO sessions SELECT a, 'U' || i, 'X' || i, CAST('X' || i AS bytea), 'password', i, i, i, '', '' FROM n;
INSERT INTO links SELECT CAST('L' || i AS bytea), a, 'U' || i, 'invitation', i, i FROM n;
INSERT INTO ceremonies SELECT CAST('Y' || i AS bytea), 'k', a, 'U' || i, '', i FROM n;
INSERT INTO sso_connections SELECT 'A' || i, 'i', 'c', '', i FROM generate_series(0, 100) i;
INSERT INTO sso_subjects SELECT a, 'i', 'S' || i, 'U' || i FROM n;
INSERT INTO user_words SELECT a, CAST('w' || i AS bytea), 'U' || i FROM n;
DROP TABLE n;`

// small lists tables that are read as a whole at any size they have.
var small = regexp.MustCompile(`Seq Scan on (accounts|page_keys|marks|sso_connections)\b`)

// whole lists statements that read or end all that an account has, or a bounded number of
// rows in no order: in a table of this size that may be most of it.
var whole = map[string]bool{
	"CountByState": true, "DeleteOtherSubjects": true, "DeleteSessionsOfAccount": true, "UsersByGroup": true, "CountMembers": true,
}

// handful finds what sorts less than a page of a hundred or names a sort's key.
var handful = regexp.MustCompile(`rows=\d\d? |Sort Key`)

// examples are values for parameters, by type.
var examples = map[string]string{"text": "'A0'", "bigint": "26", "bytea": `'\x54313030'`, "integer": "26"}

// TestPostgresPlans: no statement that a request waits for scans a table or sorts, with and
// without statistics, whether PostgreSQL plans for the values or once for all values.
func TestPostgresPlans(t *testing.T) {
	t.Parallel()
	const people = 30_000
	for _, version := range pgtest.Versions() {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			server := pgtest.Shared(t, version)
			url := server.URL(server.Database(t))
			s, err := Open(t.Context(), Options{URL: url, Rand: rand.Reader})
			if err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			c, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close(context.Background()) })
			run(t, c, fmt.Sprintf(postgresFilling, people))
			for _, statistics := range []string{"without", "with"} {
				if statistics == "with" {
					run(t, c, "ANALYZE")
				}
				for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
					run(t, c, "SET plan_cache_mode = "+mode)
					for name, statement := range statements(t) {
						climbsThere(t, c, name, statement, statistics+" statistics, "+mode)
					}
				}
			}
		})
	}
}

func run(t *testing.T, c *pgx.Conn, text string) {
	t.Helper()
	if _, err := c.Exec(t.Context(), text, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func climbsThere(t *testing.T, c *pgx.Conn, name, statement, how string) {
	t.Helper()
	run(t, c, "DEALLOCATE ALL")
	run(t, c, "PREPARE x AS "+statement)
	var types []string
	err := c.QueryRow(t.Context(), "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'x'",
		pgx.QueryExecModeSimpleProtocol).Scan(&types)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]string, len(types))
	for i, typ := range types {
		if values[i] = examples[typ]; values[i] == "" {
			t.Fatalf("%s: no example of the type %s", name, typ)
		}
	}
	call := "EXPLAIN EXECUTE x"
	if len(values) > 0 {
		call += "(" + strings.Join(values, ", ") + ")"
	}
	rows, err := c.Query(t.Context(), call, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	steps, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, step := range steps {
		bad := strings.Contains(step, "Seq Scan on") || strings.Contains(step, "Sort") && !handful.MatchString(step)
		// Nobody makes thousands of applications before a server has counted some.
		bad = bad && (name != "PageOfApplications" || strings.HasPrefix(how, "with "))
		if bad && !small.MatchString(step) && exempt[name] == "" && !whole[name] && !upkeep(name) {
			t.Errorf("%s (%s):\n%s", name, how, strings.Join(steps, "\n"))
			return
		}
	}
}
