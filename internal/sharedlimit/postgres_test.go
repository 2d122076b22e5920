package sharedlimit_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/sharedlimit"
)

// tables makes the tables that the migration makes, and no others.
func tables(ctx context.Context, url string) error {
	text, err := os.ReadFile("../store/migrations/00005_limits.sql")
	if err != nil {
		return err
	}
	up, _, _ := strings.Cut(string(text), "-- +goose Down")
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, up, pgx.QueryExecModeSimpleProtocol)
	return err
}

func postgresStore(t testing.TB, url string, timeout time.Duration) *sharedlimit.Postgres {
	t.Helper()
	s, err := sharedlimit.NewPostgres(context.Background(), url, timeout)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPostgresConforms(t *testing.T) {
	t.Parallel()
	for _, v := range pgtest.Versions() {
		server := pgtest.Shared(t, v)
		modes := map[string]string{
			"read committed": server.URL(server.DatabaseLike(t, "limits", tables)),
			"serializable":   server.URL(server.DatabaseLike(t, "limits", tables, "default_transaction_isolation = serializable")),
			"PgBouncer":      server.Pooler(t).URL(server.DatabaseLike(t, "limits", tables)) + "&default_query_exec_mode=cache_describe",
		}
		for name, url := range modes {
			t.Run(string(v)+" "+name, func(t *testing.T) {
				t.Parallel()
				conforms(t, func() sharedlimit.Store { return postgresStore(t, url, patient) })
			})
		}
	}
}
