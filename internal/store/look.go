package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// UserLook reads a token and the person its bearer asks for in one statement. It
// serves one request: Grant first, then User; whatever else is asked of it, the store
// answers.
type UserLook struct {
	*Store

	account ident.AccountID
	id      ident.UserID
	user    directory.User
	found   bool
}

// LookAtUser begins a look at a person.
func (s *Store) LookAtUser(account ident.AccountID, id ident.UserID) *UserLook {
	return &UserLook{Store: s, account: account, id: id}
}

// Grant implements oauth.Grants.
func (l *UserLook) Grant(ctx context.Context, hash oauth.Hash) (oauth.Grant, error) {
	packed, err := l.askTexts(ctx, "look at a user", sqlgen.LookAtUser, 1, fieldSeparator, string(l.account), string(l.id), hash[:])
	if err != nil {
		return oauth.Grant{}, err
	}
	grant, person, err := unpackGrant(packed[0])
	if err == nil && person != "" {
		err = l.take(person)
	}
	return grant, classify("read a user", err)
}

// take keeps the person who was found.
func (l *UserLook) take(packed string) error {
	field := strings.Split(packed, fieldSeparator)
	if len(field) != 5 {
		return fmt.Errorf("the user's row has %d fields and not 5", len(field))
	}
	created, err := strconv.ParseInt(field[4], 10, 64)
	l.found = err == nil
	l.user = directory.User{
		ID: l.id, Account: l.account, Email: ident.Email(field[0]), DisplayName: field[1],
		State: directory.State(field[2]), Type: directory.Type(field[3]), CreateTime: fromMicros(created),
	}
	return err
}

// User implements directory.Sight.
func (l *UserLook) User(ctx context.Context, account ident.AccountID, id ident.UserID) (directory.User, error) {
	if !l.found || account != l.account || id != l.id {
		return l.Store.User(ctx, account, id)
	}
	return l.user, nil
}

// PageLook reads a token and the page of people its bearer asks for in one statement.
// It serves one request: Grant first, then Page; whatever else is asked of it, the
// store answers.
type PageLook struct {
	*Store

	account ident.AccountID
	cursor  page.Cursor
	limit   int
	packed  string
	read    bool
}

// LookAtPage begins a look at up to limit people behind a cursor.
func (s *Store) LookAtPage(account ident.AccountID, cursor page.Cursor, limit int) *PageLook {
	return &PageLook{Store: s, account: account, cursor: cursor, limit: limit}
}

// Grant implements oauth.Grants.
func (l *PageLook) Grant(ctx context.Context, hash oauth.Hash) (oauth.Grant, error) {
	packed, err := l.statement(ctx, hash)
	if err != nil {
		return oauth.Grant{}, err
	}
	grant, _, err := unpackGrant(packed[0])
	// A page of another account was not read; nor may it be.
	l.packed, l.read = packed[1], err == nil && grant.Account == l.account
	return grant, err
}

func (l *PageLook) statement(ctx context.Context, hash oauth.Hash) ([2]string, error) {
	const op = "look at a page of users"
	account, time, id, most := string(l.account), startOf(l.cursor.After), string(l.cursor.After.ID), int64(l.limit)
	if l.cursor.Filter == filter.Any {
		return l.askTexts(ctx, op, sqlgen.LookAtListed, 2, fieldSeparator, account, rowSeparator, time, id, most, hash[:])
	}
	state := string(stateOf(l.cursor.Filter))
	return l.askTexts(ctx, op, sqlgen.LookAtState, 2, fieldSeparator, account, rowSeparator, state, time, id, most, hash[:])
}

// Page implements directory.Sight.
func (l *PageLook) Page(ctx context.Context, account ident.AccountID, f filter.Filter, after page.Position, limit int) ([]directory.User, error) {
	if !l.read || account != l.account || f != l.cursor.Filter || after != l.cursor.After || limit != l.limit {
		return l.Store.Page(ctx, account, f, after, limit)
	}
	users, err := unpack(account, l.packed)
	return users, classify("read a page of users", err)
}
