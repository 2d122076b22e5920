package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/envfile"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// Handing says where a new secret goes.
type Handing struct {
	EnvFile string `help:"Write all that it takes to connect to this file, as shell assignments that only you can read, instead of printing the secret. Other lines of the file are kept." placeholder:"FILE" type:"path"`
	AppOutput
}

// AppsCreate creates an application.
type AppsCreate struct {
	Name        string   `arg:"" help:"Name, up to 100 characters."`
	Permissions []string `help:"What it may do: users.list, users.get, users.suspend, users.reactivate, and to manage applications oauth_clients.read, oauth_clients.write. None that the application you are logged in as lacks." required:"" placeholder:"PERMISSION" suggest:"permissions"`
	Description string   `help:"What it is for, up to 1000 characters." placeholder:"TEXT"`
	RedirectURL string   `help:"An https URL; kept and never used." placeholder:"URL"`
	Handing
}

// Help gives examples.
func (AppsCreate) Help() string {
	return `The secret is printed once, on standard output, or written to a file that only you can read.

	rollcall apps create "Alarm bridge" --permissions users.list,users.suspend --env-file bridge.env
	rollcall apps create "Report" --permissions users.list --output json`
}

// Run creates it.
func (cmd *AppsCreate) Run(ctx context.Context, e *Env, apps *Apps) error {
	return apps.managed(ctx, e, func(s *session) error {
		return cmd.handOver(s, func() (client.Credentials, error) {
			made, err := s.Applications.Create(ctx, client.NewApplication{
				Name: cmd.Name, Description: cmd.Description, RedirectURL: cmd.RedirectURL, Permissions: permissionsOf(cmd.Permissions),
			})
			return made, s.unclear(ctx, err, fmt.Sprintf("look with '%s' whether %q is there: if so, delete it by its client id, and create it again", s.typed("apps list"), cmd.Name))
		})
	})
}

// AppsRotate makes a new secret.
type AppsRotate struct {
	App
	Overlap time.Duration `help:"How long the old secrets work on: 0s to 168h. Tokens they obtained end with them." default:"24h" placeholder:"DURATION"`
	Login   bool          `help:"For the application that the profile is of: log in with the new secret instead of printing it."`
	Yes     bool          `help:"Do not ask." short:"y"`
	Handing
}

// Help gives examples.
func (AppsRotate) Help() string {
	return `Give the application its new secret within the overlap; 'rollcall apps get' shows when the old one was last used. With --overlap 0s the old secrets and their tokens end at once, as after a leak; you are asked first.

	rollcall apps rotate "Alarm bridge" --env-file bridge.env
	rollcall apps rotate 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --overlap 0s --yes --output json`
}

// Run makes it.
func (cmd *AppsRotate) Run(ctx context.Context, e *Env, apps *Apps) error {
	if cmd.Overlap < 0 || cmd.Overlap > maxOverlap || cmd.Overlap%time.Second != 0 {
		return terminal.Misused("--overlap=%s: give whole seconds from 0s to 168h", cmd.Overlap)
	}
	if cmd.Login && cmd.EnvFile != "" {
		return terminal.Misused("--login and --env-file can't be used together")
	}
	return apps.managed(ctx, e, func(s *session) error {
		a, err := s.application(ctx, cmd.App.App)
		if err == nil && cmd.Login && (s.from == "" || a.ID != s.client) {
			err = terminal.Misused("--login is for the application of a profile: %s is of application %s", s.source(), s.client)
		}
		if err == nil && cmd.Overlap == 0 {
			err = terminal.Confirm(ctx, e.Stdin, e.Stderr, cmd.Yes, terminal.Visible("The secrets and tokens of application "+described(a)+" end at once."))
		}
		if err != nil {
			return interrupted(ctx, err, "nothing was changed")
		}
		rotate := func() (client.Credentials, error) {
			made, err := s.Applications.RotateSecret(ctx, a.ID, cmd.Overlap)
			return made, s.unclear(ctx, err, "rotate once more: '"+s.typed("apps rotate "+shellWord(a.ID))+"'")
		}
		if cmd.Login {
			return cmd.logIn(ctx, s, rotate)
		}
		return cmd.handOver(s, rotate)
	})
}

