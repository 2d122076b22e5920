package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

const noToken = "there is no such token"

// Grant implements oauth.Store.
func (s *Store) Grant(ctx context.Context, hash oauth.Hash) (oauth.Grant, error) {
	packed, err := s.askTexts(ctx, "read a token", sqlgen.GetGrant, 1, fieldSeparator, hash[:])
	if err != nil {
		return oauth.Grant{}, err
	}
	g, _, err := unpackGrant(packed[0])
	return g, err
}

// askTexts asks for a row of n texts, one or two, the first of which holds a token's grant.
func (s *Store) askTexts(ctx context.Context, op, query string, n int, args ...any) (texts [2]string, err error) {
	found := false
	err = s.readTogether(ctx, op, &read{query: query, args: args, columns: n, row: func(_ int, columns []driver.Value) (err error) {
		found = true
		for i := range columns {
			texts[i] = valueAs[string](columns[i], &err)
		}
		return err
	}})
	if err == nil && !found {
		err = fault.NotFound(noToken)
	}
	return texts, err
}

// grantFields is how many fields a grant takes: client_id, expire_time, account_id,
// permissions, state, the secret's expire_time, the account's state.
const grantFields = 7

// unpackGrant reads a grant out of a text, and returns the text behind it.
func unpackGrant(packed string) (oauth.Grant, string, error) {
	var field [grantFields]string
	for i := range field {
		field[i], packed, _ = strings.Cut(packed, fieldSeparator)
	}
	expires, err1 := strconv.ParseInt(field[1], 10, 64)
	secretExpires, err2 := strconv.ParseInt(field[5], 10, 64)
	permissions, err3 := permissionsOf(field[3])
	return oauth.Grant{
		Identity: oauth.Identity{
			ID: ident.ClientID(field[0]), Account: ident.AccountID(field[2]), Permissions: permissions,
			State: oauth.ApplicationState(field[4]), AccountOpen: field[6] == string(directory.Open),
		},
		ExpireTime: fromMicros(expires), SecretExpireTime: fromOptional(secretExpires),
	}, packed, classify("read a token", errors.Join(err1, err2, err3))
}
