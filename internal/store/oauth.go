package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

const (
	noApplication = "there is no such application"
	noToken       = "there is no such token"
)

func applicationOf(r sqlgen.Application) (oauth.Application, error) {
	permissions, err := permissionsOf(r.Permissions)
	return oauth.Application{
		ID: ident.ClientID(r.ID), Account: ident.AccountID(r.AccountID), Name: r.Name, Description: r.Description,
		RedirectURL: r.RedirectUrl, Permissions: permissions, State: oauth.ApplicationState(r.State),
		CreateTime: fromMicros(r.CreateTime),
	}, err
}

// permissionsOf reads stored permissions. An unknown one is a defect of what is stored
// and not of what was asked: the fault of the parser ends here.
func permissionsOf(stored string) (access.Set, error) {
	set, err := access.ParseSet(strings.Fields(stored))
	if err != nil {
		return 0, fmt.Errorf("store: read an application's permissions: %v", err) //nolint:errorlint // as said above
	}
	return set, nil
}

// hashOf reads a stored hash; one of a wrong length stays zero and matches nothing.
func hashOf(b []byte) (h oauth.Hash) {
	if len(b) == len(h) {
		copy(h[:], b)
	}
	return h
}

// Client implements oauth.Store.
func (s *Store) Client(ctx context.Context, id ident.ClientID) (oauth.Client, error) {
	rows, err := s.reads.GetClient(bounded(ctx), string(id))
	if err == nil && len(rows) == 0 {
		err = fault.NotFound(noApplication)
	}
	if err != nil {
		return oauth.Client{}, classify("read a client", err)
	}
	first := rows[0]
	permissions, err := permissionsOf(first.Permissions)
	c := oauth.Client{
		Identity: oauth.Identity{
			ID: id, Account: ident.AccountID(first.AccountID), Permissions: permissions,
			State: oauth.ApplicationState(first.State), AccountOpen: first.AccountState == string(directory.Open),
		},
		Secrets: make([]oauth.Secret, len(rows)),
	}
	for i, r := range rows {
		c.Secrets[i] = oauth.Secret{
			ID: ident.EntryID(r.SecretID), Client: id, Hash: hashOf(r.Hash), ExpireTime: fromOptional(r.ExpireTime),
		}
	}
	return c, err
}

// Grant implements oauth.Store.
func (s *Store) Grant(ctx context.Context, hash oauth.Hash) (oauth.Grant, error) {
	row, err := s.reads.GetGrant(bounded(ctx), hash[:])
	if err != nil {
		return oauth.Grant{}, classify("read a token", missing(err, noToken))
	}
	permissions, err := permissionsOf(row.Permissions)
	return oauth.Grant{
		Identity: oauth.Identity{
			ID: ident.ClientID(row.ClientID), Account: ident.AccountID(row.AccountID), Permissions: permissions,
			State: oauth.ApplicationState(row.State), AccountOpen: row.AccountState == string(directory.Open),
		},
		ExpireTime: fromMicros(row.ExpireTime), SecretExpireTime: fromOptional(row.SecretExpireTime),
	}, err
}

// AddToken implements oauth.Store.
func (s *Store) AddToken(ctx context.Context, tok oauth.Token, e audit.Entry) error {
	return s.write(ctx, "add a token", func(ctx context.Context, t *tx) error {
		err := t.InsertToken(ctx, sqlgen.InsertTokenParams{
			Hash: tok.Hash[:], ClientID: string(tok.Client), SecretID: string(tok.Secret),
			IssueTime: micros(tok.IssueTime), ExpireTime: micros(tok.ExpireTime),
		})
		if err != nil {
			return err
		}
		return t.append(ctx, s, e)
	})
}

// RevokeToken implements oauth.Store.
func (s *Store) RevokeToken(ctx context.Context, hash oauth.Hash, client ident.ClientID, e audit.Entry) (bool, error) {
	found := false
	err := s.write(ctx, "revoke a token", func(ctx context.Context, t *tx) error {
		n, err := t.DeleteToken(ctx, hash[:], string(client))
		found = n > 0
		if err != nil || !found {
			return err
		}
		return t.append(ctx, s, e)
	})
	return found, err
}