// logIn keeps the new secret of the profile's own application where the old one is. If
// it can't be kept it is printed, for the old one may have ended.
func (cmd *AppsRotate) logIn(ctx context.Context, s *session, rotate func() (client.Credentials, error)) error {
	p, err := s.env.readProfile(s.from)
	if err != nil {
		return err
	}
	made, err := rotate()
	if err != nil {
		return err
	}
	where, err := s.env.keep(ctx, s.from, p, made.Secret, p.SecretIn == inKeyring)
	if err != nil {
		return errors.Join(fmt.Errorf("the new secret is not kept, so here it is: %w", err), s.lost(made, cmd.tell(s, made)))
	}
	fmt.Fprintln(s.env.Stderr, terminal.Visible(fmt.Sprintf("Profile %s has the new secret. %s", s.from, where)))
	return cmd.print(s.env, made.Application)
}

const maxOverlap = 7 * 24 * time.Hour

// unclear says what to do where a secret may have been made and nobody knows it.
func (s *session) unclear(ctx context.Context, err error, hint string) error {
	if errors.Is(err, client.ErrOutcomeUnknown) {
		return &explained{interrupted(ctx, err, "it is not known whether it was done"), hint}
	}
	return interrupted(ctx, err, "nothing was changed")
}

// handOver has a secret made and gives it to the person. That a file can be written is
// tried before, for a secret can't be had a second time.
func (h *Handing) handOver(s *session, make func() (client.Credentials, error)) error {
	if h.EnvFile == "" {
		made, err := make()
		if err != nil {
			return err
		}
		return s.lost(made, h.tell(s, made))
	}
	file, err := envfile.Begin(h.EnvFile)
	if err != nil {
		return err
	}
	made, err := make()
	if err != nil {
		return errors.Join(err, file.Discard())
	}
	if err := file.Finish(s.assignments(made)); err != nil {
		return s.lost(made, err)
	}
	view := struct {
		client.Application
		EnvFile string `json:"env_file"`
	}{made.Application, h.EnvFile}
	return h.printer(s.env).One(view, append(appLines(made.Application), "client secret   written to "+h.EnvFile)...)
}

// tell prints the secret, this once.
func (h *Handing) tell(s *session, made client.Credentials) error {
	view := struct {
		client.Application
		ClientSecret string `json:"client_secret"`
	}{made.Application, made.Secret.Reveal()}
	out := h.printer(s.env)
	if err := out.One(view, append(appLines(made.Application), "client secret   "+made.Secret.Reveal())...); err != nil {
		return err
	}
	out.Remark("Keep the secret now: it is stored only as a hash and is not shown again.")
	return nil
}

// lost says how to get another secret where the new one could not be told.
func (s *session) lost(made client.Credentials, err error) error {
	if err == nil {
		return nil
	}
	return &explained{
		fmt.Errorf("the new secret could not be written: %w", err),
		"application " + made.Application.ID + " is there: make another secret with '" + s.typed("apps rotate "+shellWord(made.Application.ID)) + "'",
	}
}

// assignments are what it takes to connect as the application.
func (s *session) assignments(made client.Credentials) []envfile.Assignment {
	set := []envfile.Assignment{
		{Name: envfile.BaseURL, Value: s.baseURL}, {Name: envfile.AccountID, Value: s.account},
		{Name: envfile.ClientID, Value: made.Application.ID}, {Name: envfile.ClientSecret, Value: made.Secret.Reveal()},
	}
	for _, more := range []envfile.Assignment{{Name: envfile.CAFile, Value: s.caFile}, {Name: envfile.APIVersion, Value: s.version}} {
		if more.Value != "" {
			set = append(set, more)
		}
	}
	return set
}
