package signin

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// ceremonyPrefix begins the token of a ceremony. It is worth nothing without the passkey, or
// the issuer's answer, that it waits for.
const ceremonyPrefix = "rcc_"

// MaxResponse is the longest answer of a browser, in bytes, that is looked at.
const MaxResponse = 64 << 10

// Begun is a ceremony that waits for the browser.
type Begun struct {
	Token   string          // to be sent back with the response; it works once, for CeremonyLife
	Options json.RawMessage // for navigator.credentials
}

func noPasskeys() error { return fault.Precondition("passkeys can't be used here") }

// Passkeys returns a person's passkeys by their creation. It takes ManageUsers, or to be
// that person.
func (s *Service) Passkeys(ctx context.Context, c access.Caller, account ident.AccountID, user ident.UserID) ([]Passkey, error) {
	if err := s.mayOrSelf(ctx, c, account, user, audit.SessionList); err != nil {
		return nil, err
	}
	stored, err := s.Store.Passkeys(ctx, account, user)
	list := make([]Passkey, len(stored))
	for i, p := range stored {
		list[i] = p.Passkey
	}
	return list, err
}

// handle is how authenticators know a person: a hash, for it says who they are to nobody.
func handle(u directory.User) []byte {
	h := sha256.Sum256([]byte("rollcall passkey\x00" + string(u.Account) + "\x00" + string(u.ID)))
	return h[:]
}

func passkeyPerson(u directory.User, stored []StoredPasskey) PasskeyPerson {
	p := PasskeyPerson{Handle: handle(u), Name: string(u.Email), DisplayName: u.DisplayName}
	for _, k := range stored {
		p.Passkeys = append(p.Passkeys, k.Data)
	}
	return p
}

// BeginPasskey begins adding a passkey of the person who asks. It takes that they have
// signed in a short while ago (Precondition), and counts as beginning to sign in (Exhausted).
func (s *Service) BeginPasskey(ctx context.Context, c Signed, site Site) (Begun, error) {
	if s.PasskeyProtocol == nil {
		return Begun{}, noPasskeys()
	}
	if !s.fresh(c) {
		return Begun{}, signInAgain()
	}
	if err := s.spendBegin(ctx, c.Caller); err != nil {
		return Begun{}, err
	}
	stored, err := s.Store.Passkeys(ctx, c.Account.ID, c.User.ID)
	if err != nil {
		return Begun{}, err
	}
	if len(stored) >= MaxPasskeys {
		return Begun{}, tooManyPasskeys()
	}
	options, state, err := s.PasskeyProtocol.BeginAdd(site, passkeyPerson(c.User, stored))
	if err != nil {
		return Begun{}, err
	}
	return s.remember(ctx, Ceremony{Kind: AddingPasskey, Account: c.Account.ID, User: c.User.ID, Data: state}, options)
}

func tooManyPasskeys() error {
	return fault.Precondition("you have %d passkeys: remove one first", MaxPasskeys)
}

// FinishPasskey adds the passkey that the browser has made, under a name of 1 to
// MaxPasskeyName characters.
func (s *Service) FinishPasskey(ctx context.Context, c Signed, site Site, token, name string, response []byte) (Passkey, error) {
	if s.PasskeyProtocol == nil {
		return Passkey{}, noPasskeys()
	}
	if err := ident.ValidateText("the passkey's name", name, MaxPasskeyName, false); err != nil {
		return Passkey{}, err
	}
	stored, err := s.Store.Passkeys(ctx, c.Account.ID, c.User.ID)
	if err != nil {
		return Passkey{}, err
	}
	cer, err := s.recall(ctx, token, AddingPasskey)
	if err != nil {
		return Passkey{}, err
	}
	if cer.Account != c.Account.ID || cer.User != c.User.ID || len(response) > MaxResponse {
		return Passkey{}, ceremonyOver()
	}
	credential, data, err := s.PasskeyProtocol.FinishAdd(site, passkeyPerson(c.User, stored), cer.Data, response)
	if err != nil {
		f := fault.Invalid("the passkey was not added: try again")
		f.Cause = err
		return Passkey{}, f
	}
	now := s.now()
	id, err := ident.NewEntryID(now, s.Rand)
	if err != nil {
		return Passkey{}, err
	}
	k := StoredPasskey{
		Passkey: Passkey{ID: id, Name: name, CreateTime: now}, Account: c.Account.ID, User: c.User.ID,
		Credential: credential, Data: data,
	}
	err = s.changePerson(ctx, c.Caller, c.Account.ID, c.User.ID, audit.PasskeyAdd, func(st Standing, e audit.Entry) Change {
		if len(st.Passkeys) >= MaxPasskeys {
			return Change{Refusal: tooManyPasskeys()}
		}
		return Change{Passkey: &k, Entries: []audit.Entry{e.With("passkey " + name)}}
	})
	return k.Passkey, err
}

