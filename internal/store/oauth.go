package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// applicationRow is an application with one of its secrets.
type applicationRow = sqlgen.GetApplicationRow

// applicationsOf gathers rows, each with one secret, into applications: these by creation,
// and so their secrets, the current one last. No application is without a secret.
func applicationsOf(rows []applicationRow) ([]oauth.Application, error) {
	slices.SortFunc(rows, func(a, b applicationRow) int {
		return cmp.Or(cmp.Compare(a.CreateTime, b.CreateTime), cmp.Compare(a.ID, b.ID),
			-cmp.Compare(min(a.ExpireTime, 1), min(b.ExpireTime, 1)), // 0 is the current one
			cmp.Compare(a.SecretCreateTime, b.SecretCreateTime), cmp.Compare(a.SecretID, b.SecretID))
	})
	var list []oauth.Application
	for _, r := range rows {
		if len(list) == 0 || list[len(list)-1].ID != ident.ClientID(r.ID) {
			a, err := applicationOf(r)
			if err != nil {
				return nil, err
			}
			list = append(list, a)
		}
		last := &list[len(list)-1]
		last.Secrets = append(last.Secrets, oauth.Secret{
			ID: ident.EntryID(r.SecretID), Client: last.ID, CreateTime: fromMicros(r.SecretCreateTime),
			ExpireTime: fromOptional(r.ExpireTime), LastUsedTime: fromOptional(r.LastUsedTime),
		})
	}
	return list, nil
}

