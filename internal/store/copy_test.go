package store_test

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/usage"
)

var operator = access.Caller{Kind: access.Operator, Name: "olga"}

// full puts something of everything into a database, and returns a token that counts.
func full(t *testing.T, s *store.Store, people int) oauth.Hash {
	t.Helper()
	now := time.Date(2026, 1, 15, 10, 30, 0, 123456000, time.UTC)
	tick := func() time.Time { now = now.Add(time.Millisecond); return now }
	d := directory.Service{Store: s, Keys: page.NewKeyring(s, tick, rand.Reader), Now: tick, Rand: rand.Reader}
	for _, id := range []ident.AccountID{"A", "B"} {
		ok(t, second(d.CreateAccount(t.Context(), operator, directory.Account{ID: id, Name: "Ümlaut & Söhne 🦉"})))
	}
	ok(t, second(d.AddUsers(t.Context(), operator, "A", func(yield func(directory.User, error) bool) {
		for i := range people {
			u := directory.User{ID: ident.UserID(fmt.Sprintf("U%06d", i)), Account: "A", Email: ident.Email(fmt.Sprintf("Ü%d@example.com", i)), DisplayName: "Somebody 🦉",
				State: directory.Active, Type: directory.Member, CreateTime: now, Groups: []string{directory.Owners}}
			if !yield(u, nil) {
				return
			}
		}
	})))
	ok(t, second(d.Suspend(t.Context(), operator, "A", "U000001")))
	a := oauth.Application{ID: "app", Account: "A", Name: "App", Permissions: access.All, State: oauth.Enabled, CreateTime: now}
	ok(t, s.CreateApplication(t.Context(), a, oauth.Secret{ID: "SECRET", Client: "app", Hash: oauth.Hash{1}, CreateTime: now},
		audit.New(operator, "A", audit.ApplicationCreate, "app", audit.Done, tick())))
	hash := oauth.Hash{7}
	ok(t, s.AddToken(t.Context(), oauth.Token{Hash: hash, Client: "app", Secret: "SECRET", IssueTime: now, ExpireTime: now.Add(time.Hour)},
		audit.New(operator, "A", audit.TokenIssue, "app", audit.Done, tick()), audit.Head{}))
	ok(t, s.AddUsage(t.Context(), []usage.Row{{Key: usage.Key{Hour: now.Truncate(time.Hour), Account: "A", Client: "app", UserAgent: "x"}, Counts: usage.Counts{Requests: 3}}}))
	ok(t, s.AddPageKey(t.Context(), page.Key{ID: 1, CreatedAt: now}))
	return hash
}

// signedIn gives somebody every way in, a session and what lies between.
func signedIn(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, store.File))
	ok(t, err)
	defer func() { ok(t, db.Close()) }()
	for _, row := range []string{
		"passwords VALUES ('A', 'U000000', '$argon2id$', 1)",
		"passkeys VALUES ('A', 'U000000', 'K', x'01', x'02', 'key', 1, 0)",
		"sessions VALUES ('A', 'U000000', 'X', x'03', 'password', 1, 1, 1, '', '')",
		"links VALUES (x'04', 'A', 'U000000', 'invitation', 1, 1)",
		"ceremonies VALUES (x'05', 'k', 'A', 'U000000', x'06', 1)",
		"sso_connections VALUES ('A', 'https://issuer.example', 'c', x'', 1)",
		"sso_subjects VALUES ('A', 'https://issuer.example', 's', 'U000000')",
	} {
		ok(t, second(db.ExecContext(t.Context(), "INSERT INTO "+row)))
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestCopyThereAndBack: everything arrives, in either direction, once.
func TestCopyThereAndBack(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t, pgtest.Oldest)
	dir := t.TempDir()
	start := opened(t, store.Options{Dir: dir})
	hash := full(t, start, 2_500)
	signedIn(t, dir)
	there := opened(t, store.Options{URL: server.URL(migrated(t, server))})
	var last, of int64
	copied, err := store.Copy(t.Context(), start, there, func(rows, total int64) { last, of = rows, total })
	ok(t, err)
	if last != of || of < 5_000 {
		t.Errorf("progress ended with %d of %d", last, of)
	}
	names, err := store.Tables()
	ok(t, err)
	for _, c := range copied {
		if c.Rows == 0 {
			t.Errorf("the test puts nothing into %s", c.Table)
		}
		names = slices.DeleteFunc(names, func(n string) bool { return n == c.Table })
	}
	if len(names) > 0 {
		t.Errorf("not copied: %v", names)
	}
	back := opened(t, store.Options{Dir: t.TempDir()})
	again, err := store.Copy(t.Context(), there, back, nil)
	ok(t, err)
	if diff := cmp.Diff(copied, again); diff != "" {
		t.Errorf("copied (-there +back):\n%s", diff)
	}
	for _, s := range []*store.Store{there, back} {
		same(t, start, s, hash)
	}

	// Once more is harmless; another database's content is not replaced.
	ok(t, second(store.Copy(t.Context(), start, there, nil)))
	ok(t, there.Append(t.Context(), []audit.Entry{audit.New(operator, "A", audit.Authenticate, "", audit.Refused, time.Unix(1_800_000_000, 0))}))
	if _, err := store.Copy(t.Context(), start, there, nil); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("got error %v, want %v", err, store.ErrNotEmpty)
	}
}

func same(t *testing.T, a, b *store.Store, hash oauth.Hash) {
	t.Helper()
	everybody := func(s *store.Store) (list []directory.User) {
		ok(t, s.EachUser(t.Context(), "A", func(u directory.User) bool { list = append(list, u); return true }))
		return list
	}
	if diff := cmp.Diff(everybody(a), everybody(b)); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	for _, account := range []ident.AccountID{"A", "B"} {
		want, err := a.Head(t.Context(), account)
		ok(t, err)
		got, err := b.Head(t.Context(), account)
		ok(t, err)
		report, err := audit.Verify(t.Context(), b, account)
		if err != nil || got != want || len(report.Problems) > 0 {
			t.Errorf("record of %s: head %v, want %v; %+v, %v", account, got, want, report, err)
		}
	}
	want, err := a.Grant(t.Context(), hash)
	ok(t, err)
	got, err := b.Grant(t.Context(), hash)
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
}

// entry is an entry of a change that needs one.
func entry(account ident.AccountID) audit.Entry {
	return audit.New(operator, account, audit.UserImport, "", audit.Done, time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC))
}

func suspendAs(t *testing.T, s *store.Store, account, user string) error {
	t.Helper()
	_, err := s.Change(t.Context(), ident.AccountID(account), ident.UserID(user), func(st directory.Standing) directory.Decision {
		st.User.State = directory.Suspended
		return directory.Decision{User: st.User, Changed: true,
			Entry: audit.New(operator, ident.AccountID(account), audit.UserSuspend, user, audit.Done, time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC))}
	})
	return err
}
