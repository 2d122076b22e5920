package views

import "time"

// Account is the page of the account.
type Account struct {
	Frame
	ID, BaseURL  string
	CreateTime   time.Time
	Manage       bool
	Errors       []FieldError
	Refusal      string
	Name         Field
	Provisioning Field // radio
	SSO          *SSO  // nil where the reader may not see it
}

// SSO is the form of the single sign-on connection.
type SSO struct {
	On, Manage     bool
	Issuer, Client Field
	Secret         Field
	Callback       string // to be entered at the provider
	Errors         []FieldError
	Refusal        string
	Remove         string // path
	SecretKept     bool
}

// Profile is one's own page.
type Profile struct {
	Frame
	Person       Person
	Now          time.Time
	Roles        string // what one may do, in words
	HasPassword  bool
	Current, New Field
	Errors       []FieldError
	Refusal      string
	Passkeys     []PasskeyRow
	AddPasskey   Passkey
	PasskeyName  Field
	Sessions     []Session
	EndOthers    string // path; empty where there are none
}

// PasskeyRow is one passkey.
type PasskeyRow struct {
	Name                 string
	CreateTime, LastUsed time.Time
	Remove               string // path
}
