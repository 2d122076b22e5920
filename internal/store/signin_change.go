package store

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// ChangePerson implements signin.Store.
func (s *Store) ChangePerson(ctx context.Context, account ident.AccountID, user ident.UserID, decide func(signin.Standing) signin.Change) error {
	return s.changeSignIn(ctx, account, decide, func(ctx context.Context, t *tx) (signin.Standing, error) {
		return s.signInStanding(ctx, t.Queries, account, user)
	})
}

// ChangeByLink implements signin.Store. Whose link it is never changes: that is read before
// the account is held, and the link itself, which may be used once, under that hold.
func (s *Store) ChangeByLink(ctx context.Context, hash signin.Hash, decide func(signin.Standing) signin.Change) error {
	link, err := ask(s, "read a link", func() (sqlgen.Link, error) { return s.reads.GetLink(bounded(ctx), hash[:]) })
	if err != nil {
		return missing(err, noLink)
	}
	return s.changeSignIn(ctx, ident.AccountID(link.AccountID), decide, func(ctx context.Context, t *tx) (signin.Standing, error) {
		return s.linkStanding(ctx, t.Queries, hash)
	})
}

func (s *Store) changeSignIn(ctx context.Context, account ident.AccountID, decide func(signin.Standing) signin.Change, read func(context.Context, *tx) (signin.Standing, error)) error {
	var gone error
	err := s.changeOnce(ctx, "change how somebody signs in", account, func(ctx context.Context, t *tx) error {
		gone = nil
		st, err := read(ctx, t)
		if err != nil && fault.KindOf(err) == fault.KindNotFound {
			gone = err // not a failure: others' work in this batch goes on
			return nil
		}
		if err != nil {
			return err
		}
		ch := decide(st)
		if ch.Refusal == nil {
			if err := t.applySignIn(ctx, st, ch, s.at(ch)); err != nil {
				return err
			}
		}
		for _, e := range ch.Entries {
			if err := t.append(ctx, s, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = gone
	}
	return err
}

// at is when a change happens: the time of its entries.
func (*Store) at(ch signin.Change) (at time.Time) {
	for _, e := range ch.Entries {
		at = e.At
	}
	return at
}

// applySignIn does what was decided, in the order that Change tells.
func (t *tx) applySignIn(ctx context.Context, st signin.Standing, ch signin.Change, at time.Time) error {
	account, user := string(st.User.Account), string(st.User.ID)
	if ch.Activate && st.User.State == directory.Pending {
		t.count(st.User.Account, directory.Pending, directory.Active)
		if err := t.ActivateUser(ctx, account, user); err != nil {
			return err
		}
	}
	if err := t.forget(ctx, account, user, ch.Forget); err != nil {
		return err
	}
	if ch.Password != "" {
		err := t.SetPassword(ctx, sqlgen.SetPasswordParams{AccountID: account, UserID: user, Hash: ch.Password, SetTime: micros(at)})
		if err != nil {
			return err
		}
	}
	return t.addWaysIn(ctx, account, user, ch)
}

// forget ends what is to end.
func (t *tx) forget(ctx context.Context, account, user string, f signin.Forget) error {
	for _, step := range []struct {
		wanted bool
		end    func() error
	}{
		{f.Password, func() error { return t.DeletePassword(ctx, account, user) }},
		{f.Passkeys, func() error { return t.DeletePasskeys(ctx, account, user) }},
		{f.Subjects, func() error { return t.DeleteSubjects(ctx, account, user) }},
		{f.Links, func() error { return t.DeleteLinks(ctx, account, user) }},
		{f.Sessions, func() error { return t.DeleteSessions(ctx, account, user, string(f.Keep)) }},
		{f.Session != "", func() error { return t.DeleteSession(ctx, account, user, string(f.Session)) }},
		{f.Passkey != "", func() error { return t.DeletePasskey(ctx, account, user, string(f.Passkey)) }},
	} {
		if !step.wanted {
			continue
		}
		if err := step.end(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) addWaysIn(ctx context.Context, account, user string, ch signin.Change) error {
	if l := ch.Link; l != nil {
		err := t.InsertLink(ctx, sqlgen.InsertLinkParams{
			Hash: l.Hash[:], AccountID: account, UserID: user, Purpose: string(l.Purpose),
			CreateTime: micros(l.CreateTime), ExpireTime: micros(l.ExpireTime),
		})
		if err != nil {
			return err
		}
	}
	if k := ch.Passkey; k != nil {
		err := t.InsertPasskey(ctx, sqlgen.InsertPasskeyParams{
			AccountID: account, UserID: user, ID: string(k.ID), Credential: k.Credential, Data: k.Data, Name: k.Name, CreateTime: micros(k.CreateTime),
		})
		if isDuplicate(err) {
			return fault.Conflict("the passkey is somebody's already")
		}
		if err != nil {
			return err
		}
	}
	if k := ch.Used; k != nil {
		err := t.UsePasskey(ctx, sqlgen.UsePasskeyParams{
			AccountID: account, UserID: user, ID: string(k.ID), Data: k.Data, LastUsedTime: micros(k.LastUsedTime),
		})
		if err != nil {
			return err
		}
	}
	if b := ch.Subject; b != nil {
		err := t.InsertSubject(ctx, sqlgen.InsertSubjectParams{AccountID: account, Issuer: b.Issuer, Subject: b.Subject, UserID: user})
		if isDuplicate(err) {
			return fault.Conflict("the issuer knows somebody else by that subject")
		}
		if err != nil {
			return err
		}
	}
	return t.insertSession(ctx, ch.Session)
}

func (t *tx) insertSession(ctx context.Context, x *signin.StoredSession) error {
	if x == nil {
		return nil
	}
	return t.InsertSession(ctx, sqlgen.InsertSessionParams{
		AccountID: string(x.Account), UserID: string(x.User), ID: string(x.ID), Hash: x.Hash[:], Method: string(x.Method),
		CreateTime: micros(x.CreateTime), LastSeenTime: micros(x.LastSeenTime), ExpireTime: micros(x.ExpireTime),
		Address: audit.AddressText(x.Address), UserAgent: x.UserAgent,
	})
}

// AddCeremony implements signin.Store.
func (s *Store) AddCeremony(ctx context.Context, c signin.Ceremony) error {
	return s.marked(ctx, "add a ceremony", func(ctx context.Context, t *tx) error {
		return t.InsertCeremony(ctx, sqlgen.InsertCeremonyParams{
			Hash: c.Hash[:], Kind: string(c.Kind), AccountID: string(c.Account), UserID: string(c.User), Data: c.Data, ExpireTime: micros(c.ExpireTime),
		})
	})
}

// TakeCeremony implements signin.Store.
func (s *Store) TakeCeremony(ctx context.Context, hash signin.Hash) (c signin.Ceremony, err error) {
	var gone error
	err = s.marked(ctx, "take a ceremony", func(ctx context.Context, t *tx) error {
		gone = nil
		r, err := t.GetCeremony(ctx, hash[:])
		if err = missing(err, noCeremony); err != nil {
			if fault.KindOf(err) == fault.KindNotFound {
				gone, err = err, nil
			}
			return err
		}
		c = signin.Ceremony{
			Hash: hash, Kind: signin.CeremonyKind(r.Kind), Account: ident.AccountID(r.AccountID), User: ident.UserID(r.UserID),
			Data: r.Data, ExpireTime: fromMicros(r.ExpireTime),
		}
		n, err := t.DeleteCeremony(ctx, hash[:])
		if err == nil && n == 0 { // another replica was quicker
			gone = fault.NotFound(noCeremony)
		}
		return err
	})
	if err == nil {
		err = gone
	}
	return c, err
}

// Connection implements signin.Store.
func (s *Store) Connection(ctx context.Context, account ident.AccountID) (signin.Connection, error) {
	r, err := ask(s, "read a connection", func() (sqlgen.SsoConnection, error) { return s.reads.GetConnection(bounded(ctx), string(account)) })
	if err != nil {
		return signin.Connection{}, classify("read a connection", missing(err, noConnection))
	}
	return signin.Connection{
		Account: account, Issuer: r.Issuer, ClientID: r.ClientID, Secret: r.Secret, UpdateTime: fromMicros(r.UpdateTime),
	}, nil
}

// SetConnection implements signin.Store.
func (s *Store) SetConnection(ctx context.Context, c signin.Connection, e audit.Entry) error {
	secret := c.Secret
	if secret == nil {
		secret = []byte{}
	}
	return s.change(ctx, "set a connection", c.Account, func(ctx context.Context, t *tx) error {
		err := t.Queries.SetConnection(ctx, sqlgen.SetConnectionParams{
			AccountID: string(c.Account), Issuer: c.Issuer, ClientID: c.ClientID, Secret: secret, UpdateTime: micros(c.UpdateTime),
		})
		if isOrphan(err) {
			return fault.NotFound(noAccount)
		}
		if err == nil {
			err = t.DeleteOtherSubjects(ctx, string(c.Account), c.Issuer)
		}
		if err != nil {
			return err
		}
		return t.append(ctx, s, e)
	})
}

// RemoveConnection implements signin.Store.
func (s *Store) RemoveConnection(ctx context.Context, account ident.AccountID, e audit.Entry) (bool, error) {
	found := false
	err := s.change(ctx, "remove a connection", account, func(ctx context.Context, t *tx) error {
		n, err := t.DeleteConnection(ctx, string(account))
		if found = n > 0; err != nil || !found {
			return err
		}
		if err := t.DeleteOtherSubjects(ctx, string(account), ""); err != nil {
			return err
		}
		return t.append(ctx, s, e)
	})
	return found, err
}
