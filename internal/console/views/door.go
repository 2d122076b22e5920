package views

import "time"

// SignIn is the page one signs in on.
type SignIn struct {
	Door
	Notice   *Notice
	Account  *Field // which account, where there is more than one
	Email    Field
	Password Field
	Return   string // where to go afterwards, a path of ours
	SSO      bool   // there is single sign-on
	Passkeys Passkey
}

// Passkey names where a ceremony with a passkey begins and ends.
type Passkey struct{ Begin, Finish string }

// OneTime is the page of a one-time link.
type OneTime struct {
	Door
	Title, Text string
	Account     string
	Name, Email string
	ExpireTime  time.Time
	Now         time.Time
	Action      string // path the form is posted to
	Button      string
	Password    Field
	Wrong       *Notice
}
