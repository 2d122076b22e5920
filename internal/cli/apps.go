package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// Apps manages the OAuth applications of the account, where the server is rollcall.
type Apps struct {
	Calls

	List         AppsList    `cmd:"" help:"List applications, those that were created first at the front."`
	Get          AppsGet     `cmd:"" help:"Show one application."`
	Create       AppsCreate  `cmd:"" help:"Create an application and its secret."`
	Update       AppsUpdate  `cmd:"" help:"Change an application's name, description, redirect URL or permissions."`
	Rotate       AppsRotate  `cmd:"" help:"Make a new secret; the old ones work on for an overlap."`
	Disable      AppsDisable `cmd:"" help:"Refuse an application and its tokens until it is enabled again."`
	Enable       AppsEnable  `cmd:"" help:"Let a disabled application in again."`
	RevokeTokens AppsRevoke  `cmd:"" help:"End all access tokens of an application."`
	Delete       AppsDelete  `cmd:"" help:"Delete an application for good; its secrets and tokens end at once."`
}

// managed opens a session and explains errors as those of applications.
func (a *Apps) managed(ctx context.Context, e *Env, work func(*session) error) error {
	return a.connected(ctx, e, func(s *session) error { return s.explainApps(work(s)) })
}

// explainApps adds what to type next where that differs from what it is with people.
func (c connection) explainApps(err error) error {
	var done *explained
	if err == nil || errors.As(err, &done) {
		return err
	}
	switch {
	case errors.Is(err, client.ErrNotFound):
		return &explained{err, "'" + c.typed("apps list") + "' shows those there are"}
	case errors.Is(err, client.ErrPermissionDenied):
		return &explained{err, fmt.Sprintf("application %s lacks oauth_clients.read or oauth_clients.write, is of another account than %s, or would manage one that may do more than itself: use another with --profile, or 'rollcall admin app' on the server", c.client, c.account)}
	case errors.Is(err, client.ErrUnknownRoute):
		return &explained{err, "does " + c.baseURL + " serve rollcall's management of applications? The published service has none"}
	}
	return err
}

// typed is a command as it is to be typed to meet the same server.
func (c connection) typed(words string) string {
	if c.from != "" && c.from != defaultProfile {
		return "rollcall " + words + " --profile " + c.from
	}
	return "rollcall " + words
}

// AppsList lists applications.
type AppsList struct {
	Output  string   `help:"How they are printed: ${enum}." enum:"table,json,jsonl,csv" default:"table" placeholder:"FORMAT"`
	Columns []string `help:"What is printed of each, of ${enum}." enum:"id,name,description,redirect_url,permissions,state,create_time,last_used_time,path,secrets" placeholder:"COLUMN"`
}

// Help gives examples.
func (AppsList) Help() string {
	return `last_used_time tells when an application last authenticated with a secret that still works; who never did may be forgotten. A cell of the CSV form that a spreadsheet would take for a formula has a ' in front.

	rollcall apps list
	rollcall apps list --output csv --columns name,permissions,last_used_time`
}

// Run lists them.
func (cmd *AppsList) Run(ctx context.Context, e *Env, apps *Apps) error {
	return apps.managed(ctx, e, func(s *session) error {
		l := newListing(e, applicationSheet, cmd.Output, cmd.Columns)
		for a, err := range s.Applications.All(ctx, client.ApplicationListOptions{}) {
			if err == nil {
				err = l.Add(a)
			}
			if err != nil {
				return interrupted(ctx, err, "the list is not complete")
			}
		}
		return l.End("There is no application to list.")
	})
}

// App names an application.
type App struct {
	App string `arg:"" help:"Client id or exact name."`
}

// AppOutput is how one application is printed.
type AppOutput struct {
	Output string `help:"How it is printed: ${enum}." enum:"table,json" default:"table" placeholder:"FORMAT"`
}

// AppsGet shows an application.
type AppsGet struct {
	App
	AppOutput
}

// Help gives examples.
func (AppsGet) Help() string {
	return `A name is looked for in the list of all applications.

	rollcall apps get 6f9619ff-8b86-4d01-b42d-00cf4fc964ff
	rollcall apps get "Alarm bridge" --output json`
}

// Run shows it.
func (cmd *AppsGet) Run(ctx context.Context, e *Env, apps *Apps) error {
	return apps.managed(ctx, e, func(s *session) error {
		a, err := s.application(ctx, cmd.App.App)
		if err == nil && a.Path == "" { // it may be written, not read
			a, err = s.Applications.Get(ctx, a.ID)
		}
		if err != nil {
			return interrupted(ctx, err, "the application was not found yet")
		}
		return cmd.print(e, a)
	})
}

func (o *AppOutput) printer(e *Env) *terminal.Printer {
	return terminal.NewPrinter(e.Stdout, e.Stderr, o.Output == asJSON)
}

func (o *AppOutput) print(e *Env, a client.Application) error {
	return o.printer(e).One(a, appLines(a)...)
}

// appLines show an application with what is known of its secrets.
func appLines(a client.Application) []string {
	lines := applicationSheet.lines(a)
	for _, s := range a.Secrets {
		words := []string{"made " + moment(s.CreateTime)}
		if s.ExpireTime != nil {
			words = append(words, "works until "+moment(*s.ExpireTime))
		}
		if s.LastUsedTime == nil {
			words = append(words, "never used")
		} else {
			words = append(words, "last used "+moment(*s.LastUsedTime))
		}
		lines = append(lines, "  secret "+s.ID+": "+strings.Join(words, ", "))
	}
	return lines
}
