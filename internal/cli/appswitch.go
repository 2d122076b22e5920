package cli

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// AppsDisable refuses an application.
type AppsDisable struct {
	App
	Yes bool `help:"Do not ask." short:"y"`
	AppOutput
}

// Help gives an example.
func (AppsDisable) Help() string {
	return "It holds from the next request on. 'rollcall apps enable' takes it back.\n\n\trollcall apps disable \"Alarm bridge\" --yes"
}

// Run disables it.
func (cmd *AppsDisable) Run(ctx context.Context, e *Env, apps *Apps) error {
	return apps.managed(ctx, e, func(s *session) error {
		a, err := s.application(ctx, cmd.App.App)
		if err == nil {
			err = s.confirmEnd(ctx, a, cmd.Yes, "will be refused, with its secrets and tokens, until it is enabled again")
		}
		if err != nil {
			return interrupted(ctx, err, "nothing was changed")
		}
		return cmd.done(ctx, s, a.ID, s.Applications.Disable, "is disabled")
	})
}

// AppsEnable lets an application in again.
type AppsEnable struct {
	App
	AppOutput
}

// Help gives an example.
func (AppsEnable) Help() string {
	return "Its tokens that have not expired meanwhile count again: end them with 'rollcall apps revoke-tokens' first, if they should not.\n\n\trollcall apps enable \"Alarm bridge\""
}

// Run enables it.
func (cmd *AppsEnable) Run(ctx context.Context, e *Env, apps *Apps) error {
	return cmd.run(ctx, e, apps, cmd.App.App, func(s *session) change { return s.Applications.Enable }, "is enabled")
}

// AppsRevoke ends an application's tokens.
type AppsRevoke struct {
	App
	AppOutput
}

// Help gives an example.
func (AppsRevoke) Help() string {
	return "Its secrets go on working, so that it gets new tokens at once: to keep it out, disable it, or rotate its secret.\n\n\trollcall apps revoke-tokens \"Alarm bridge\""
}

// Run ends them.
func (cmd *AppsRevoke) Run(ctx context.Context, e *Env, apps *Apps) error {
	return cmd.run(ctx, e, apps, cmd.App.App, func(s *session) change { return s.Applications.RevokeTokens }, "has no token any more")
}

// AppsDelete deletes an application.
type AppsDelete struct {
	App
	Yes bool `help:"Do not ask." short:"y"`
	AppOutput
}

// Help gives an example.
func (AppsDelete) Help() string {
	return "It can't be taken back; to refuse an application for a while, disable it.\n\n\trollcall apps delete 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --yes"
}

// Run deletes it.
func (cmd *AppsDelete) Run(ctx context.Context, e *Env, apps *Apps) error {
	return apps.managed(ctx, e, func(s *session) error {
		a, err := s.application(ctx, cmd.App.App)
		if err == nil {
			err = s.confirmEnd(ctx, a, cmd.Yes, "will be deleted for good; its secrets and tokens end")
		}
		if err != nil {
			return interrupted(ctx, err, "nothing was changed")
		}
		if err := s.Applications.Delete(ctx, a.ID); err != nil {
			return interrupted(ctx, err, "it may have been deleted")
		}
		view := struct {
			ID      string `json:"id"`
			Deleted bool   `json:"deleted"`
		}{a.ID, true}
		return cmd.printer(e).One(view, "Application "+described(a)+" is deleted.")
	})
}

// confirmEnd asks before an application is kept out, and says so if it is one's own.
func (s *session) confirmEnd(ctx context.Context, a client.Application, yes bool, what string) error {
	consequence := fmt.Sprintf("Application %s of account %s at %s %s.", described(a), s.account, s.baseURL, what)
	consequence = terminal.Visible(consequence)
	if a.ID == s.client {
		consequence += "\nIt is the one that you are logged in as: you lock yourself out."
	}
	return terminal.Confirm(ctx, s.env.Stdin, s.env.Stderr, yes, consequence)
}

// change is something that is done to an application.
type change func(context.Context, string) (client.Application, error)

// run does something that is not asked about.
func (o *AppOutput) run(ctx context.Context, e *Env, apps *Apps, text string, with func(*session) change, done string) error {
	return apps.managed(ctx, e, func(s *session) error {
		id, err := s.applicationID(ctx, text)
		if err != nil {
			return interrupted(ctx, err, "nothing was changed")
		}
		return o.done(ctx, s, id, with(s), done)
	})
}

// done makes a change and says so.
func (o *AppOutput) done(ctx context.Context, s *session, id string, do change, words string) error {
	a, err := do(ctx, id)
	if err != nil {
		return interrupted(ctx, err, "it may have been done")
	}
	return o.printer(s.env).One(a, "Application "+described(a)+" "+words+".")
}
