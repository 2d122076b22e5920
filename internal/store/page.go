package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// A page is handed over by the database as one text. These separate its fields and
// rows: control characters, which neither ids nor addresses nor names may hold (see ident).
const (
	fieldSeparator = "\x1f"
	rowSeparator   = "\x1e"
	rowFields      = 5 // id, email, display_name, state, create_time
)

// start is before every position: creation times are from 1970 on.
const start = -1

// Page implements directory.Store.
func (s *Store) Page(ctx context.Context, account ident.AccountID, f filter.Filter, after page.Position, limit int) ([]directory.User, error) {
	packed, err := ask(s, "read a page of users", func() (string, error) {
		return s.packedPage(bounded(ctx), account, f, after, int64(limit))
	})
	if err != nil {
		return nil, err
	}
	users, err := unpack(account, packed)
	return users, classify("read a page of users", err)
}

func (s *Store) packedPage(ctx context.Context, account ident.AccountID, f filter.Filter, after page.Position, limit int64) (string, error) {
	if f == filter.Any {
		return s.reads.PageOfListed(ctx, sqlgen.PageOfListedParams{
			FieldSeparator: fieldSeparator, RowSeparator: rowSeparator, AccountID: string(account),
			AfterTime: startOf(after), AfterID: string(after.ID), Most: limit,
		})
	}
	return s.reads.PageOfState(ctx, sqlgen.PageOfStateParams{
		FieldSeparator: fieldSeparator, RowSeparator: rowSeparator, AccountID: string(account), State: string(stateOf(f)),
		AfterTime: startOf(after), AfterID: string(after.ID), Most: limit,
	})
}

// startOf is the creation time behind which a page begins; the zero position is before everybody.
func startOf(after page.Position) int64 {
	if after.ID == "" {
		return start
	}
	return after.CreateTime.UnixMicro()
}

// stateOf is the state that a filter other than Any lets through.
func stateOf(f filter.Filter) directory.State {
	if f == filter.Suspended {
		return directory.Suspended
	}
	return directory.Active
}

// unpack reads a page's text back into people. A row that can't be read means a
// damaged database.
func unpack(account ident.AccountID, packed string) ([]directory.User, error) {
	if packed == "" {
		return nil, nil
	}
	users := make([]directory.User, 0, strings.Count(packed, rowSeparator)+1)
	for row := range strings.SplitSeq(packed, rowSeparator) {
		u, err := unpackUser(account, row)
		if err != nil {
			return nil, fmt.Errorf("row %d of the page can't be read: %w", len(users)+1, err)
		}
		users = append(users, u)
	}
	return users, nil
}

func unpackUser(account ident.AccountID, row string) (directory.User, error) {
	var field [rowFields]string
	if !fieldsOf(row, field[:]) {
		return directory.User{}, fmt.Errorf("it does not have %d fields", rowFields)
	}
	created, err := strconv.ParseInt(field[4], 10, 64)
	return directory.User{
		ID: ident.UserID(field[0]), Account: account, Email: ident.Email(field[1]), DisplayName: field[2],
		State: directory.State(field[3]), CreateTime: fromMicros(created),
	}, err
}

// fieldsOf cuts a row into just so many fields, and tells whether it could.
func fieldsOf(row string, into []string) bool {
	for i := range into {
		var more bool
		into[i], row, more = strings.Cut(row, fieldSeparator)
		if more != (i < len(into)-1) {
			return false
		}
	}
	return true
}
