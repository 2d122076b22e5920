package signin

import (
	"context"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

func notSignedIn() error {
	return fault.Unauthenticated("you are not signed in, or your session is over: sign in")
}

// live is the one place that decides whether a session counts: every reason it may not is
// a line here, and nowhere else. A clock that was set back by more than clocks may be
// apart ends it too, or it would live as much longer.
func (k Known) live(now time.Time) bool {
	return entitled(k.User, k.Account) &&
		now.Before(k.Session.ExpireTime) &&
		now.Before(k.Session.LastSeenTime.Add(SessionIdle)) &&
		!now.Before(k.Session.LastSeenTime.Add(-maxSkew))
}

// entitled tells whether a person may have a session at all.
func entitled(u directory.User, a directory.Account) bool {
	return u.State == directory.Active && a.State == directory.Open
}

// asPerson returns from with the identity of a person filled in.
func asPerson(from access.Caller, u directory.User) access.Caller {
	from.Kind, from.Account, from.User = access.Person, u.Account, u.ID
	from.Permissions = access.RolePermissions(u.Groups)
	return from
}

// Authenticate returns who a session's token stands for; Unauthenticated if it does not
// count now, whatever the reason. from says where the request came from.
func (s *Service) Authenticate(ctx context.Context, from access.Caller, token string) (Signed, error) {
	if !ident.WellFormedSecret(ident.SessionPrefix, token) {
		return Signed{Caller: from}, notSignedIn()
	}
	hash := HashOf(token)
	k, err := s.Store.Session(ctx, hash)
	if fault.KindOf(err) == fault.KindNotFound && err != nil {
		return Signed{Caller: from}, notSignedIn()
	}
	if err != nil {
		return Signed{Caller: from}, err
	}
	now := s.now()
	if !k.live(now) {
		return Signed{Caller: from}, notSignedIn()
	}
	if now.Sub(k.Session.LastSeenTime) >= seenEvery {
		if err := s.Store.SeenSession(ctx, hash, now); err != nil {
			return Signed{Caller: from}, err
		}
		k.Session.LastSeenTime = now
	}
	return Signed{Caller: asPerson(from, k.User), User: k.User, Account: k.Account, Session: k.Session}, nil
}

// begin makes a session, and what is to be forgotten so that there are not too many.
func (s *Service) begin(from access.Caller, u directory.User, m Method, now time.Time) (NewSession, *StoredSession, error) {
	token, err := ident.NewSecret(ident.SessionPrefix, s.Rand)
	if err != nil {
		return NewSession{}, nil, err
	}
	id, err := ident.NewEntryID(now, s.Rand)
	if err != nil {
		return NewSession{}, nil, err
	}
	session := Session{
		ID: id, Account: u.Account, User: u.ID, Method: m, CreateTime: now, LastSeenTime: now,
		ExpireTime: now.Add(SessionLife), Address: from.Address, UserAgent: audit.Clean(from.UserAgent, audit.MaxUserAgent),
	}
	return NewSession{Token: token, Session: session}, &StoredSession{Session: session, Hash: HashOf(token)}, nil
}

// room names the session that must end before another begins; empty = there is room.
func (st Standing) room() ident.EntryID {
	if len(st.Sessions) < MaxSessions {
		return ""
	}
	return st.Sessions[0]
}

// signedIn is the entry of a session that begins.
func signedIn(c access.Caller, s Session) audit.Entry {
	return audit.New(c, s.Account, audit.SignIn, string(s.User), audit.Done, s.CreateTime).With("by " + string(s.Method) + ", session " + string(s.ID))
}

// SignOut ends the session that asks.
func (s *Service) SignOut(ctx context.Context, c Signed) error {
	e := audit.New(c.Caller, c.Account.ID, audit.SignOut, string(c.User.ID), audit.Done, s.now()).With("session " + string(c.Session.ID))
	return s.Store.ChangePerson(ctx, c.Account.ID, c.User.ID, func(Standing) Change {
		return Change{Forget: Forget{Session: c.Session.ID}, Entries: []audit.Entry{e}}
	})
}

// Sessions returns a person's sessions that count by their age, the newest first. It takes
// ManageUsers, or to be that person.
func (s *Service) Sessions(ctx context.Context, c access.Caller, account ident.AccountID, user ident.UserID) ([]Session, error) {
	if err := s.mayOrSelf(ctx, c, account, user, audit.SessionList); err != nil {
		return nil, err
	}
	list, err := s.Store.Sessions(ctx, account, user)
	now := s.now()
	return slices.DeleteFunc(list, func(x Session) bool {
		return !now.Before(x.ExpireTime) || !now.Before(x.LastSeenTime.Add(SessionIdle))
	}), err
}

// EndSession ends one session of a person; NotFound if they have none such. It takes
// ManageUsers, for an owner's ManageOwners, or to be that person.
func (s *Service) EndSession(ctx context.Context, c access.Caller, account ident.AccountID, user ident.UserID, id ident.EntryID) error {
	return s.endSessions(ctx, c, account, user, func(st Standing, e audit.Entry) Change {
		if !slices.Contains(st.Sessions, id) {
			return Change{Refusal: fault.NotFound("there is no such session")}
		}
		return Change{Forget: Forget{Session: id}, Entries: []audit.Entry{e.With("session " + string(id))}}
	})
}

// EndSessions ends all of a person's sessions, but for keep (empty = none is kept). It
// takes what EndSession takes.
func (s *Service) EndSessions(ctx context.Context, c access.Caller, account ident.AccountID, user ident.UserID, keep ident.EntryID) error {
	return s.endSessions(ctx, c, account, user, func(st Standing, e audit.Entry) Change {
		if len(st.Sessions) == 0 {
			e.Outcome = audit.Unchanged
		}
		return Change{Forget: Forget{Sessions: true, Keep: keep}, Entries: []audit.Entry{e.With("all sessions")}}
	})
}

func (s *Service) endSessions(ctx context.Context, c access.Caller, account ident.AccountID, user ident.UserID, decide func(Standing, audit.Entry) Change) error {
	if err := s.mayOrSelf(ctx, c, account, user, audit.SessionEnd); err != nil {
		return err
	}
	return s.changePerson(ctx, c, account, user, audit.SessionEnd, decide)
}

// mayOrSelf tells whether the caller is that person or manages people.
func (s *Service) mayOrSelf(ctx context.Context, c access.Caller, account ident.AccountID, user ident.UserID, act audit.Action) error {
	if c.Is(account, user) {
		return nil
	}
	return s.may(ctx, c, account, access.ManageUsers, act, string(user))
}

func (s *Service) may(ctx context.Context, c access.Caller, account ident.AccountID, p access.Permission, act audit.Action, target string) error {
	return audit.Authorize(ctx, s.Store, c, account, p, act, target, s.now())
}

// changePerson asks decide about somebody inside one transaction, unless they are an owner,
// somebody else than the caller, and the caller may not manage owners. The caller has been
// authorised.
func (s *Service) changePerson(ctx context.Context, c access.Caller, account ident.AccountID, user ident.UserID, act audit.Action,
	decide func(Standing, audit.Entry) Change,
) error {
	if !ident.Possible(string(user)) {
		return fault.NotFound(directory.NotFoundMessage)
	}
	e := audit.New(c, account, act, string(user), audit.Done, s.now())
	var refusal error
	err := s.Store.ChangePerson(ctx, account, user, func(st Standing) Change {
		ch := decide(st, e)
		if !c.Is(account, user) && beyondCaller(c, st.User) {
			ch = denied(c, e)
		}
		refusal = ch.Refusal
		return ch
	})
	if err != nil {
		return err
	}
	return refusal
}

// beyondCaller tells whether the person is an owner whom the caller must leave alone.
func beyondCaller(c access.Caller, u directory.User) bool {
	return slices.Contains(u.Groups, directory.Owners) && c.OnlyLocal() != nil && !c.Permissions.Has(access.ManageOwners)
}

func denied(c access.Caller, e audit.Entry) Change {
	e.Outcome = audit.Denied
	return Change{
		Entries: []audit.Entry{e.With("the " + string(c.Kind) + " lacks " + access.ManageOwners.String())},
		Refusal: fault.Forbidden(access.Denied),
	}
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
