package main

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

type groupCmd struct {
	Add    groupAddCmd    `cmd:"" help:"Put a person into a group."`
	Remove groupRemoveCmd `cmd:"" help:"Take a person out of a group."`
}

// membership is a group and somebody.
type membership struct {
	Group string `arg:"" help:"Name of the group; owners, administrators and security carry roles."`
	User  string `arg:"" help:"The person's id or e-mail address."`
}

type groupAddCmd struct{ membership }

// Help gives an example.
func (groupAddCmd) Help() string {
	return "A group is made by its first member.\n\n\trollcall admin group add owners ada@example.com --data /var/lib/rollcall"
}

// Run puts the person into the group.
func (cmd *groupAddCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return cmd.set(ctx, w, a, true)
}

type groupRemoveCmd struct{ membership }

// Help gives an example.
func (groupRemoveCmd) Help() string {
	return "The last active owner can't leave the owners.\n\n\trollcall admin group remove owners ada@example.com --data /var/lib/rollcall"
}

// Run takes the person out of the group.
func (cmd *groupRemoveCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return cmd.set(ctx, w, a, false)
}

func (m membership) set(ctx context.Context, w *world, a *adminCmd, member bool) error {
	if err := checkGroups(m.Group); err != nil {
		return err
	}
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		u, err := d.person(ctx, account, m.User)
		if err != nil {
			return err
		}
		changed, err := d.Directory.SetMember(ctx, d.caller, account, u.ID, m.Group, member)
		if f := fault.As(err); f != nil && f.Message == directory.NoOwnerRemains {
			return fmt.Errorf("%s is the last active owner: make somebody else one first with %s",
				u.Email, d.hintIn(account, "group add owners EMAIL"))
		}
		if err != nil {
			return err
		}
		view := struct {
			User    ident.UserID `json:"user_id"`
			Group   string       `json:"group"`
			Member  bool         `json:"member"`
			Changed bool         `json:"changed"`
		}{u.ID, m.Group, member, changed}
		return d.out.One(view, fmt.Sprintf("%s %s the group %s.", u.Email, standing(member, changed), m.Group))
	})
}

func standing(member, changed bool) string {
	switch {
	case member && changed:
		return "is now in"
	case member:
		return "was already in"
	case changed:
		return "is no longer in"
	default:
		return "was not in"
	}
}
