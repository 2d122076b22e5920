package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/pgtest"
)

// onEach runs a test on a store in a folder and on one on each version of PostgreSQL.
func onEach(t *testing.T, test func(*testing.T, Options)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, Options{Dir: t.TempDir(), Rand: rand.Reader})
	})
	for _, version := range pgtest.Versions() {
		t.Run("PostgreSQL "+string(version), func(t *testing.T) {
			t.Parallel()
			server := pgtest.Shared(t, version)
			test(t, Options{URL: server.URL(server.Database(t)), Rand: rand.Reader})
		})
	}
}

func openWith(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wordsOf are the rows of user_words as they are, and as they should be: everybody's, and nobody else's.
func wordsOf(t *testing.T, s *Store) (got, want map[string]int) {
	t.Helper()
	var db *sql.DB
	switch e := s.engine.(type) {
	case *sqliteEngine:
		db = e.reader
	case *postgresEngine:
		db = e.reader
	}
	rows, err := db.QueryContext(t.Context(), "SELECT account_id, word, user_id FROM user_words")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got, want = map[string]int{}, map[string]int{}
	for rows.Next() {
		var account, id string
		var word []byte
		if err := rows.Scan(&account, &word, &id); err != nil {
			t.Fatal(err)
		}
		got[account+" "+id+" "+string(word)]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	accounts, err := s.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		err := s.EachUser(t.Context(), a.ID, func(u directory.User) bool {
			for _, word := range directory.SearchWords(u) {
				want[string(a.ID)+" "+string(u.ID)+" "+word]++
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return got, want
}

func sameWords(t *testing.T, s *Store, when string) {
	t.Helper()
	got, want := wordsOf(t, s)
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("%s: words (-everybody's +kept), of %d:\n%s", when, len(want), diff)
	}
}

func person(id string) directory.User {
	return directory.User{ID: ident.UserID(id), Email: ident.Email(id + "@example.com"), DisplayName: "Zoë Zoë " + id}
}

func persons(kind string, many int) iter.Seq2[directory.User, error] {
	return func(yield func(directory.User, error) bool) {
		for i := range many {
			if !yield(person(fmt.Sprintf("%s%d", kind, i)), nil) {
				return
			}
		}
	}
}

func pointer[T any](v T) *T { return &v }

// TestNoWordWithoutItsPerson: no foreign key keeps words, so whatever adds, changes or removes somebody does: what is kept
// is everybody's words and no others. That the statements below are all that there are is TestOneWayToRemovePeople.
func TestNoWordWithoutItsPerson(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o Options) {
		s := openWith(t, o)
		defer closeStore(t, s)
		d, _ := services(t, s)
		ctx := t.Context()
		do := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			sameWords(t, s, what)
		}
		for _, id := range []ident.AccountID{"A", "B"} {
			_, err := d.CreateAccount(ctx, operator, directory.Account{ID: id, Name: "n"})
			if err == nil {
				_, err = d.AddUsers(ctx, operator, id, persons("few", 5))
			}
			do("few", err)
			_, err = d.AddUsers(ctx, operator, id, persons("many", fewPeople+10))
			do("many", err)
		}
		if _, err := d.AddUsers(ctx, operator, "A", persons("many", fewPeople+11)); fault.KindOf(err) != fault.KindConflict {
			t.Fatalf("got error %v, want a conflict", err)
		}
		sameWords(t, s, "nobody added")
		_, err := d.EditUser(ctx, operator, "A", "few1", directory.UserPatch{DisplayName: pointer("Åsa Öberg")})
		do("another name", err)
		_, err = d.EditUser(ctx, operator, "A", "few1", directory.UserPatch{Email: pointer("asa@example.org")})
		do("another address", err)
		_, err = d.EditUser(ctx, operator, "A", "many3", directory.UserPatch{DisplayName: pointer("ZOË many3")})
		do("the same words", err)
		if _, err := d.EditUser(ctx, operator, "A", "few2", directory.UserPatch{Email: pointer("asa@example.org")}); fault.KindOf(err) != fault.KindConflict {
			t.Fatalf("got error %v, want a conflict", err)
		}
		sameWords(t, s, "an edit refused")
		for _, id := range []ident.UserID{"few1", "few2", "many3", "many73"} {
			do("removed "+string(id), d.RemoveUser(ctx, operator, "A", id))
		}
		do("closed", d.SetAccountState(ctx, operator, "B", directory.Closed))
	})
}

// TestOneWayToRemovePeople: where somebody is removed, or their name or address changed, their words are seen to.
func TestOneWayToRemovePeople(t *testing.T) {
	t.Parallel()
	removes, changes := regexp.MustCompile(`DELETE FROM (users|accounts)\b`), regexp.MustCompile(`UPDATE users SET.*\b(email|display_name|id) =`)
	for name, text := range statements(t) {
		text, _, _ = strings.Cut(text, " WHERE ")
		if removes.MatchString(text) && name != "DeleteUser" || changes.MatchString(text) && name != "UpdateUser" {
			t.Errorf("%s: words must be seen to, and TestNoWordWithoutItsPerson do it", name)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text := string(readFile(t, file))
		if removes.MatchString(text) {
			t.Errorf("%s removes people", file)
		}
		found += strings.Count(text, ".DeleteUser") + strings.Count(text, ".UpdateUser(")
	}
	if found != 2 {
		t.Errorf("people are removed and changed in %d places, want 2: in RemoveUser and in EditUser", found)
	}
}

// TestWordsLeftBehind: words that a binary left behind which cut names otherwise keep nobody from being added, edited or
// removed, and find nobody.
func TestWordsLeftBehind(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o Options) {
		s := openWith(t, o)
		defer closeStore(t, s)
		d, _ := services(t, s)
		ctx := t.Context()
		if _, err := d.CreateAccount(ctx, operator, directory.Account{ID: "A", Name: "n"}); err != nil {
			t.Fatal(err)
		}
		err := s.change(ctx, "leave words", "A", func(ctx context.Context, tx *tx) error {
			for _, id := range []string{"few1", "many7"} {
				for _, word := range []string{"zoe", "bygone", "example"} {
					if err := tx.InsertWord(ctx, "A", []byte(word), id); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, add := range []iter.Seq2[directory.User, error]{persons("few", 3), persons("many", fewPeople+10)} {
			if _, err := d.AddUsers(ctx, operator, "A", add); err != nil {
				t.Fatal(err)
			}
		}
		for text, want := range map[string]int{"bygone": 0, "many7@": 5, "few1": 1} {
			found, err := s.People(ctx, "A", directory.PeopleQuery{Text: text, Limit: 500})
			if err != nil || len(found.People) != want {
				t.Errorf("%s: %d people are found, error %v, want %d", text, len(found.People), err, want)
			}
		}
		if _, err := d.EditUser(ctx, operator, "A", "few1", directory.UserPatch{DisplayName: pointer("Bygone")}); err != nil {
			t.Error(err)
		}
		if err := d.RemoveUser(ctx, operator, "A", "many7"); err != nil {
			t.Error(err)
		}
	})
}

// TestWordsUpgrade: the words of a database from before stand alone afterwards, are found, and go with their people.
func TestWordsUpgrade(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o Options) {
		s := openWith(t, o)
		d, _ := services(t, s)
		ctx := t.Context()
		if _, err := d.CreateAccount(ctx, operator, directory.Account{ID: "A", Name: "n"}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.AddUsers(ctx, operator, "A", persons("many", 100)); err != nil {
			t.Fatal(err)
		}
		down, alone := before8(t, s)
		if !alone() {
			t.Error("words refer to people, or are indexed twice")
		}
		down()
		if alone() {
			t.Error("words from before refer to nobody")
		}
		sameWords(t, s, "before")
		closeStore(t, s)
		s = openWith(t, o)
		defer closeStore(t, s)
		if _, alone = before8(t, s); !alone() {
			t.Error("words refer to people, or are indexed twice")
		}
		sameWords(t, s, "upgraded")
		d, _ = services(t, s)
		if _, err := d.EditUser(ctx, operator, "A", "many1", directory.UserPatch{DisplayName: pointer("Somebody Else")}); err != nil {
			t.Fatal(err)
		}
		if err := d.RemoveUser(ctx, operator, "A", "many2"); err != nil {
			t.Fatal(err)
		}
		sameWords(t, s, "edited and removed")
		for text, want := range map[string]int{"else": 1, "many1@": 11, "many2@": 10, "zoe": 98} {
			found, err := s.People(ctx, "A", directory.PeopleQuery{Text: text, Limit: 500})
			if err != nil || len(found.People) != want {
				t.Errorf("%s: %d people are found, error %v, want %d", text, len(found.People), err, want)
			}
		}
	})
}

// before8 returns what takes a database back to before words stood alone, and what tells whether they do.
func before8(t *testing.T, s *Store) (down func(), alone func() bool) {
	t.Helper()
	var m *goose.Provider
	var db *sql.DB
	var err error
	query := "SELECT count(*) FROM pg_catalog.pg_constraint WHERE contype = 'f' AND conrelid = 'user_words'::regclass" +
		" UNION ALL SELECT count(*) - 1 FROM pg_catalog.pg_indexes WHERE tablename = 'user_words'"
	switch e := s.engine.(type) {
	case *sqliteEngine:
		db = raw(t, e.path())
		m, err = migrator(db)
		query = "SELECT count(*) FROM pragma_foreign_key_list('user_words') UNION ALL SELECT count(*) - 1 FROM pragma_index_list('user_words')"
	case *postgresEngine:
		db = e.patient()
		t.Cleanup(func() { _ = db.Close() })
		m, err = e.migrator(db)
	}
	if err != nil {
		t.Fatal(err)
	}
	down = func() {
		if _, err := m.DownTo(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
	}
	return down, func() bool {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		sum := 0
		for rows.Next() {
			var n int
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		return sum == 0 && rows.Err() == nil
	}
}

// TestUpPatiently: a migration that could not have a table in time is tried again, but not for ever, and nothing else is.
func TestUpPatiently(t *testing.T) {
	t.Parallel()
	locked := &goose.PartialError{Err: &pgconn.PgError{Code: stateLocked}, Failed: &goose.MigrationResult{Source: &goose.Source{}}}
	for name, c := range map[string]struct {
		errs []error
		want error
		ups  int
	}{
		"at once":      {[]error{nil}, nil, 1},
		"in the end":   {[]error{locked, locked, nil}, nil, 3},
		"never":        {[]error{locked, locked, locked, nil}, locked, 3},
		"another harm": {[]error{os.ErrInvalid, nil}, os.ErrInvalid, 1},
	} {
		ups := 0
		up := func(context.Context) error {
			ups++
			return c.errs[ups-1]
		}
		if err := upPatiently(t.Context(), up, 3, 0); !errors.Is(err, c.want) || ups != c.ups {
			t.Errorf("%s: got error %v after %d, want %v after %d", name, err, ups, c.want, c.ups)
		}
	}
}
