package signin

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// freshFor is how long after signing in a person may add a way in without proving once
// more who they are: a browser left alone must not become a second key.
const freshFor = SessionIdle / 4

func (s *Service) fresh(c Signed) bool { return s.now().Sub(c.Session.CreateTime) < freshFor }

func signInAgain() error {
	return fault.Precondition("this takes that you have signed in within the last 15 minutes: sign out, and in again")
}

// SetPassword sets the password of the person who asks, and ends their other sessions. It
// takes the present password; of somebody who has none, that they have signed in a short while
// ago (Precondition). A wrong one is Unauthenticated and limited like signing in.
func (s *Service) SetPassword(ctx context.Context, c Signed, current, newPassword string) error {
	cand, err := s.Store.Candidate(ctx, c.Account.ID, c.User.Email)
	if err != nil {
		return err
	}
	t := attempt{from: c.Caller, account: c.Account.ID, user: c.User.ID, at: s.now()}
	if cand.Password == "" && !s.fresh(c) {
		return signInAgain()
	}
	if cand.Password != "" {
		if err := s.checkCurrent(ctx, &t, c, cand, current); err != nil {
			return err
		}
	}
	if err := ValidatePassword(newPassword, c.User, c.Account); err != nil {
		return err
	}
	encoded, err := s.Hasher.Hash(ctx, s.Rand, newPassword)
	if err != nil {
		return err
	}
	return s.changePerson(ctx, c.Caller, c.Account.ID, c.User.ID, audit.PasswordSet, func(st Standing, e audit.Entry) Change {
		if st.Password != cand.Password {
			return Change{Refusal: fault.Conflict("the password was changed meanwhile: try again")}
		}
		return Change{
			Password: encoded, Forget: Forget{Sessions: true, Keep: c.Session.ID, Links: true},
			Entries: []audit.Entry{e},
		}
	})
}

// checkCurrent checks the present password under the allowance of that person.
func (s *Service) checkCurrent(ctx context.Context, t *attempt, c Signed, cand Candidate, current string) error {
	t.keys = []throttle.Key{personKey(c.Account.ID, c.User.Email)}
	d, err := s.Limiter.Peek(ctx, t.keys[0], t.at)
	if err != nil {
		return err
	}
	if !d.Admitted {
		return s.limited(*t, d)
	}
	if len(current) > 4*MaxPassword {
		current = ""
	}
	right, err := s.Hasher.Check(ctx, cand.Password, current)
	if err != nil {
		return err
	}
	if right {
		return nil
	}
	if err := s.refuse(ctx, *t, "the present password"); fault.KindOf(err) != fault.KindUnauthenticated {
		return err
	}
	return fault.Unauthenticated("the present password is wrong")
}
