package store

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// Words for what is not there; they are for logs, since nobody is told which it was.
const (
	noSession    = "there is no such session"
	noLink       = "there is no such link"
	noPasskey    = "there is no such passkey"
	noCeremony   = "there is no such ceremony"
	noConnection = "the account has no single sign-on"
)

// OpenAccounts implements signin.Store.
func (s *Store) OpenAccounts(ctx context.Context, limit int) ([]directory.Account, error) {
	rows, err := ask(s, "read accounts", func() ([]sqlgen.ListOpenAccountsRow, error) {
		return s.reads.ListOpenAccounts(bounded(ctx), int32(limit))
	})
	list := make([]directory.Account, len(rows))
	for i, r := range rows {
		list[i] = accountOf(sqlgen.GetAccountRow(r))
	}
	return list, classify("read accounts", err)
}

// SignInAccount implements signin.Store.
func (s *Store) SignInAccount(ctx context.Context, account ident.AccountID) (directory.Account, error) {
	return s.Account(ctx, account)
}

// Session implements signin.Store.
func (s *Store) Session(ctx context.Context, hash signin.Hash) (signin.Known, error) {
	r, err := ask(s, "read a session", func() (sqlgen.GetSessionRow, error) { return s.reads.GetSession(bounded(ctx), rowSeparator, hash[:]) })
	if err != nil {
		return signin.Known{}, classify("read a session", missing(err, noSession))
	}
	k := signin.Known{
		Session: sessionOf(sqlgen.Session{
			AccountID: r.AccountID, UserID: r.UserID, ID: r.ID, Method: r.Method, CreateTime: r.CreateTime,
			LastSeenTime: r.LastSeenTime, ExpireTime: r.ExpireTime, Address: r.Address, UserAgent: r.UserAgent,
		}),
		User: directory.User{
			ID: ident.UserID(r.UserID), Account: ident.AccountID(r.AccountID), Email: ident.Email(r.Email), DisplayName: r.DisplayName,
			State: directory.State(r.State), Type: directory.Type(r.Type), CreateTime: fromMicros(r.UserCreateTime),
		},
		Account: directory.Account{
			ID: ident.AccountID(r.AccountID), Name: r.AccountName, Provisioning: directory.Provisioning(r.Provisioning),
			State: directory.AccountState(r.AccountState), CreateTime: fromMicros(r.AccountCreateTime),
		},
	}
	if r.UserGroups != "" {
		k.User.Groups = strings.Split(r.UserGroups, rowSeparator)
		slices.Sort(k.User.Groups)
	}
	return k, nil
}

func sessionOf(r sqlgen.Session) signin.Session {
	x := signin.Session{
		ID: ident.EntryID(r.ID), Account: ident.AccountID(r.AccountID), User: ident.UserID(r.UserID), Method: signin.Method(r.Method),
		CreateTime: fromMicros(r.CreateTime), LastSeenTime: fromMicros(r.LastSeenTime), ExpireTime: fromMicros(r.ExpireTime),
		UserAgent: r.UserAgent,
	}
	x.Address, _ = netip.ParseAddr(r.Address) // an address is for people to look at; none is none
	return x
}

// SeenSession implements signin.Store.
func (s *Store) SeenSession(ctx context.Context, hash signin.Hash, at time.Time) error {
	return s.free(ctx, "write a session's use", func(ctx context.Context, t *tx) error {
		return t.SeeSession(ctx, hash[:], micros(at))
	})
}

// Sessions implements signin.Store.
func (s *Store) Sessions(ctx context.Context, account ident.AccountID, user ident.UserID) ([]signin.Session, error) {
	rows, err := ask(s, "read sessions", func() ([]sqlgen.Session, error) {
		return s.reads.ListSessions(bounded(ctx), string(account), string(user))
	})
	list := make([]signin.Session, len(rows))
	for i, r := range rows {
		list[i] = sessionOf(r)
	}
	return list, classify("read sessions", err)
}

// Candidate implements signin.Store.
func (s *Store) Candidate(ctx context.Context, account ident.AccountID, email ident.Email) (signin.Candidate, error) {
	r, err := ask(s, "read who signs in", func() (sqlgen.User, error) { return s.reads.GetUserByEmail(bounded(ctx), string(account), email.Key()) })
	if err != nil {
		return signin.Candidate{}, classify("read who signs in", missing(err, directory.NotFoundMessage))
	}
	st, err := s.PersonStanding(ctx, account, ident.UserID(r.ID))
	return signin.Candidate{User: st.User, Account: st.Account, Password: st.Password}, err
}

// PersonStanding implements signin.Store.
func (s *Store) PersonStanding(ctx context.Context, account ident.AccountID, user ident.UserID) (signin.Standing, error) {
	st, err := ask(s, "read who signs in", func() (signin.Standing, error) { return s.signInStanding(bounded(ctx), s.reads, account, user) })
	return st, classify("read who signs in", err)
}

