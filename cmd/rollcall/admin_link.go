package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// linkView is a one-time link as it is printed.
type linkView struct {
	Account    ident.AccountID `json:"account_id"`
	User       ident.UserID    `json:"user_id"`
	Purpose    signin.Purpose  `json:"purpose"`
	Link       string          `json:"link"`
	ExpireTime time.Time       `json:"expire_time"`
}

// linkURL is where a link is opened; without a base URL, the path there.
func linkURL(base string, l signin.Link) string { return strings.TrimSuffix(base, "/") + l.Path() }

func (d *desk) viewLink(u directory.User, l signin.Link) linkView {
	return linkView{u.Account, u.ID, l.Purpose, linkURL(d.command.PublicURL, l), l.ExpireTime}
}

// linkLines tells of a link to a person.
func (d *desk) linkLines(u directory.User, l signin.Link) []string {
	lines := []string{
		fmt.Sprintf("The link for %s works once, until %s; hand it over by a way that you trust:", u.Email, moment(l.ExpireTime)),
		linkURL(d.command.PublicURL, l),
	}
	if d.command.PublicURL == "" {
		lines = append(lines, "It begins with the server's base URL, which --public-url would put before it.")
	}
	return lines
}

type userInviteCmd struct {
	Who string `arg:"" help:"E-mail address or user id."`
}

// Help gives an example.
func (userInviteCmd) Help() string {
	return `The link works once, for seven days. Links made before end.

	rollcall admin user invite bob@example.com --data /var/lib/rollcall --public-url https://users.example.com`
}

// Run makes the link.
func (cmd *userInviteCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		u, err := d.person(ctx, account, cmd.Who)
		if err != nil {
			return err
		}
		l, err := d.SignIn.Invite(ctx, d.caller, account, u.ID)
		if err != nil {
			return err
		}
		return d.out.One(d.viewLink(u, l), d.linkLines(u, l)...)
	})
}

type userResetCmd struct {
	Who string `arg:"" help:"E-mail address or user id."`
	Yes bool   `help:"Do it without being asked."`
}

// Help says what it does.
func (userResetCmd) Help() string {
	return `Their password, passkeys, links and sessions end at once. The link works once, for one hour. It is how somebody gets back in who has lost all of them, the last owner too.

	rollcall admin user reset ada@example.com --data /var/lib/rollcall --public-url https://users.example.com`
}

// Run takes away what they sign in with and makes the link.
func (cmd *userResetCmd) Run(ctx context.Context, w *world, a *adminCmd) error {
	return a.work(ctx, w, func(ctx context.Context, d *desk) error {
		account, err := d.account(ctx)
		if err != nil {
			return err
		}
		u, err := d.person(ctx, account, cmd.Who)
		if err != nil {
			return err
		}
		what := fmt.Sprintf("Resetting %s ends their password, passkeys and sessions at once.", u.Email)
		if err := terminal.Confirm(ctx, w.stdin, w.stderr, cmd.Yes, what); err != nil {
			return err
		}
		l, err := d.SignIn.Reset(ctx, d.caller, account, u.ID)
		if err != nil {
			return err
		}
		return d.out.One(d.viewLink(u, l), d.linkLines(u, l)...)
	})
}
