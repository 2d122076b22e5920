package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func ask(t *testing.T, url, query string) string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	var answer string
	if err := c.QueryRow(t.Context(), query, pgx.QueryExecModeSimpleProtocol).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func TestServers(t *testing.T) {
	t.Parallel()
	for _, v := range Versions() {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			s := Shared(t, v)
			if got := ask(t, s.URL(s.Database(t)), "SHOW server_version"); !strings.HasPrefix(got, string(v)+".") {
				t.Errorf("server %s says it is %s", v, got)
			}
			if got := ask(t, s.URL(s.Database(t)), "SELECT CAST('a' < 'B' AS text)"); got != "true" {
				t.Error("text is sorted by bytes")
			}
			strict := s.Database(t, "default_transaction_isolation = serializable")
			if got := ask(t, s.Pooler(t).URL(strict), "SHOW transaction_isolation"); got != "serializable" {
				t.Errorf("isolation %s behind the pooler", got)
			}
			name := s.Database(t)
			ask(t, s.GuardedURL(name, GuardedPassword), "SELECT ''")
			if c, err := pgx.Connect(t.Context(), s.GuardedURL(name, "wrong")); err == nil {
				c.Close(t.Context())
				t.Error("a wrong password was taken")
			}
		})
	}
}

func TestDatabasesAreCopies(t *testing.T) {
	t.Parallel()
	s := Shared(t, Oldest)
	fills := 0
	fill := func(ctx context.Context, url string) error {
		fills++
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer c.Close(ctx)
		_, err = c.Exec(ctx, "CREATE TABLE t AS SELECT 'there' AS is")
		return err
	}
	for range 2 {
		if got := ask(t, s.URL(s.DatabaseLike(t, "copy", fill)), "SELECT t.is FROM t"); got != "there" {
			t.Error(got)
		}
	}
	if fills != 1 {
		t.Errorf("filled %d times", fills)
	}
}

func TestCrashAndRestart(t *testing.T) {
	t.Parallel()
	s := Own(t, Options{Version: Oldest, Durable: true})
	name := s.Database(t)
	if got := ask(t, s.URL(name), "SHOW fsync"); got != "on" {
		t.Errorf("fsync %s", got)
	}
	s.Kill()
	if c, err := pgx.Connect(t.Context(), s.URL(name)); err == nil {
		c.Close(t.Context())
		t.Error("it answers after its death")
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask(t, s.URL(name), "SELECT ''")
}

// A process that is killed leaves neither server nor folder.
func TestNothingOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv("PGTEST_DIE") != "" {
		s := Shared(t, Oldest)
		fmt.Println("\n" + s.room.dir)
		select {}
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingOutlivesTheProcess$") //nolint:gosec // G702: this test itself
	cmd.Env = append(os.Environ(), "PGTEST_DIE=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	dir := ""
	for text := ""; dir == ""; {
		chunk := make([]byte, 1024)
		n, err := out.Read(chunk)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		text += string(chunk[:n])
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, os.TempDir()) && strings.HasSuffix(line, "\n") {
				dir = strings.TrimSpace(line)
			}
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		select {
		case <-again.C:
		case <-t.Context().Done():
			t.Fatalf("%s is still there", dir)
		}
	}
}
