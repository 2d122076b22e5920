package signin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

var errHandle = errors.New("signin: the passkey names another person")

func ceremonyOver() error {
	return fault.Precondition("that took too long, or was done already: begin again")
}

// remember keeps what a ceremony has to know of its beginning and gives it a token.
func (s *Service) remember(ctx context.Context, c Ceremony, options []byte) (Begun, error) {
	token, err := ident.NewSecret(ceremonyPrefix, s.Rand)
	if err != nil {
		return Begun{}, err
	}
	c.Hash, c.ExpireTime = HashOf(token), s.now().Add(CeremonyLife)
	if err := s.Store.AddCeremony(ctx, c); err != nil {
		return Begun{}, err
	}
	return Begun{Token: token, Options: json.RawMessage(options)}, nil
}

// recall returns a ceremony and forgets it: each can be ended once, as what it was begun as,
// and in time. Precondition if there is none such.
func (s *Service) recall(ctx context.Context, token string, kind CeremonyKind) (Ceremony, error) {
	if !ident.WellFormedSecret(ceremonyPrefix, token) {
		return Ceremony{}, ceremonyOver()
	}
	c, err := s.Store.TakeCeremony(ctx, HashOf(token))
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return Ceremony{}, err
	}
	now := s.now()
	if err != nil || c.Kind != kind || !now.Before(c.ExpireTime) || now.Before(c.ExpireTime.Add(-CeremonyLife-maxSkew)) {
		return Ceremony{}, ceremonyOver()
	}
	return c, nil
}

var errNoKey = errors.New("signin: there is no key to open the client secret with")

// same compares in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