func applicationOf(r applicationRow) (oauth.Application, error) {
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
func (s *Store) Client(ctx context.Context, id ident.ClientID) (c oauth.Client, err error) {
	err = s.readTogether(ctx, "read a client", &read{query: sqlgen.GetClient, args: []any{string(id)}, columns: clientColumns,
		row: func(n int, columns []driver.Value) error {
			if n == 0 {
				c = oauth.Client{}
			}
			return addSecret(&c, id, columns)
		}})
	if err == nil && len(c.Secrets) == 0 {
		err = fault.NotFound(oauth.NotFoundMessage)
	}
	return c, err
}

// clientColumns is how many columns GetClient has.
const clientColumns = 10

// addSecret takes a row of GetClient: the application, and one of its secrets.
func addSecret(c *oauth.Client, id ident.ClientID, row []driver.Value) (err error) {
	permissions, err := permissionsOf(valueAs[string](row[1], &err))
	c.Identity = oauth.Identity{
		ID: id, Account: ident.AccountID(valueAs[string](row[0], &err)), Permissions: permissions,
		State: oauth.ApplicationState(valueAs[string](row[2], &err)), AccountOpen: valueAs[string](row[4], &err) == string(directory.Open),
	}
	c.Epoch = valueAs[int64](row[3], &err)
	c.Head = audit.Head{Seq: valueAs[int64](row[8], &err), Hash: chainHash(valueAs[[]byte](row[9], &err))}
	c.Secrets = append(c.Secrets, oauth.Secret{
		ID: ident.EntryID(valueAs[string](row[5], &err)), Client: id, Hash: hashOf(valueAs[[]byte](row[6], &err)),
		ExpireTime: fromOptional(valueAs[int64](row[7], &err)),
	})
	return err
}

// AddToken implements oauth.Store.
func (s *Store) AddToken(ctx context.Context, tok oauth.Token, e audit.Entry, under audit.Head) error {
	return s.free(ctx, "add a token", func(ctx context.Context, t *tx) error {
		err := t.Later.InsertToken(ctx, sqlgen.InsertTokenParams{
			Hash: tok.Hash[:], ClientID: string(tok.Client), SecretID: string(tok.Secret),
			IssueTime: micros(tok.IssueTime), ExpireTime: micros(tok.ExpireTime), TokenEpoch: tok.Epoch,
		})
		if err != nil {
			return err
		}
		return t.hang(ctx, s, e, under)
	})
}

// RevokeToken implements oauth.Store.
func (s *Store) RevokeToken(ctx context.Context, hash oauth.Hash, client ident.ClientID, e audit.Entry) (bool, error) {
	found := false
	err := s.free(ctx, "revoke a token", func(ctx context.Context, t *tx) error {
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
	return s.change(ctx, "create an application", a.Account, func(ctx context.Context, t *tx) error {
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
	return ask(s, "read an application", func() (oauth.Application, error) {
		return oneApplication(bounded(ctx), s.reads, account, id)
	})
}

// oneApplication reads an application with its secrets, in a transaction or outside.
func oneApplication(ctx context.Context, q *sqlgen.Queries, account ident.AccountID, id ident.ClientID) (oauth.Application, error) {
	rows, err := q.GetApplication(ctx, string(id))
	if err != nil {
		return oauth.Application{}, err
	}
	list, err := applicationsOf(rows)
	if err != nil {
		return oauth.Application{}, err
	}
	if len(list) == 0 || list[0].Account != account {
		return oauth.Application{}, fault.NotFound(oauth.NotFoundMessage)
	}
	return list[0], nil
}

// Applications implements oauth.Store.
func (s *Store) Applications(ctx context.Context, account ident.AccountID, after page.Position, limit int) ([]oauth.Application, error) {
	if _, err := s.Account(ctx, account); err != nil {
		return nil, err
	}
	found, err := ask(s, "read applications", func() ([]sqlgen.PageOfApplicationsRow, error) {
		return s.reads.PageOfApplications(bounded(ctx), sqlgen.PageOfApplicationsParams{
			AccountID: string(account), AfterTime: startOf(after), AfterID: string(after.ID), Most: int64(limit),
		})
	})
	if err != nil {
		return nil, err
	}
	rows := make([]applicationRow, len(found))
	for i, r := range found {
		rows[i] = applicationRow(r)
	}
	return applicationsOf(rows)
}

// ChangeApplication implements oauth.Store.
func (s *Store) ChangeApplication(ctx context.Context, account ident.AccountID, id ident.ClientID, decide func(oauth.Application) oauth.Decision) (oauth.Decision, error) {
	var d oauth.Decision
	err := s.change(ctx, "change an application", account, func(ctx context.Context, t *tx) error {
		a, err := oneApplication(ctx, t.Queries, account, id)
		if fault.KindOf(err) == fault.KindNotFound {
			d = oauth.Decision{Refusal: err} // not a failure: others' work in this batch goes on
			return nil
		}
		if err != nil {
			return err
		}
		d = decide(a)
		if err := t.act(ctx, d); err != nil {
			return err
		}
		if d.Entry.Action != "" {
			if err := t.append(ctx, s, d.Entry); err != nil {
				return err
			}
		}
		if d.Act != oauth.Remove && d.Refusal == nil {
			d.Application, err = oneApplication(ctx, t.Queries, account, id)
		}
		return err
	})
	return d, err
}

// act does what was decided. The tokens of an application that goes die with it because
// a token without its application does not count; their rows go when they expire.
func (t *tx) act(ctx context.Context, d oauth.Decision) error {
	a := d.Application
	switch d.Act {
	case oauth.Replace:
		return t.UpdateApplication(ctx, sqlgen.UpdateApplicationParams{
			AccountID: string(a.Account), ID: string(a.ID), Name: a.Name, Description: a.Description,
			RedirectUrl: a.RedirectURL, Permissions: a.Permissions.String(), State: string(a.State),
		})
	case oauth.Renew:
		if err := t.ExpireSecrets(ctx, string(a.ID), micros(d.OverlapEnd)); err != nil {
			return err
		}
		return t.addSecret(ctx, d.Secret)
	case oauth.EndTokens:
		return t.EndTokens(ctx, string(a.Account), string(a.ID))
	case oauth.Remove:
		if err := t.DeleteSecrets(ctx, string(a.ID)); err != nil {
			return err
		}
		return t.DeleteApplication(ctx, string(a.Account), string(a.ID))
	}
	return nil
}

// SetSecretsUsed implements oauth.UseStore.
func (s *Store) SetSecretsUsed(ctx context.Context, uses []oauth.Use) error {
	// In one order on every replica, so that none holds what another waits for.
	uses = slices.SortedFunc(slices.Values(uses), func(a, b oauth.Use) int { return cmp.Compare(a.Secret, b.Secret) })
	return s.free(ctx, "note the use of secrets", func(ctx context.Context, t *tx) error {
		for _, u := range uses {
			if err := t.Later.SetSecretUsed(ctx, string(u.Secret), micros(u.Time)); err != nil {
				return err
			}
		}
		return nil
	})
}
