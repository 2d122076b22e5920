package cli

import (
	"context"
	"slices"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// AppsUpdate changes an application.
type AppsUpdate struct {
	App
	Name        *string  `help:"New name, up to 100 characters." placeholder:"NAME"`
	Description *string  `help:"New description, up to 1000 characters; '' empties it." placeholder:"TEXT"`
	RedirectURL *string  `help:"New https URL, kept and never used; '' empties it." placeholder:"URL"`
	Permissions []string `help:"Permissions in place of all those it has." placeholder:"PERMISSION" suggest:"permissions"`
	Grant       []string `help:"Permissions beside those it has." placeholder:"PERMISSION" suggest:"permissions"`
	Withdraw    []string `help:"Permissions to take from those it has." placeholder:"PERMISSION" suggest:"permissions"`
	AppOutput
}

// Help gives examples.
func (AppsUpdate) Help() string {
	return `What is not named stays as it is. What an application may do changes with its next request. --grant and --withdraw read the permissions first: somebody who changes them at the same moment may be overruled.

	rollcall apps update "Alarm bridge" --description "Suspends whom the SIEM names"
	rollcall apps update 6f9619ff-8b86-4d01-b42d-00cf4fc964ff --permissions users.list,users.suspend
	rollcall apps update "Alarm bridge" --grant users.get`
}

// Run changes it.
func (cmd *AppsUpdate) Run(ctx context.Context, e *Env, apps *Apps) error {
	relative := len(cmd.Grant)+len(cmd.Withdraw) > 0
	switch {
	case relative && len(cmd.Permissions) > 0:
		return terminal.Misused("--permissions replaces what --grant and --withdraw would change: use one or the others")
	case !relative && cmd.Name == nil && cmd.Description == nil && cmd.RedirectURL == nil && len(cmd.Permissions) == 0:
		return terminal.Misused("nothing to change: name it with --name, --description, --redirect-url, --permissions, --grant or --withdraw")
	}
	return apps.managed(ctx, e, func(s *session) error {
		patch := client.ApplicationPatch{Name: cmd.Name, Description: cmd.Description, RedirectURL: cmd.RedirectURL, Permissions: permissionsOf(cmd.Permissions)}
		id, err := s.applicationID(ctx, cmd.App.App)
		if err == nil && relative {
			patch.Permissions, err = cmd.changed(ctx, s, id)
		}
		if err != nil {
			return interrupted(ctx, err, "nothing was changed")
		}
		a, err := s.Applications.Update(ctx, id, patch)
		if err != nil {
			return interrupted(ctx, err, "it may have been changed")
		}
		return cmd.print(e, a)
	})
}

func permissionsOf(names []string) (permissions []client.Permission) {
	for _, name := range names {
		permissions = append(permissions, client.Permission(name))
	}
	return permissions
}

// changed are the permissions that the application has, with some more and some less.
func (cmd *AppsUpdate) changed(ctx context.Context, s *session, id string) ([]client.Permission, error) {
	a, err := s.Applications.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, p := range permissionsOf(cmd.Grant) {
		if !slices.Contains(a.Permissions, p) {
			a.Permissions = append(a.Permissions, p)
		}
	}
	withdrawn := permissionsOf(cmd.Withdraw)
	left := slices.DeleteFunc(a.Permissions, func(p client.Permission) bool { return slices.Contains(withdrawn, p) })
	if len(left) == 0 {
		return nil, terminal.Misused("application %s would be left without a permission: 'rollcall apps disable' keeps it out", described(a))
	}
	return left, nil
}
