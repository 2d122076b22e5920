package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

const (
	// peopleAtOnce is how many people are gathered before they are written. PostgreSQL has to answer for all of them
	// and their words within statementTimeout, also when it is busy.
	peopleAtOnce = 2_000
	// fewPeople are written one by one: to prepare for many would cost more.
	fewPeople = 64
	// manyPeople are worth preparing for.
	manyPeople = 20_000
)

// AddUsers implements directory.Store.
func (s *Store) AddUsers(ctx context.Context, account ident.AccountID, users iter.Seq2[directory.User, error], e audit.Entry) (int, error) {
	n, before := 0, -1
	err := s.change(ctx, "add users", account, func(ctx context.Context, t *tx) error {
		if _, err := t.GetAccount(ctx, string(account)); err != nil {
			return missing(err, noAccount)
		}
		a := &adding{tx: t}
		for u, err := range users {
			if err == nil {
				err = a.add(ctx, u)
			}
			if err != nil {
				return addError(a.written+len(a.people), err)
			}
		}
		if err := a.end(ctx); err != nil {
			return err
		}
		n = a.written
		if before >= 0 && n != before { // the work runs again: a spent sequence must not pass for an empty one
			return fmt.Errorf("the sequence gave %d people and then %d: it must give the same each time", before, n)
		}
		before = n
		if e.Action == audit.UserImport {
			e = e.With(fmt.Sprintf("%d people, %d of them owners", n, a.owners))
		}
		return t.append(ctx, s, e)
	})
	return n, err
}

// addError says which person of a sequence could not be added, unless that is said already.
func addError(index int, err error) error {
	var said *directory.AddError
	if errors.As(err, &said) {
		return err
	}
	return &directory.AddError{Index: index, Err: err}
}

// adding writes a sequence of people, many at once.
type adding struct {
	*tx

	people  []directory.User // not written yet
	written int
	owners  int
}

func (a *adding) add(ctx context.Context, u directory.User) error {
	if slices.Contains(u.Groups, directory.Owners) {
		a.owners++
	}
	if a.people = append(a.people, u); len(a.people) < peopleAtOnce {
		return nil
	}
	return a.write(ctx)
}

func (a *adding) end(ctx context.Context) error {
	if err := a.write(ctx); err != nil {
		return err
	}
	if err := a.session.loaded(ctx); err != nil {
		return err
	}
	return a.session.flush(ctx)
}

// write writes who has been gathered.
func (a *adding) write(ctx context.Context) error {
	people := a.people
	a.people = a.people[:0]
	if len(people) > fewPeople {
		err := a.many(ctx, people)
		a.written += len(people)
		if err == nil && a.written >= manyPeople {
			err = a.session.load(ctx, a.written)
		}
		return err
	}
	for _, u := range people {
		if err := a.addUser(ctx, a.written, u); err != nil {
			return err
		}
		a.written++
	}
	return nil
}

// many writes people and what belongs to them, table by table.
func (a *adding) many(ctx context.Context, people []directory.User) error {
	columns := []string{"account_id", "id", "email", "email_key", "display_name", "state", "listed", "type", "create_time"}
	bad, err := a.session.insert(ctx, "users", columns, userRows(people))
	if isDuplicate(err) {
		return addError(a.written+bad, alreadyThere(people[bad]))
	}
	if err != nil {
		return err
	}
	for _, u := range people {
		a.count(u.Account, "", u.State)
	}
	if _, err = a.session.insert(ctx, "group_members", []string{"account_id", "group_name", "user_id"}, memberRows(people)); err != nil {
		return err
	}
	_, err = a.session.insert(ctx, wordsTable, []string{"account_id", "word", "user_id"}, wordRows(people))
	return err
}

func userRows(people []directory.User) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		var row []any
		for _, u := range people {
			p := userRow(u)
			row = append(row[:0], p.AccountID, p.ID, p.Email, p.EmailKey, p.DisplayName, p.State, p.Listed, p.Type, p.CreateTime)
			if !yield(row) {
				return
			}
		}
	}
}

func memberRows(people []directory.User) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		var row []any
		for _, u := range people {
			for _, g := range u.Groups {
				if row = append(row[:0], string(u.Account), g, string(u.ID)); !yield(row) {
					return
				}
			}
		}
	}
}

func wordRows(people []directory.User) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		var row []any
		for _, u := range people {
			for _, word := range directory.SearchWords(u) {
				if row = append(row[:0], string(u.Account), []byte(word), string(u.ID)); !yield(row) {
					return
				}
			}
		}
	}
}

func alreadyThere(u directory.User) error {
	return fault.Conflict("a person with the e-mail address %s, or the id %s, is in the account already", u.Email, u.ID)
}

// userRow is a person as the table has them.
func userRow(u directory.User) sqlgen.InsertUserParams {
	listed := int64(1)
	if u.State == directory.Pending {
		listed = 0
	}
	return sqlgen.InsertUserParams{
		AccountID: string(u.Account), ID: string(u.ID), Email: string(u.Email), EmailKey: u.Email.Key(),
		DisplayName: u.DisplayName, State: string(u.State), Listed: listed, Type: string(u.Type), CreateTime: micros(u.CreateTime),
	}
}

// addUser adds the person at index of a sequence.
func (t *tx) addUser(ctx context.Context, index int, u directory.User) error {
	err := t.laterOr(func(err error) error {
		if isDuplicate(err) {
			err = alreadyThere(u)
		}
		return addError(index, err)
	}).InsertUser(ctx, userRow(u))
	if err != nil {
		return err
	}
	t.count(u.Account, "", u.State)
	for _, g := range u.Groups {
		if err := t.Later.InsertMember(ctx, string(u.Account), g, string(u.ID)); err != nil {
			return err
		}
	}
	return addWords(ctx, t.Later, u)
}
