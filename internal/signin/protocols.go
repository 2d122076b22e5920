package signin

import "context"

// Site is where the console is reached, as the browser sees it.
type Site struct {
	Origin string // scheme, host and port: https://users.example.com
	Host   string // the host alone, without port: users.example.com
}

// PasskeyPerson is what the WebAuthn protocol needs to know of a person.
type PasskeyPerson struct {
	Handle      []byte // names them to authenticators; at most 64 bytes, says nothing of them
	Name        string // the e-mail address
	DisplayName string
	Passkeys    [][]byte // Data of those they have
}

// PasskeyProtocol speaks WebAuthn level 2. options and response are JSON, as
// navigator.credentials takes and gives them; state is remembered between the two.
type PasskeyProtocol interface {
	// BeginAdd makes the options of navigator.credentials.create.
	BeginAdd(site Site, p PasskeyPerson) (options, state []byte, err error)
	// FinishAdd checks the response. The error says why it does not count.
	FinishAdd(site Site, p PasskeyPerson, state, response []byte) (credential, data []byte, err error)
	// BeginUse makes the options of navigator.credentials.get, for whoever has a passkey here.
	BeginUse(site Site) (options, state []byte, err error)
	// FinishUse checks the response; find gives the person who has a credential. It returns the
	// credential that was used and its Data as that is to be kept.
	FinishUse(site Site, state, response []byte, find func(credential, handle []byte) (PasskeyPerson, error)) (credential, data []byte, err error)
}

// SSOClient is how the protocol knows an issuer and itself to it.
type SSOClient struct {
	Issuer, ClientID string
	Secret           string // empty = a public client, which PKCE protects
	RedirectURL      string
}

// SSOAttempt is what one sign-in at an issuer is bound to.
type SSOAttempt struct {
	State, Nonce string
	Verifier     string // of PKCE (RFC 7636)
}

// Claims is what an issuer says of a person, its signature checked.
type Claims struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool
}

// SSOProtocol speaks OpenID Connect: the code flow with PKCE, state and nonce.
type SSOProtocol interface {
	// Check tells what is wrong with an issuer: whether it can be reached and says what it is.
	Check(ctx context.Context, issuer string) error
	// Begin returns the URL at the issuer to which the browser is sent.
	Begin(ctx context.Context, c SSOClient, a SSOAttempt) (string, error)
	// Finish trades a code for what the issuer says. The error says why it does not count.
	Finish(ctx context.Context, c SSOClient, a SSOAttempt, code string) (Claims, error)
}
