package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// Login keeps credentials.
type Login struct {
	Profile    string `help:"Name to keep them under." default:"default" env:"-" placeholder:"NAME"`
	BaseURL    string `help:"Where the API is served, such as https://users.example.com." env:"-" placeholder:"URL"`
	Region     string `help:"In place of a base URL: the published service in com, ca or eu." env:"-" enum:",com,ca,eu" default:"" placeholder:"REGION"`
	Account    string `help:"Account id." env:"-" placeholder:"ID"`
	ClientID   string `help:"Client id of the application." env:"-" placeholder:"ID"`
	CAFile     string `help:"PEM file of the only certificate authorities to trust, in place of the system's." env:"-" placeholder:"FILE" type:"path"`
	APIVersion string `help:"v1beta1 or v1." env:"-" enum:",v1beta1,v1" default:"" placeholder:"VERSION"`
	Stdin      bool   `help:"Read the client secret from standard input instead of asking for it." env:"-"`
	Verify     bool   `help:"Get a token with the credentials, and give it back, before they are kept." default:"true" negatable:"" env:"-"`
	Keyring    bool   `help:"Keep the secret in the operating system's keyring where there is one." default:"true" negatable:"" env:"-"`
}

// Help gives examples.
func (Login) Help() string {
	return `The secret is asked for, or read from standard input: it is never an argument, which others could see. Without --base-url and --region, what is not typed is taken from the profile as it is: so a new secret is stored.

	rollcall login --base-url https://users.example.com --account IR7VB5DAQRDWXAMPLE4QXW2ZLU --client-id 0b8f3c1e-5d2a-4e57-9c66-1f0a7d8e2b34
	rollcall login --profile eu --region eu --account IR7VB5DAQRDWXAMPLE4QXW2ZLU --client-id 0b8f3c1e-5d2a-4e57-9c66-1f0a7d8e2b34 --stdin
	rollcall login --profile eu`
}

// Run checks the credentials and keeps them.
func (cmd *Login) Run(ctx context.Context, e *Env) error {
	p, err := cmd.profile(e)
	if err != nil {
		return err
	}
	secret, err := e.readSecret(ctx, cmd.Stdin, "Client secret: ")
	if err != nil {
		return err
	}
	c := connection{
		from: cmd.Profile, baseURL: p.BaseURL, account: p.AccountID, client: p.ClientID,
		secret: secret, caFile: p.CAFile, version: p.APIVersion,
	}
	s, err := e.open(c, manners{})
	if err != nil {
		return err
	}
	if cmd.Verify {
		if err := s.tryCredentials(ctx); err != nil {
			return fmt.Errorf("nothing is kept: %w", c.explain(err))
		}
	}
	where, err := e.keep(ctx, cmd.Profile, p, secret, cmd.Keyring)
	if err != nil {
		return err
	}
	fmt.Fprintln(e.Stderr, terminal.Visible(fmt.Sprintf("Profile %s is kept: account %s at %s. %s", cmd.Profile, p.AccountID, p.BaseURL, where)))
	return nil
}

// profile is the one to keep: what was typed, and the rest from the one there is if it
// points to the same place.
func (cmd *Login) profile(e *Env) (profile, error) {
	if cmd.BaseURL != "" && cmd.Region != "" {
		return profile{}, terminal.Misused("--base-url and --region can't be used together")
	}
	p := profile{BaseURL: cmd.BaseURL}
	if cmd.Region != "" {
		p.BaseURL = client.Region(cmd.Region).BaseURL()
	}
	if p.BaseURL == "" {
		var err error
		if p, err = e.readProfile(cmd.Profile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return profile{}, err
		}
	}
	p.Secret = ""
	if cmd.CAFile != "" {
		path, err := filepath.Abs(cmd.CAFile)
		if err != nil {
			return profile{}, err
		}
		p.CAFile = path
	}
	p.AccountID, p.ClientID = cmp.Or(cmd.Account, p.AccountID), cmp.Or(cmd.ClientID, p.ClientID)
	p.APIVersion = cmp.Or(cmd.APIVersion, p.APIVersion)
	if p.BaseURL == "" || p.AccountID == "" || p.ClientID == "" {
		return profile{}, terminal.Misused("needed are --base-url or --region, --account and --client-id\nsee 'rollcall login --help'")
	}
	return p, nil
}

// tryCredentials gets a token and gives it back.
func (s *session) tryCredentials(ctx context.Context) error {
	token, err := s.Tokens.Issue(ctx)
	if err == nil {
		err = s.Tokens.Revoke(ctx, token.Value)
	}
	return interrupted(ctx, err, "the credentials were not checked")
}

// Logout forgets credentials.
type Logout struct {
	Profile string `help:"Name they are kept under." default:"default" env:"-" placeholder:"NAME"`
}

// Help gives an example.
func (Logout) Help() string {
	return "The application and its secret stay valid: whoever administers the account can end them.\n\n\trollcall logout --profile eu"
}

// Run forgets the profile.
func (cmd *Logout) Run(ctx context.Context, e *Env) error {
	left, err := e.forget(ctx, cmd.Profile)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "Profile %s is forgotten.\n", cmd.Profile)
	if left {
		fmt.Fprintf(e.Stderr, "Its secret is still in the keyring, which can't be reached from here: remove the entry %s of %s there.\n", cmd.Profile, keyringService)
	}
	return nil
}

// Whoami shows what commands work with.
type Whoami struct {
	Target
	Output string `help:"How it is printed: ${enum}." enum:"table,json" default:"table" env:"-" placeholder:"FORMAT"`
}

// Help gives an example.
func (Whoami) Help() string {
	return "A token is asked for and given back, so that what is shown is known to work. Which permissions the application has, the API does not tell.\n\n\trollcall whoami --profile eu"
}

// Run shows it.
func (cmd *Whoami) Run(ctx context.Context, e *Env) error {
	return e.connected(ctx, cmd.Target, manners{}, func(s *session) error {
		if err := s.tryCredentials(ctx); err != nil {
			return fmt.Errorf("%s, application %s at %s: %w", s.source(), s.client, s.baseURL, &unprefixed{err})
		}
		view := struct {
			Profile string `json:"profile,omitempty"`
			BaseURL string `json:"base_url"`
			Account string `json:"account_id"`
			Client  string `json:"client_id"`
		}{s.from, s.baseURL, s.account, s.client}
		return terminal.NewPrinter(e.Stdout, e.Stderr, cmd.Output == "json").One(view,
			"from       "+s.source(), "base URL   "+s.baseURL, "account    "+s.account, "client id  "+s.client, "token      is given")
	})
}
