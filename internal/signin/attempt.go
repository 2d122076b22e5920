package signin

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// failed is the one answer to everybody who is not let in.
func failed() error {
	return fault.Unauthenticated("that did not work: check what you have typed, or ask an administrator of your account for a new link")
}

// attempt is one try to sign in: whom it is about as far as that is known, and whose
// allowance of failures it spends.
type attempt struct {
	from    access.Caller
	account ident.AccountID
	user    ident.UserID // empty while nobody is known
	claimed ident.Email  // what was typed, if it is an address at all
	keys    []throttle.Key
	at      time.Time
}

// try begins an attempt: refused if the address, or the person who is claimed, has used
// their failures up. Whether there is such a person makes no difference.
func (s *Service) try(ctx context.Context, from access.Caller, account ident.AccountID, claimed ident.Email) (attempt, error) {
	t := attempt{from: from, account: account, claimed: claimed, at: s.now()}
	t.keys = []throttle.Key{{Class: throttle.ClassSignInAddress, Subject: throttle.AddressSubject(from.Address)}}
	if claimed != "" {
		t.keys = append(t.keys, personKey(account, claimed))
	}
	for _, key := range t.keys {
		d, err := s.Limiter.Peek(ctx, key, t.at)
		if err != nil {
			return t, err
		}
		if !d.Admitted {
			return t, s.limited(t, d)
		}
	}
	return t, nil
}

// personKey is the allowance of one address in one account, hashed: whatever is claimed has
// one length, and lies in no memory in clear.
func personKey(account ident.AccountID, claimed ident.Email) throttle.Key {
	h := HashOf(string(account) + "\x00" + claimed.Key())
	return throttle.Key{Class: throttle.ClassSignInPerson, Subject: hex.EncodeToString(h[:])}
}

// limited remembers that the limit was hit and says when to come back.
func (s *Service) limited(t attempt, d throttle.Decision) error {
	s.Journal.Note(s.entry(t, audit.Limited).With(d.Limit.String()))
	return fault.Exhausted(d.RetryAfter, "too many failed tries to sign in: wait %d s", int(d.RetryAfter/time.Second))
}

func (s *Service) entry(t attempt, o audit.Outcome) audit.Entry {
	e := audit.New(t.from, t.account, audit.SignIn, string(t.user), o, t.at)
	e.ActorKind = access.Person
	e.Actor = audit.Clean(string(t.user), audit.MaxTarget)
	if t.user == "" {
		e.Actor = audit.Clean(ident.HideSecret(string(t.claimed)), audit.MaxTarget)
	}
	return e
}

// refuse remembers a failed attempt, with why, spends what it costs, and gives the one
// answer. Of guesses sent at once, those beyond the limit are told that.
func (s *Service) refuse(ctx context.Context, t attempt, why string) error {
	s.Journal.Note(s.entry(t, audit.Refused).With(why))
	answer := failed()
	for _, key := range t.keys {
		d, err := s.Limiter.Spend(ctx, key, t.at)
		if err != nil {
			return err
		}
		if !d.Admitted {
			answer = fault.Exhausted(d.RetryAfter, "too many failed tries to sign in: wait %d s", int(d.RetryAfter/time.Second))
		}
	}
	return answer
}

// spendBegin counts a try that has to be remembered before anybody has proved anything.
func (s *Service) spendBegin(ctx context.Context, from access.Caller) error {
	key := throttle.Key{Class: throttle.ClassSignInBegin, Subject: throttle.AddressSubject(from.Address)}
	d, err := s.Limiter.Spend(ctx, key, s.now())
	if err != nil || d.Admitted {
		return err
	}
	return s.limited(attempt{from: from, at: s.now()}, d)
}

