package store

import (
	"crypto/rand"
	"errors"
	"iter"
	"testing"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/pgtest"
)

var errUnreadable = errors.New("the file can't be read any further")

// except gives people, with somebody else, or an error, in the place of one of them.
func except(people iter.Seq2[directory.User, error], at int, instead func(directory.User) (directory.User, error)) iter.Seq2[directory.User, error] {
	return func(yield func(directory.User, error) bool) {
		i := 0
		for u, err := range people {
			if i == at {
				u, err = instead(u)
			}
			if !yield(u, err) || err != nil {
				return
			}
			i++
		}
	}
}

// TestBatchesOfPeople: batches are written in another order than they came in, while the next one is read; who can't be
// added is told all the same, and the first of them. What SQLite does besides is tested by TestVeryManyPeople.
func TestBatchesOfPeople(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t, pgtest.Oldest)
	s := openWith(t, Options{URL: server.URL(server.Database(t)), Rand: rand.Reader})
	defer closeStore(t, s)
	d, _ := services(t, s)
	if _, err := d.CreateAccount(t.Context(), operator, directory.Account{ID: "A", Name: "n"}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.AddUsers(t.Context(), operator, "A", persons("there", 2)); err != nil {
		t.Fatal(err)
	}
	const many = peopleAtOnce + 100
	for at, instead := range map[int]func(directory.User) (directory.User, error){
		many - 50: func(u directory.User) (directory.User, error) { u.Email = "THERE1@example.com"; return u, nil },
		many - 60: func(u directory.User) (directory.User, error) { u.ID = "there0"; return u, nil },
		many - 70: func(u directory.User) (directory.User, error) { return u, errUnreadable },
	} {
		people := except(newcomers("x", many, true), at, instead) // whose last one can't be added either
		var said *directory.AddError
		_, err := d.AddUsers(t.Context(), operator, "A", people)
		if !errors.As(err, &said) || said.Index != at || fault.KindOf(err) != fault.KindConflict && !errors.Is(err, errUnreadable) {
			t.Errorf("got error %v, want one at %d", err, at)
		}
	}
	sameWords(t, s, "nobody added")
	if n, err := d.AddUsers(t.Context(), operator, "A", newcomers("x", many, false)); err != nil || n != many {
		t.Fatalf("%d were added, error %v", n, err)
	}
	sameWords(t, s, "added")
}
