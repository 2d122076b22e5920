package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

// TestVeryManyPeople: what is put off and dropped while very many are added is there again afterwards, also where the last
// of them could not be added, and a second time; the file is sound.
func TestVeryManyPeople(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(t.Context(), Options{Dir: dir, Rand: rand.Reader, Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	d, _ := services(t, s)
	if _, err := d.CreateAccount(t.Context(), operator, directory.Account{ID: "A", Name: "A"}); err != nil {
		t.Fatal(err)
	}
	schema := schemaOf(t, dir)
	const many = 2*peopleAtOnce + 100
	var at *directory.AddError
	if _, err := d.AddUsers(t.Context(), operator, "A", newcomers("x", many, true)); fault.KindOf(err) != fault.KindConflict || !errors.As(err, &at) || at.Index != many-1 {
		t.Fatalf("got error %v, want a conflict at %d", err, many-1)
	}
	middle := except(newcomers("x", many, true), many/2, func(u directory.User) (directory.User, error) { u.Email = "X7@example.com"; return u, nil })
	if _, err := d.AddUsers(t.Context(), operator, "A", middle); fault.KindOf(err) != fault.KindConflict || !errors.As(err, &at) || at.Index != many/2 {
		t.Fatalf("got error %v, want a conflict at %d", err, many/2)
	}
	for i, kind := range []string{"x", "y"} { // into an empty account, and beside as many
		if n, err := d.AddUsers(t.Context(), operator, "A", newcomers(kind, many, false)); err != nil || n != many {
			t.Fatalf("%d were added, error %v", n, err)
		}
		if diff := cmp.Diff(schema, schemaOf(t, dir)); diff != "" {
			t.Errorf("the schema is another one (-before +after)\n%s", diff)
		}
		users, err := s.Page(t.Context(), "A", filter.Any, page.Position{}, 10)
		if err != nil || len(users) != 10 {
			t.Errorf("a page of %d people, error %v", len(users), err)
		}
		for _, n := range []int{0, many / 2, many - 1} {
			found, err := s.People(t.Context(), "A", directory.PeopleQuery{Text: fmt.Sprintf("%s%d@", kind, n), Limit: 500})
			if err != nil || len(found.People) == 0 {
				t.Errorf("%s%d is not found: %v", kind, n, err)
			}
		}
		db := raw(t, filepath.Join(dir, File))
		for query, want := range map[string]int{
			"SELECT count(*) FROM users INDEXED BY users_listed": many * (i + 1), "SELECT count(*) FROM user_words": 4 * many * (i + 1),
		} {
			var got int
			if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %d, error %v, want %d", query, got, err, want)
			}
		}
		var sound string
		if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
			t.Errorf("the file is not sound: %s %v", sound, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// newcomers gives people who each have four words; the last one may be the first again.
func newcomers(kind string, many int, twice bool) iter.Seq2[directory.User, error] {
	return func(yield func(directory.User, error) bool) {
		for i := range many {
			n := i
			if twice && i == many-1 {
				n = 0
			}
			u := directory.User{
				Account: "A", ID: ident.UserID(fmt.Sprintf("%s%d", kind, (n*7919)%many)), Email: ident.Email(fmt.Sprintf("%s%d@example.com", kind, n)),
				DisplayName: "Newcomer", State: directory.Active, Type: directory.Member, CreateTime: time.Unix(int64(n), 0),
			}
			if !yield(u, nil) {
				return
			}
		}
	}
}

// schemaOf reads how everything was made, in no particular order of making.
func schemaOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	rows, err := raw(t, filepath.Join(dir, File)).QueryContext(t.Context(), "SELECT name, coalesce(sql, '') FROM sqlite_schema")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	made := map[string]string{}
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		made[name] = text
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return made
}