// RemovePasskey removes one of a person's passkeys; NotFound if they have none such. It
// takes ManageUsers, for an owner's ManageOwners, or to be that person.
func (s *Service) RemovePasskey(ctx context.Context, c access.Caller, account ident.AccountID, user ident.UserID, id ident.EntryID) error {
	if err := s.mayOrSelf(ctx, c, account, user, audit.PasskeyRemove); err != nil {
		return err
	}
	return s.changePerson(ctx, c, account, user, audit.PasskeyRemove, func(st Standing, e audit.Entry) Change {
		if !slices.Contains(st.Passkeys, id) {
			return Change{Refusal: fault.NotFound("there is no such passkey")}
		}
		return Change{Forget: Forget{Passkey: id}, Entries: []audit.Entry{e.With("passkey " + string(id))}}
	})
}

// BeginPasskeySignIn begins signing in with a passkey: whose, the browser will say.
func (s *Service) BeginPasskeySignIn(ctx context.Context, from access.Caller, site Site) (Begun, error) {
	if s.PasskeyProtocol == nil {
		return Begun{}, noPasskeys()
	}
	if err := s.spendBegin(ctx, from); err != nil {
		return Begun{}, err
	}
	options, state, err := s.PasskeyProtocol.BeginUse(site)
	if err != nil {
		return Begun{}, err
	}
	return s.remember(ctx, Ceremony{Kind: UsingPasskey, Data: state}, options)
}

// FinishPasskeySignIn signs in whoever's passkey has answered.
func (s *Service) FinishPasskeySignIn(ctx context.Context, from access.Caller, site Site, token string, response []byte) (NewSession, error) {
	if s.PasskeyProtocol == nil {
		return NewSession{}, noPasskeys()
	}
	t, err := s.try(ctx, from, "", "")
	if err != nil {
		return NewSession{}, err
	}
	cer, err := s.recall(ctx, token, UsingPasskey)
	if fault.KindOf(err) == fault.KindPrecondition || len(response) > MaxResponse {
		return NewSession{}, s.refuse(ctx, t, "a passkey, too late")
	}
	if err != nil {
		return NewSession{}, err
	}
	u, used, err := s.usedPasskey(ctx, site, cer, response)
	t.account, t.user = u.Account, u.ID
	switch {
	case err != nil && fault.As(err) != nil && fault.KindOf(err) != fault.KindNotFound:
		return NewSession{}, err
	case err != nil:
		return NewSession{}, s.refuse(ctx, t, "a passkey")
	}
	used.LastUsedTime = t.at
	return s.enter(ctx, t, u, ByPasskey, func(st Standing) bool { return slices.Contains(st.Passkeys, used.ID) }, Change{Used: &used})
}

// usedPasskey checks a response and returns whose passkey gave it. A fault is the store's; any
// other error says why the response does not count.
func (s *Service) usedPasskey(ctx context.Context, site Site, cer Ceremony, response []byte) (directory.User, StoredPasskey, error) {
	var u directory.User
	var have StoredPasskey
	var broken error
	_, data, err := s.PasskeyProtocol.FinishUse(site, cer.Data, response, func(credential, claimed []byte) (PasskeyPerson, error) {
		have, broken = s.Store.PasskeyByCredential(ctx, credential)
		if broken != nil {
			return PasskeyPerson{}, broken
		}
		var known Standing
		known, broken = s.Store.PersonStanding(ctx, have.Account, have.User)
		if u = known.User; broken != nil {
			return PasskeyPerson{}, broken
		}
		if !slices.Equal(claimed, handle(u)) {
			return PasskeyPerson{}, errHandle
		}
		return passkeyPerson(u, []StoredPasskey{have}), nil
	})
	if broken != nil {
		return u, have, broken
	}
	have.Data = data
	return u, have, err
}
