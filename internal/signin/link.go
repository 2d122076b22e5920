package signin

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// live tells whether a link may be used at now: in time, and by somebody it still fits.
func (l StoredLink) live(u directory.User, a directory.Account, now time.Time) bool {
	if a.State != directory.Open || !now.Before(l.ExpireTime) || now.Before(l.CreateTime.Add(-maxSkew)) {
		return false
	}
	switch l.Purpose {
	case Invitation:
		return u.State == directory.Pending
	case Setup:
		return u.State == directory.Pending || u.State == directory.Active
	case Recovery:
		return u.State == directory.Active
	}
	return false
}

// LinkPath is where the console takes links, before their token. The token is in the path,
// for a fragment works only with JavaScript (decision 19).
const LinkPath = "/console/link/"

// Path is the path of the link's URL on the server.
func (l Link) Path() string { return LinkPath + l.Token }

// Invite makes a link with which a PENDING person confirms; links made before end. It
// takes ManageUsers, for an owner ManageOwners. Precondition if they have confirmed.
func (s *Service) Invite(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID) (Link, error) {
	if err := s.may(ctx, c, account, access.ManageUsers, audit.UserInvite, string(id)); err != nil {
		return Link{}, err
	}
	return s.link(ctx, c, account, id, audit.UserInvite, Invitation, InvitationLife, func(u directory.User) (Forget, error) {
		if u.State != directory.Pending {
			return Forget{}, fault.Precondition("%s has confirmed already: reset their sign-in instead", u.Email)
		}
		return Forget{Links: true}, nil
	})
}

// Reset takes a person's password, passkeys, remembered issuer, links and sessions away at
// once and makes a link with which they begin anew. It takes ManageUsers, for an owner
// ManageOwners. Precondition for somebody PENDING, who is invited instead.
func (s *Service) Reset(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID) (Link, error) {
	if err := s.may(ctx, c, account, access.ManageUsers, audit.UserReset, string(id)); err != nil {
		return Link{}, err
	}
	return s.link(ctx, c, account, id, audit.UserReset, Recovery, ResetLife, func(u directory.User) (Forget, error) {
		switch {
		case c.Is(account, id):
			return Forget{}, fault.Forbidden(directory.NotYourself)
		case u.State == directory.Pending:
			return Forget{}, fault.Precondition("%s has not confirmed yet: invite them instead", u.Email)
		}
		return Forget{Password: true, Passkeys: true, Subjects: true, Links: true, Sessions: true}, nil
	})
}

// FirstOwnerLink makes a link with which an owner who is PENDING or ACTIVE chooses a
// password. It is for local administration alone: nobody else can be asked yet.
func (s *Service) FirstOwnerLink(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID) (Link, error) {
	if err := c.OnlyLocal(); err != nil {
		return Link{}, err
	}
	return s.link(ctx, c, account, id, audit.UserSetup, Setup, SetupLife, func(u directory.User) (Forget, error) {
		if u.State == directory.Suspended {
			return Forget{}, fault.Precondition("%s is suspended", u.Email)
		}
		return Forget{Links: true}, nil
	})
}

func (s *Service) link(ctx context.Context, c access.Caller, account ident.AccountID, id ident.UserID, act audit.Action,
	p Purpose, life time.Duration, fits func(directory.User) (Forget, error),
) (Link, error) {
	token, err := ident.NewSecret(ident.LinkPrefix, s.Rand)
	if err != nil {
		return Link{}, err
	}
	now := s.now()
	made := Link{Token: token, Purpose: p, ExpireTime: now.Add(life)}
	err = s.changePerson(ctx, c, account, id, act, func(st Standing, e audit.Entry) Change {
		forget, err := fits(st.User)
		if err != nil {
			e.Outcome = audit.Refused
			return Change{Refusal: err, Entries: []audit.Entry{e.With(fault.As(err).Message)}}
		}
		return Change{
			Forget: forget, Entries: []audit.Entry{e},
			Link: &StoredLink{
				Hash: HashOf(token), Account: account, User: id, Purpose: p, CreateTime: now, ExpireTime: made.ExpireTime,
			},
		}
	})
	if err != nil {
		return Link{}, err
	}
	return made, nil
}

// OpenLink tells what a link is for without using it up: who looks at links in mail
// beforehand, as scanners do, spends none. Unauthenticated for one that does not count,
// whatever the reason.
func (s *Service) OpenLink(ctx context.Context, from access.Caller, token string) (LinkInfo, error) {
	t, err := s.try(ctx, from, "", "")
	if err != nil {
		return LinkInfo{}, err
	}
	return s.openLink(ctx, t, token)
}

func (s *Service) openLink(ctx context.Context, t attempt, token string) (LinkInfo, error) {
	if !ident.WellFormedSecret(ident.LinkPrefix, token) {
		return LinkInfo{}, s.refuse(ctx, t, "a one-time link")
	}
	st, err := s.Store.Link(ctx, HashOf(token))
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return LinkInfo{}, err
	}
	if err != nil || !st.Link.live(st.User, st.Account, t.at) {
		t.account, t.user = st.Account.ID, st.User.ID
		return LinkInfo{}, s.refuse(ctx, t, "a one-time link")
	}
	return LinkInfo{Purpose: st.Link.Purpose, ExpireTime: st.Link.ExpireTime, Account: st.Account, User: st.User}, nil
}

// UseLink spends a link: it sets the password, confirms who is PENDING, ends the person's
// other links and sessions, and begins a session. A password that is refused (Invalid)
// does not spend it. Of several who use it at once, one gets in.
func (s *Service) UseLink(ctx context.Context, from access.Caller, token, newPassword string) (NewSession, error) {
	t, err := s.try(ctx, from, "", "")
	if err != nil {
		return NewSession{}, err
	}
	info, err := s.openLink(ctx, t, token)
	if err != nil {
		return NewSession{}, err
	}
	t.account, t.user = info.Account.ID, info.User.ID
	if err := ValidatePassword(newPassword, info.User, info.Account); err != nil {
		return NewSession{}, err
	}
	encoded, err := s.Hasher.Hash(ctx, s.Rand, newPassword)
	if err != nil {
		return NewSession{}, err
	}
	fresh, stored, err := s.begin(from, info.User, ByLink, t.at)
	if err != nil {
		return NewSession{}, err
	}
	used := false
	err = s.Store.ChangeByLink(ctx, HashOf(token), func(st Standing) Change {
		if used = st.Link.live(st.User, st.Account, t.at); !used {
			return Change{}
		}
		return useLink(t, st, encoded, stored)
	})
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return NewSession{}, err
	}
	if err != nil || !used {
		return NewSession{}, s.refuse(ctx, t, "a one-time link")
	}
	return fresh, nil
}

func useLink(t attempt, st Standing, encoded string, session *StoredSession) Change {
	c := asPerson(t.from, st.User)
	entry := func(act audit.Action) audit.Entry {
		return audit.New(c, st.User.Account, act, string(st.User.ID), audit.Done, t.at).With("by a link: " + string(st.Link.Purpose))
	}
	ch := Change{
		Activate: st.User.State == directory.Pending,
		Forget:   Forget{Links: true, Sessions: true},
		Password: encoded,
		Session:  session,
	}
	if ch.Activate {
		ch.Entries = append(ch.Entries, entry(audit.UserConfirm))
	}
	ch.Entries = append(ch.Entries, entry(audit.PasswordSet), signedIn(c, session.Session))
	return ch
}
