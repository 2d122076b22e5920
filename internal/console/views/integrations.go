package views

import "time"

// Integrations is the list.
type Integrations struct {
	Frame
	List   []Integration
	Pager  Pager
	Manage bool
	Now    time.Time
}

// Integration is one, as it is shown in a list.
type Integration struct {
	ID, Name, Description, Href string
	State                       Badge
	Permissions                 []string // titles
	CreateTime, LastUsed        time.Time
	Attention                   string // in a word or two; empty for none
}

// IntegrationForm is the first step of the wizard, and the form that edits.
type IntegrationForm struct {
	Frame
	Heading, Text    string
	Back             Link
	Wizard           bool
	Action, Button   string
	Cancel           string
	Errors           []FieldError
	Refusal          string
	Hidden           []Hidden
	Name             Field
	Description      Field
	RedirectURL      Field
	People, Managing Field // permissions
}

// Credentials is the second step: what is shown once.
type Credentials struct {
	Frame
	Wizard           bool
	Heading, Text    string
	Name             string
	Href             string // of the integration's page
	BaseURL, Account string
	ClientID, Secret string
	EnvName          string // file name
	Env              string // its content
	EnvHref          string // a data: URL of it
	Try              string // shell commands
	TryText          string
	Suspend          string // one more; empty where it may not
}

// IntegrationPage is one integration.
type IntegrationPage struct {
	Frame
	Integration
	RedirectURL string
	Manage      bool
	Now         time.Time
	Buttons     []Act
	Secrets     []Secret
	Tokens      int64
	// TokensAtLeast tells that there may be more.
	TokensAtLeast bool
	Use           Series
	HasUse        bool
	Agents        []Agent
	Story         []Event
	StoryMore     string
	Rotate        *RotateForm
	Revoke        string // path; empty where the reader may not
}

// RotateForm asks how long the old secret goes on working.
type RotateForm struct {
	Action  string
	Hidden  []Hidden
	Overlap Field
}

// Secret is a secret without its text.
type Secret struct {
	Current              bool
	CreateTime, LastUsed time.Time
	ExpireTime           time.Time
	Advice               string
	AdviceTone           string
}

// Agent is how much one User-Agent used an integration.
type Agent struct {
	Name                      string
	Requests, Errors, Limited int64
	Last                      time.Time
}
