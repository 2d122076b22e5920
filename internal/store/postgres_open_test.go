package store_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/store"
)

// turnedAway opens a database that must be refused with these words, and without a secret.
func turnedAway(t *testing.T, o store.Options, words ...string) error {
	t.Helper()
	o.Rand = rand.Reader
	s, err := store.Open(t.Context(), o)
	if err == nil {
		_ = s.Close()
		t.Fatalf("it was opened, want an error with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not say %q: %v", w, err)
		}
	}
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("the error tells the password: %v", err)
	}
	return err
}

// TestPostgresThatCantBeUsed: each says what is wrong and what to do.
func TestPostgresThatCantBeUsed(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t, pgtest.Oldest)
	run := func(name string, statements ...string) string {
		t.Helper()
		if err := server.Admin(t.Context(), name, statements...); err != nil {
			t.Fatal(err)
		}
		return server.URL(name)
	}
	fresh := func(statements ...string) string { return run(server.Database(t), statements...) }
	ours := func(statements ...string) string { // not one that other tests get afterwards
		name := server.Database(t)
		ok(t, opened(t, store.Options{URL: server.URL(name)}).Close())
		return run(name, statements...)
	}
	for name, c := range map[string]struct {
		url   string
		words []string
	}{
		"no URL of ours":    {"mysql://root:hidden@localhost/x", []string{"postgres://USER@HOST/DATABASE"}},
		"no URL":            {"postgres://rollcall:hidden@:x:/", []string{"--database is not the URL"}},
		"wrong sslmode":     {"postgres://localhost/x?sslmode=maybe", []string{"sslmode"}},
		"nobody there":      {"postgres://127.0.0.1:1/x?sslmode=disable", []string{"can't be reached", "127.0.0.1:1"}},
		"no TLS there":      {strings.Replace(fresh(), "sslmode=disable", "sslmode=require", 1), []string{"can't be reached", "sslmode"}},
		"wrong password":    {server.GuardedURL(server.Database(t), "hidden"), []string{"refuses this user", "PGPASSFILE"}},
		"no such database":  {server.URL("nosuchthing"), []string{"no such database", "createdb"}},
		"missing rights":    {fresh("ALTER SCHEMA public OWNER TO postgres", "REVOKE ALL ON SCHEMA public FROM PUBLIC"), []string{"lacks a right", "owner"}},
		"another program's": {fresh("CREATE TABLE songs (title text)"), []string{"tables of another program"}},
		"a table is gone":   {ours("DROP TABLE usage_hours, audit_chain, page_keys, accounts CASCADE"), []string{"a table or column is missing"}},
		"of a later step":   {ours("INSERT INTO rollcall_migrations (version_id, is_applied) VALUES (1001, true)"), []string{store.ErrNewer.Error(), "1001"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_ = turnedAway(t, store.Options{URL: c.url}, c.words...)
		})
	}
}

// TestPostgresOfAnotherVersion: within a step, old and new binaries share a database.
func TestPostgresOfAnotherVersion(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t, pgtest.Newest)
	name := server.Database(t)
	o := store.Options{URL: server.URL(name), Connections: few}
	running := opened(t, o)
	hash := full(t, running, 10)
	// A newer binary adds a column and a table.
	if err := server.Admin(t.Context(), name,
		"ALTER TABLE users ADD COLUMN nickname text NOT NULL DEFAULT ''", "ALTER TABLE tokens ADD COLUMN scope text NOT NULL DEFAULT ''",
		"ALTER TABLE accounts ADD COLUMN plan text NOT NULL DEFAULT ''", "CREATE TABLE badges (id text PRIMARY KEY)",
		"INSERT INTO rollcall_migrations (version_id, is_applied) VALUES (999, true)"); err != nil {
		t.Fatal(err)
	}
	late := opened(t, store.Options{URL: o.URL, Connections: few, NoMigrate: true, MustExist: true})
	for _, s := range []*store.Store{running, late} {
		if _, err := s.Grant(t.Context(), hash); err != nil {
			t.Error(err)
		}
		users, err := s.Page(t.Context(), "A", filter.Any, page.Position{}, 100)
		if err != nil || len(users) != 10 {
			t.Errorf("got %d people and error %v", len(users), err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
	// A step that older binaries can't live with: they are no longer ready.
	if err := server.Admin(t.Context(), name, "INSERT INTO rollcall_migrations (version_id, is_applied) VALUES (1000, true)"); err != nil {
		t.Fatal(err)
	}
	if err := running.Ping(t.Context()); !errors.Is(err, store.ErrNewer) {
		t.Errorf("got error %v, want %v", err, store.ErrNewer)
	}
}

// TestSimultaneousMigrators: each step is applied once, whoever comes first.
func TestSimultaneousMigrators(t *testing.T) {
	t.Parallel()
	for _, version := range pgtest.Versions() {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			server := pgtest.Shared(t, version)
			url := server.URL(server.Database(t))
			errs := make([]error, 5)
			var wg sync.WaitGroup
			for i := range errs {
				wg.Go(func() {
					s, err := store.Open(t.Context(), store.Options{URL: url, Rand: rand.Reader, Connections: few})
					if errs[i] = err; err == nil {
						errs[i] = s.Close()
					}
				})
			}
			wg.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			steps, err := opened(t, store.Options{URL: url, NoMigrate: true}).Migrations(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range steps {
				if step.Applied.IsZero() {
					t.Errorf("%s is not applied", step.Name)
				}
			}
		})
	}
}

// TestMigrationCutShort: a migrator that was killed leaves a lock that ends by itself, and
// what it had not finished is not there.
func TestMigrationCutShort(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t, pgtest.Oldest)
	name := server.Database(t)
	url := server.URL(name)
	ok(t, opened(t, store.Options{URL: url}).Close())
	if err := server.Admin(t.Context(), name, "DROP TABLE marks", "DROP TABLE limit_counts", "DROP TABLE limit_runs",
		"ALTER TABLE accounts DROP COLUMN active_people, DROP COLUMN suspended_people, DROP COLUMN pending_people, DROP COLUMN counted_seq",
		"DELETE FROM rollcall_migrations WHERE version_id >= 4",
		"UPDATE rollcall_migration_lock SET locked = true, locked_by = 'killed', lease_expires_at = now() + interval '2 seconds'"); err != nil {
		t.Fatal(err)
	}
	_ = turnedAway(t, store.Options{URL: url, NoMigrate: true}, store.ErrOutdated.Error())
	s := opened(t, store.Options{URL: url})
	ok(t, s.Ping(t.Context()))
}

