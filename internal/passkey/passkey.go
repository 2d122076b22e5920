// Package passkey speaks WebAuthn for signin: options for the browser, and the checking of
// what its authenticator answers.
//
// It leaves to signin who may add a passkey, that each ceremony ends once and in time, and
// whose passkey it is; to the library the formats of level 3 of the specification. What must
// always hold: a passkey is discoverable, so that nobody has to be named before signing in,
// and verifies its user, since it is the only proof; attestation is not asked for: whose
// authenticator it is concerns nobody; an authenticator whose counter goes back is refused.
package passkey

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/rollcall-id/rollcall/internal/signin"
)

// Protocol implements signin.PasskeyProtocol.
type Protocol struct {
	// Name is what browsers call this server when they ask which passkey to use.
	Name string
}

// relying returns the library's view of a site.
func (p Protocol) relying(site signin.Site) (*webauthn.WebAuthn, error) {
	w, err := webauthn.New(&webauthn.Config{
		RPID: site.Host, RPDisplayName: p.Name, RPOrigins: []string{site.Origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkey: %s: %w", site.Origin, err)
	}
	return w, nil
}

// person shows a signin.PasskeyPerson to the library.
type person struct {
	signin.PasskeyPerson
	credentials []webauthn.Credential
}

func personOf(p signin.PasskeyPerson) (person, error) {
	who := person{PasskeyPerson: p}
	for _, data := range p.Passkeys {
		var c webauthn.Credential
		if err := json.Unmarshal(data, &c); err != nil {
			return who, fmt.Errorf("passkey: read a passkey: %w", err)
		}
		who.credentials = append(who.credentials, c)
	}
	return who, nil
}

// WebAuthnID implements webauthn.User.
func (p person) WebAuthnID() []byte { return p.Handle }

// WebAuthnName implements webauthn.User.
func (p person) WebAuthnName() string { return p.Name }

// WebAuthnDisplayName implements webauthn.User.
func (p person) WebAuthnDisplayName() string { return p.DisplayName }

// WebAuthnCredentials implements webauthn.User.
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.credentials }

// BeginAdd implements signin.PasskeyProtocol. An authenticator that has a passkey of the
// person already is told so, and makes no second one.
func (p Protocol) BeginAdd(site signin.Site, who signin.PasskeyPerson) (options, state []byte, err error) {
	w, err := p.relying(site)
	if err != nil {
		return nil, nil, err
	}
	u, err := personOf(who)
	if err != nil {
		return nil, nil, err
	}
	exclude := make([]protocol.CredentialDescriptor, len(u.credentials))
	for i := range u.credentials {
		exclude[i] = u.credentials[i].Descriptor()
	}
	creation, session, err := w.BeginRegistration(u, webauthn.WithExclusions(exclude))
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: begin adding: %w", err)
	}
	return both(creation, session)
}

// both encodes what the browser gets and what is remembered.
func both(options, session any) (optionsJSON, state []byte, err error) {
	if optionsJSON, err = json.Marshal(options); err == nil {
		state, err = json.Marshal(session)
	}
	return optionsJSON, state, err
}

// FinishAdd implements signin.PasskeyProtocol.
func (p Protocol) FinishAdd(site signin.Site, who signin.PasskeyPerson, state, response []byte) (credential, data []byte, err error) {
	w, session, err := p.resume(site, state)
	if err != nil {
		return nil, nil, err
	}
	u, err := personOf(who)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: read the answer: %w", err)
	}
	made, err := w.CreateCredential(u, session, parsed)
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: check the answer: %w", err)
	}
	data, err = json.Marshal(made)
	return made.ID, data, err
}

func (p Protocol) resume(site signin.Site, state []byte) (*webauthn.WebAuthn, webauthn.SessionData, error) {
	var session webauthn.SessionData
	w, err := p.relying(site)
	if err != nil {
		return nil, session, err
	}
	if err := json.Unmarshal(state, &session); err != nil {
		return nil, session, fmt.Errorf("passkey: read what was remembered: %w", err)
	}
	return w, session, nil
}

// BeginUse implements signin.PasskeyProtocol.
func (p Protocol) BeginUse(site signin.Site) (options, state []byte, err error) {
	w, err := p.relying(site)
	if err != nil {
		return nil, nil, err
	}
	assertion, session, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: begin using: %w", err)
	}
	return both(assertion, session)
}

var errCloned = errors.New("passkey: its counter has gone back: there are two of it")

// FinishUse implements signin.PasskeyProtocol.
func (p Protocol) FinishUse(site signin.Site, state, response []byte, find func(credential, handle []byte) (signin.PasskeyPerson, error)) (credential, data []byte, err error) {
	w, session, err := p.resume(site, state)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: read the answer: %w", err)
	}
	used, err := w.ValidateDiscoverableLogin(func(id, handle []byte) (webauthn.User, error) {
		who, err := find(id, handle)
		if err != nil {
			return nil, err
		}
		return personOf(who)
	}, session, parsed)
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: check the answer: %w", err)
	}
	if used.Authenticator.CloneWarning {
		return nil, nil, errCloned
	}
	data, err = json.Marshal(used)
	return used.ID, data, err
}