// CreateApplication implements oauth.Store.
func (s *Store) CreateApplication(ctx context.Context, a oauth.Application, secret oauth.Secret, e audit.Entry) error {
	return s.write(ctx, "create an application", func(ctx context.Context, t *tx) error {
		err := t.InsertApplication(ctx, sqlgen.InsertApplicationParams{
			ID: string(a.ID), AccountID: string(a.Account), Name: a.Name, Description: a.Description,
			RedirectUrl: a.RedirectURL, Permissions: a.Permissions.String(), State: string(a.State),
			CreateTime: micros(a.CreateTime),
		})
		switch {
		case isDuplicate(err):
			return fault.Conflict("an application with the client id %s exists already", a.ID)
		case isOrphan(err):
			return fault.NotFound(noAccount)
		case err != nil:
			return err
		}
		if err := t.addSecret(ctx, secret); err != nil {
			return err
		}
		return t.append(ctx, s, e)
	})
}

func (t *tx) addSecret(ctx context.Context, secret oauth.Secret) error {
	return t.InsertSecret(ctx, sqlgen.InsertSecretParams{
		ID: string(secret.ID), ClientID: string(secret.Client), Hash: secret.Hash[:],
		CreateTime: micros(secret.CreateTime), ExpireTime: micros(secret.ExpireTime),
	})
}

// Application implements oauth.Store.
func (s *Store) Application(ctx context.Context, account ident.AccountID, id ident.ClientID) (oauth.Application, error) {
	r, err := s.reads.GetApplication(bounded(ctx), string(account), string(id))
	if err != nil {
		return oauth.Application{}, classify("read an application", missing(err, noApplication))
	}
	return applicationOf(r)
}

// Applications implements oauth.Store.
func (s *Store) Applications(ctx context.Context, account ident.AccountID) ([]oauth.Application, error) {
	if _, err := s.Account(ctx, account); err != nil {
		return nil, err
	}
	rows, err := s.reads.ListApplications(ctx, string(account))
	if err != nil {
		return nil, classify("read applications", err)
	}
	list := make([]oauth.Application, len(rows))
	for i, r := range rows {
		if list[i], err = applicationOf(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// onApplication runs fn in a transaction in which the account's application is known to exist.
func (s *Store) onApplication(ctx context.Context, op string, account ident.AccountID, id ident.ClientID, fn func(context.Context, *tx) error) error {
	return s.write(ctx, op, func(ctx context.Context, t *tx) error {
		if _, err := t.GetApplication(ctx, string(account), string(id)); err != nil {
			return missing(err, noApplication)
		}
		return fn(ctx, t)
	})
}

// AddSecret implements oauth.Store.
func (s *Store) AddSecret(ctx context.Context, account ident.AccountID, secret oauth.Secret, overlapEnd time.Time, e audit.Entry) error {
	return s.onApplication(ctx, "rotate a secret", account, secret.Client, func(ctx context.Context, t *tx) error {
		if err := t.ExpireSecrets(ctx, string(secret.Client), micros(overlapEnd)); err != nil {
			return err
		}
		if err := t.addSecret(ctx, secret); err != nil {
			return err
		}
		return t.append(ctx, s, e)
	})
}

// SetApplicationState implements oauth.Store.
func (s *Store) SetApplicationState(ctx context.Context, account ident.AccountID, id ident.ClientID, state oauth.ApplicationState, e audit.Entry) (bool, error) {
	changed := false
	err := s.onApplication(ctx, "change an application", account, id, func(ctx context.Context, t *tx) error {
		n, err := t.SetApplicationState(ctx, string(account), string(id), string(state))
		if err != nil {
			return err
		}
		changed = n > 0
		return t.append(ctx, s, orUnchanged(e, changed))
	})
	return changed, err
}

// DeleteApplication implements oauth.Store. Its tokens die with it because a token
// without its application does not count; their rows go when they expire.
func (s *Store) DeleteApplication(ctx context.Context, account ident.AccountID, id ident.ClientID, e audit.Entry) error {
	return s.onApplication(ctx, "delete an application", account, id, func(ctx context.Context, t *tx) error {
		if err := t.DeleteSecrets(ctx, string(id)); err != nil {
			return err
		}
		if err := t.Queries.DeleteApplication(ctx, string(account), string(id)); err != nil {
			return err
		}
		return t.append(ctx, s, e)
	})
}
