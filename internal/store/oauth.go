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
	permissions, err := access.ParseSet(strings.Fields(r.Permissions))
	if err != nil {
		// What is stored is wrong, not what was asked: no fault of the caller's.
		err = fmt.Errorf("store: read application %s: %v", r.ID, err) //nolint:errorlint // the fault's public words end here
	}
	return oauth.Application{
		ID: ident.ClientID(r.ID), Account: ident.AccountID(r.AccountID), Name: r.Name, Description: r.Description,
		RedirectURL: r.RedirectUrl, Permissions: permissions, State: oauth.ApplicationState(r.State),
		CreateTime: fromMicros(r.CreateTime),
	}, err
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
	ctx = bounded(ctx)
	// Both are read for an unknown client too: it must cost the same time.
	secrets, err := s.reads.ListSecrets(ctx, string(id))
	if err != nil {
		return oauth.Client{}, classify("read secrets", err)
	}
	row, err := s.reads.GetClient(ctx, string(id))
	if err != nil {
		return oauth.Client{}, classify("read a client", missing(err, noApplication))
	}
	app, err := applicationOf(row.Application)
	if err != nil {
		return oauth.Client{}, err
	}
	c := oauth.Client{Application: app, AccountOpen: row.AccountState == string(directory.Open)}
	for _, r := range secrets {
		c.Secrets = append(c.Secrets, oauth.Secret{
			ID: ident.EntryID(r.ID), Client: id, Hash: hashOf(r.Hash),
			CreateTime: fromMicros(r.CreateTime), ExpireTime: fromOptional(r.ExpireTime),
		})
	}
	return c, nil
}

// Grant implements oauth.Store.
func (s *Store) Grant(ctx context.Context, hash oauth.Hash) (oauth.Grant, error) {
	row, err := s.reads.GetGrant(bounded(ctx), hash[:])
	if err != nil {
		return oauth.Grant{}, classify("read a token", missing(err, noToken))
	}
	app, err := applicationOf(row.Application)
	return oauth.Grant{
		Token: oauth.Token{
			Hash: hash, Client: app.ID, Account: app.Account, Secret: ident.EntryID(row.Token.SecretID),
			IssueTime: fromMicros(row.Token.IssueTime), ExpireTime: fromMicros(row.Token.ExpireTime),
		},
		Application: app, AccountOpen: row.AccountState == string(directory.Open),
		SecretExpireTime: fromOptional(row.SecretExpireTime),
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