// Entrance tells what a page to sign in at has to ask for.
func (s *Service) Entrance(ctx context.Context) (Entrance, error) {
	accounts, err := s.Store.OpenAccounts(ctx, 2)
	if err != nil || len(accounts) != 1 {
		return Entrance{}, err
	}
	_, err = s.Store.Connection(ctx, accounts[0].ID)
	found := err == nil
	if fault.KindOf(err) == fault.KindNotFound {
		err = nil
	}
	return Entrance{Account: accounts[0].ID, Name: accounts[0].Name, SSO: found && s.SSOProtocol != nil}, err
}

// accountOf returns the account that was named, or the only open one; "-", which is none's,
// where there is no telling.
func (s *Service) accountOf(ctx context.Context, named ident.AccountID) (ident.AccountID, error) {
	if named != "" {
		if !ident.Possible(string(named)) {
			return "-", nil
		}
		return named, nil
	}
	e, err := s.Entrance(ctx)
	if e.Account == "" {
		e.Account = "-"
	}
	return e.Account, err
}

// Password signs a person in. account may be empty where there is only one. Unknown
// account or person, wrong or no password, and a person or account that may not sign in
// fail alike, after the same work.
func (s *Service) Password(ctx context.Context, from access.Caller, account ident.AccountID, email, password string) (NewSession, error) {
	account, err := s.accountOf(ctx, account)
	if err != nil {
		return NewSession{}, err
	}
	claimed, err := ident.ParseEmail(email)
	if err != nil {
		claimed = ""
	}
	t, err := s.try(ctx, from, account, claimed)
	if err != nil {
		return NewSession{}, err
	}
	cand, err := s.candidate(ctx, account, claimed)
	if err != nil {
		return NewSession{}, err
	}
	if t.user = cand.User.ID; t.user == "" {
		t.account = s.existing(ctx, account)
	}
	if len(password) > 4*MaxPassword {
		password = "" // no password is as long, and hashing it would cost more
	}
	right, err := s.Hasher.Check(ctx, cand.Password, password)
	if err != nil {
		return NewSession{}, err
	}
	if !right || !entitled(cand.User, cand.Account) {
		return NewSession{}, s.refuse(ctx, t, "a password")
	}
	return s.enter(ctx, t, cand.User, ByPassword, func(st Standing) bool { return st.Password == cand.Password }, Change{})
}

// existing returns the account if there is one: entries are filed under no other.
func (s *Service) existing(ctx context.Context, account ident.AccountID) ident.AccountID {
	if _, err := s.Store.SignInAccount(ctx, account); err != nil {
		return ""
	}
	return account
}

// candidate reads whoever has the address; for nobody it returns one without a password.
func (s *Service) candidate(ctx context.Context, account ident.AccountID, email ident.Email) (Candidate, error) {
	if email == "" {
		email = "-" // still costs its read
	}
	c, err := s.Store.Candidate(ctx, account, email)
	if err != nil && fault.KindOf(err) == fault.KindNotFound {
		return Candidate{}, nil
	}
	return c, err
}

// enter begins a session for somebody who has proved who they are, together with more. still
// tells whether the proof holds now that they are locked: a password may have been changed,
// or a person suspended, since it was looked at.
func (s *Service) enter(ctx context.Context, t attempt, u directory.User, m Method, still func(Standing) bool, more Change) (NewSession, error) {
	fresh, stored, err := s.begin(t.from, u, m, t.at)
	if err != nil {
		return NewSession{}, err
	}
	in := false
	err = s.Store.ChangePerson(ctx, u.Account, u.ID, func(st Standing) Change {
		if more.Activate && st.User.State == directory.Pending {
			st.User.State = directory.Active
		}
		if in = entitled(st.User, st.Account) && still(st); !in {
			return Change{}
		}
		ch := more
		c := asPerson(t.from, st.User)
		ch.Session, ch.Forget.Session = stored, st.room()
		ch.Entries = append(append([]audit.Entry{}, more.Entries...), signedIn(c, fresh.Session))
		return ch
	})
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return NewSession{}, err
	}
	if err != nil || !in {
		return NewSession{}, s.refuse(ctx, t, "may not sign in any more")
	}
	return fresh, nil
}
