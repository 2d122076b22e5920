// Package passkeytest is an authenticator in memory: what a browser and a security key do
// together when a page asks for a passkey. It is for tests, and does what the specification
// (WebAuthn level 3) says, or on purpose not.
package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// Authenticator holds one passkey, once it has made it.
type Authenticator struct {
	Origin string // where the browser believes to be
	Host   string // the relying party id it signs for
	// Unverified answers without having verified its user.
	Unverified bool
	// Counter is what the next answer counts; it goes up by itself unless it is 0.
	Counter uint32
	// Handle overrides whom the passkey names, if not nil.
	Handle []byte

	id     []byte
	handle []byte
	key    *ecdsa.PrivateKey
}

var b64 = base64.RawURLEncoding

// options is what of the page's options is looked at.
type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		User      struct {
			ID string `json:"id"`
		} `json:"user"`
		UserVerification       string `json:"userVerification"`
		AuthenticatorSelection struct {
			UserVerification string `json:"userVerification"`
			ResidentKey      string `json:"residentKey"`
		} `json:"authenticatorSelection"`
	} `json:"publicKey"`
}

// Create answers navigator.credentials.create.
func (a *Authenticator) Create(optionsJSON []byte) ([]byte, error) {
	var o options
	if err := json.Unmarshal(optionsJSON, &o); err != nil {
		return nil, err
	}
	if s := o.PublicKey.AuthenticatorSelection; s.UserVerification != "required" || s.ResidentKey != "required" {
		return nil, fmt.Errorf("the page asks for %+v: a passkey that names its owner and verifies them is needed", s)
	}
	var err error
	if a.handle, err = b64.DecodeString(o.PublicKey.User.ID); err != nil {
		return nil, err
	}
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	a.id = make([]byte, 16)
	if _, err := rand.Read(a.id); err != nil {
		return nil, err
	}
	point, err := a.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	data := a.data(0x40)
	data = append(data, make([]byte, 16)...) // AAGUID
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(data, a.id...)
	// COSE: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
	data = append(data, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32)
	data = append(data, point[1:33]...)
	data = append(data, 0x22, 0x58, 32)
	data = append(data, point[33:65]...)
	// {"fmt": "none", "attStmt": {}, "authData": data}
	object := append([]byte{0xa3, 0x63}, "fmt"...)
	object = append(append(object, 0x64), "none"...)
	object = append(append(object, 0x67), "attStmt"...)
	object = append(append(object, 0xa0, 0x68), "authData"...)
	object = append(object, 0x59, byte(len(data)>>8), byte(len(data)))
	object = append(object, data...)
	return a.answer(map[string]any{
		"clientDataJSON": a.client("webauthn.create", o.PublicKey.Challenge), "attestationObject": b64.EncodeToString(object),
	})
}

// Get answers navigator.credentials.get.
func (a *Authenticator) Get(optionsJSON []byte) ([]byte, error) {
	var o options
	if err := json.Unmarshal(optionsJSON, &o); err != nil {
		return nil, err
	}
	if o.PublicKey.UserVerification != "required" {
		return nil, fmt.Errorf("the page asks for %q: who answers has to be verified", o.PublicKey.UserVerification)
	}
	data, clientData := a.data(0), a.client("webauthn.get", o.PublicKey.Challenge)
	raw, err := b64.DecodeString(clientData)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(raw)
	digest := sha256.Sum256(append(data[:len(data):len(data)], hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		return nil, err
	}
	handle := a.handle
	if a.Handle != nil {
		handle = a.Handle
	}
	return a.answer(map[string]any{
		"clientDataJSON": clientData, "authenticatorData": b64.EncodeToString(data),
		"signature": b64.EncodeToString(signature), "userHandle": b64.EncodeToString(handle),
	})
}

// data is the authenticator data: whom it signs for, what it has checked, and its counter.
func (a *Authenticator) data(flags byte) []byte {
	flags |= 0x01 // somebody was there
	if !a.Unverified {
		flags |= 0x04
	}
	host := sha256.Sum256([]byte(a.Host))
	data := append(host[:], flags)
	data = binary.BigEndian.AppendUint32(data, a.Counter)
	if a.Counter > 0 {
		a.Counter++
	}
	return data
}

func (a *Authenticator) client(kind, challenge string) string {
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	if err != nil {
		panic(err)
	}
	return b64.EncodeToString(text)
}

func (a *Authenticator) answer(response map[string]any) ([]byte, error) {
	id := b64.EncodeToString(a.id)
	return json.Marshal(map[string]any{
		"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": map[string]any{},
	})
}