// TestServerThatDies: what is asked meanwhile is answered in bounded time with "try again",
// and everything goes on by itself afterwards.
func TestServerThatDies(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, pgtest.Options{Version: pgtest.Oldest, Durable: true})
	name, err := server.Create(t.Context())
	ok(t, err)
	s := opened(t, store.Options{URL: server.URL(name), Connections: few})
	hash := full(t, s, 10)
	server.Kill()
	gone := func(what string, err error) {
		t.Helper()
		if f := fault.As(err); f == nil || f.Kind != fault.KindUnavailable || f.RetryAfter <= 0 || strings.Contains(f.Message, "127.0.0.1") {
			t.Errorf("%s: got error %#v, want Unavailable", what, err)
		}
	}
	_, err = s.Grant(t.Context(), hash)
	gone("read", err)
	gone("ready", s.Ping(t.Context()))
	gone("write", s.AddPageKey(t.Context(), page.Key{ID: 9, CreatedAt: time.Unix(1, 0)}))
	_, err = s.Change(t.Context(), "A", "U000002", func(st directory.Standing) directory.Decision { return directory.Decision{User: st.User} })
	gone("change", err)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ok(t, s.Ping(t.Context()))
	_, err = s.Grant(t.Context(), hash)
	ok(t, err)
	ok(t, s.AddPageKey(t.Context(), page.Key{ID: 10, CreatedAt: time.Unix(1, 0)}))
}

// TestAccountThatIsHeld: whoever holds one account for long holds up nobody else.
func TestAccountThatIsHeld(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t, pgtest.Newest)
	o := store.Options{URL: server.URL(migrated(t, server)), Connections: few}
	s, other := opened(t, o), opened(t, o)
	full(t, s, 10)
	begun, release := make(chan struct{}), make(chan struct{})
	importing := make(chan error, 1)
	go func() {
		_, err := other.AddUsers(t.Context(), "A", func(yield func(directory.User, error) bool) {
			close(begun)
			<-release
			yield(directory.User{}, errors.New("never mind"))
		}, entry("A"))
		importing <- err
	}()
	<-begun
	suspend := func(account, user string) error { return suspendAs(t, s, account, user) }
	held := make(chan error, 1)
	go func() { held <- suspend("A", "U000003") }()
	ok(t, second(s.AddUsers(t.Context(), "B", func(yield func(directory.User, error) bool) {
		yield(directory.User{ID: "B1", Account: "B", Email: "b1@example.com", State: directory.Active, Type: directory.Member, CreateTime: time.Unix(1, 0)}, nil)
	}, entry("B"))))
	ok(t, suspend("B", "B1"))
	if err := <-held; fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("a change of the account that is held: got error %v, want Unavailable", err)
	}
	close(release)
	if err := <-importing; err == nil || !strings.Contains(err.Error(), "never mind") {
		t.Errorf("the import: got error %v", err)
	}
	ok(t, suspend("A", "U000003"))
}