// signInStanding reads what rules about signing in may know of somebody.
func (s *Store) signInStanding(ctx context.Context, q *sqlgen.Queries, account ident.AccountID, user ident.UserID) (st signin.Standing, err error) {
	u, err := q.GetUser(ctx, string(account), string(user))
	if err != nil {
		return st, missing(err, directory.NotFoundMessage)
	}
	st.User = directory.User{
		ID: user, Account: account, Email: ident.Email(u.Email), DisplayName: u.DisplayName, State: directory.State(u.State),
		Type: directory.Type(u.Type), CreateTime: fromMicros(u.CreateTime),
	}
	if st.User, err = s.withGroups(ctx, q, st.User); err != nil {
		return st, err
	}
	a, err := q.GetAccount(ctx, string(account))
	if err != nil {
		return st, missing(err, noAccount)
	}
	st.Account = accountOf(a)
	if st.Password, err = orNone(q.GetPassword(ctx, string(account), string(user))); err != nil {
		return st, err
	}
	if st.Subject, err = orNone(q.GetSubject(ctx, string(account), string(user))); err != nil {
		return st, err
	}
	if st.Sessions, err = entryIDs(q.ListSessionIDs(ctx, string(account), string(user))); err != nil {
		return st, err
	}
	st.Passkeys, err = entryIDs(q.ListPasskeyIDs(ctx, string(account), string(user)))
	return st, err
}

// orNone reads a row that need not be there.
func orNone(text string, err error) (string, error) {
	if err = missing(err, "none"); err != nil && fault.KindOf(err) == fault.KindNotFound {
		return "", nil
	}
	return text, err
}

func entryIDs(ids []string, err error) ([]ident.EntryID, error) {
	list := make([]ident.EntryID, len(ids))
	for i, id := range ids {
		list[i] = ident.EntryID(id)
	}
	return list, err
}

// Link implements signin.Store.
func (s *Store) Link(ctx context.Context, hash signin.Hash) (signin.Standing, error) {
	st, err := ask(s, "read a link", func() (signin.Standing, error) { return s.linkStanding(bounded(ctx), s.reads, hash) })
	return st, classify("read a link", err)
}

func (s *Store) linkStanding(ctx context.Context, q *sqlgen.Queries, hash signin.Hash) (signin.Standing, error) {
	r, err := q.GetLink(ctx, hash[:])
	if err != nil {
		return signin.Standing{}, missing(err, noLink)
	}
	st, err := s.signInStanding(ctx, q, ident.AccountID(r.AccountID), ident.UserID(r.UserID))
	st.Link = signin.StoredLink{
		Hash: hash, Account: ident.AccountID(r.AccountID), User: ident.UserID(r.UserID), Purpose: signin.Purpose(r.Purpose),
		CreateTime: fromMicros(r.CreateTime), ExpireTime: fromMicros(r.ExpireTime),
	}
	return st, err
}

// Passkeys implements signin.Store.
func (s *Store) Passkeys(ctx context.Context, account ident.AccountID, user ident.UserID) ([]signin.StoredPasskey, error) {
	rows, err := ask(s, "read passkeys", func() ([]sqlgen.Passkey, error) {
		return s.reads.ListPasskeys(bounded(ctx), string(account), string(user))
	})
	list := make([]signin.StoredPasskey, len(rows))
	for i, r := range rows {
		list[i] = passkeyOf(r)
	}
	return list, classify("read passkeys", err)
}

func passkeyOf(r sqlgen.Passkey) signin.StoredPasskey {
	return signin.StoredPasskey{
		Passkey: signin.Passkey{
			ID: ident.EntryID(r.ID), Name: r.Name, CreateTime: fromMicros(r.CreateTime), LastUsedTime: fromOptional(r.LastUsedTime),
		},
		Account: ident.AccountID(r.AccountID), User: ident.UserID(r.UserID), Credential: r.Credential, Data: r.Data,
	}
}

// PasskeyByCredential implements signin.Store.
func (s *Store) PasskeyByCredential(ctx context.Context, credential []byte) (signin.StoredPasskey, error) {
	r, err := ask(s, "read a passkey", func() (sqlgen.Passkey, error) { return s.reads.GetPasskey(bounded(ctx), credential) })
	if err != nil {
		return signin.StoredPasskey{}, classify("read a passkey", missing(err, noPasskey))
	}
	return passkeyOf(r), nil
}

// UserBySubject implements signin.Store.
func (s *Store) UserBySubject(ctx context.Context, account ident.AccountID, subject signin.Subject) (directory.User, error) {
	id, err := ask(s, "read a subject", func() (string, error) {
		return s.reads.GetSubjectUser(bounded(ctx), string(account), subject.Issuer, subject.Subject)
	})
	if err != nil {
		return directory.User{}, classify("read a subject", missing(err, directory.NotFoundMessage))
	}
	return s.Person(ctx, account, ident.UserID(id))
}
