package store

import (
	"context"
	"database/sql"
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
	// peopleAtOnce is how many people are gathered, in some 10 MB, before they are written. Whoever adds more than that is
	// worth preparing for.
	peopleAtOnce = 20_000
	// fewPeople are written one by one: to prepare for many would cost more.
	fewPeople = 64
	// wordsAtOnce is how many words are gathered before they are written.
	wordsAtOnce = 10_000
)

// AddUsers implements directory.Store.
func (s *Store) AddUsers(ctx context.Context, account ident.AccountID, users iter.Seq2[directory.User, error], e audit.Entry) (int, error) {
	n, before := 0, -1
	err := s.change(ctx, "add users", account, func(ctx context.Context, t *tx) error {
		if _, err := t.GetAccount(ctx, string(account)); err != nil {
			return missing(err, noAccount)
		}
		a := &adding{tx: t, account: account, words: newSortedWords()}
		defer a.words.close()
		if err := a.all(ctx, users); err != nil {
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

// adding writes a sequence of people, many at once, and their words in the end.
type adding struct {
	*tx

	account ident.AccountID
	words   *sortedWords
	written int
	owners  int
}

func (a *adding) all(ctx context.Context, users iter.Seq2[directory.User, error]) error {
	next, stop := iter.Pull2(users)
	defer stop()
	r := &reading{next: next, words: a.words}
	first := r.read()
	if first.last && len(first.people) <= fewPeople {
		if err := a.few(ctx, first); err != nil {
			return err
		}
		return a.session.flush(ctx)
	}
	r.prepare(&first)
	if err := a.batch(ctx, first); err != nil {
		return err
	}
	if !first.last {
		for b := range r.ahead() {
			if err := a.batch(ctx, b); err != nil {
				return err
			}
		}
	}
	if err := a.sorted(ctx); err != nil {
		return err
	}
	if err := a.session.loaded(ctx); err != nil {
		return err
	}
	return a.session.flush(ctx)
}

// few writes people one by one.
func (a *adding) few(ctx context.Context, b batch) error {
	if b.err != nil {
		return addError(len(b.people), b.err)
	}
	for i, u := range b.people {
		a.note(u)
		if err := a.addUser(ctx, i, u); err != nil {
			return err
		}
	}
	a.written = len(b.people)
	return nil
}

func (a *adding) note(u directory.User) {
	if slices.Contains(u.Groups, directory.Owners) {
		a.owners++
	}
}

// batch writes people and their memberships, table by table.
func (a *adding) batch(ctx context.Context, b batch) error {
	if b.err != nil {
		return addError(a.written+len(b.people), b.err)
	}
	if !b.last || a.written > 0 {
		if err := a.session.load(ctx, a.written, len(b.people)); err != nil {
			return err
		}
	}
	n, err := a.session.insert(ctx, usersTable, userRows(b))
	if isDuplicate(err) {
		return a.first(ctx, b, n, err)
	}
	if err != nil {
		return err
	}
	for _, u := range b.people {
		a.note(u)
		a.count(a.account, "", u.State)
	}
	a.written += len(b.people)
	_, err = a.session.insert(ctx, membersTable, memberRows(b))
	return err
}

// first tells who of a batch can't be added and is the first of them to come, where inserting some of it has failed: so
// many are written.
func (a *adding) first(ctx context.Context, b batch, written int, failed error) error {
	ours := make(map[string]bool, written)
	for _, i := range b.order[:written] {
		ours[string(b.people[i].ID)] = true
	}
	ids, emails := map[ident.UserID]bool{}, map[string]bool{}
	for i, u := range b.people {
		key := u.Email.Key()
		taken := ids[u.ID] || emails[key]
		if !taken {
			var err error
			if taken, err = a.isTaken(ctx, u, key, ours); err != nil {
				return err
			}
		}
		if taken {
			return addError(a.written+i, alreadyThere(u))
		}
		ids[u.ID], emails[key] = true, true
	}
	return failed
}

// isTaken tells whether the account has somebody of this id or address, besides ours.
func (a *adding) isTaken(ctx context.Context, u directory.User, key string, ours map[string]bool) (bool, error) {
	_, err := a.GetUser(ctx, string(a.account), string(u.ID))
	if err == nil && !ours[string(u.ID)] {
		return true, nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	other, err := a.GetUserByEmail(ctx, string(a.account), key)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil && !ours[other.ID], err
}

// sorted writes the words of all.
func (a *adding) sorted(ctx context.Context) error {
	rows := make([][]any, 0, wordsAtOnce)
	var account any = string(a.account)
	for entry, err := range a.words.each() {
		if err != nil {
			return err
		}
		if rows = append(rows, []any{account, slices.Clone(entry[0]), string(entry[1])}); len(rows) < wordsAtOnce {
			continue
		}
		if _, err := a.session.insert(ctx, wordsTable, slices.Values(rows)); err != nil {
			return err
		}
		rows = rows[:0]
	}
	_, err := a.session.insert(ctx, wordsTable, slices.Values(rows))
	return err
}

// rowTable is a table that many rows are inserted into.
type rowTable struct {
	name    string
	columns []string
	// patient: a row that is there already stays.
	patient bool
}

var (
	usersTable   = rowTable{name: "users", columns: []string{"account_id", "id", "email", "email_key", "display_name", "state", "listed", "type", "create_time"}}
	membersTable = rowTable{name: "group_members", columns: []string{"account_id", "group_name", "user_id"}}
	wordsTable   = rowTable{name: "user_words", columns: []string{"account_id", "word", "user_id"}, patient: true}
)

func userRows(b batch) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		var row []any
		for _, i := range b.order {
			p := userRow(b.people[i])
			row = append(row[:0], p.AccountID, p.ID, p.Email, p.EmailKey, p.DisplayName, p.State, p.Listed, p.Type, p.CreateTime)
			if !yield(row) {
				return
			}
		}
	}
}

func memberRows(b batch) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		var row []any
		for _, i := range b.order {
			u := b.people[i]
			for _, g := range u.Groups {
				if row = append(row[:0], string(u.Account), g, string(u.ID)); !yield(row) {
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
