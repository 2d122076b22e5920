package console

import (
	"context"
	"net/http"
	"net/url"

	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// LinkPath is where a one-time link leads.
func LinkPath(token string) string { return Root + "/link/" + url.PathEscape(token) }

const choiceHint = "At least 12 characters. A few unrelated words do well; nothing else is asked of them."

// purposes are what a page says of a link.
var purposes = map[signin.Purpose]struct{ title, text, button string }{
	signin.Setup:      {"Welcome to rollcall", "You own this account. Choose a password, and you are in.", "Set password and sign in"},
	signin.Invitation: {"You are invited", "Choose a password to accept the invitation.", "Set password and sign in"},
	signin.Recovery:   {"Back in", "Your password and passkeys were taken away, so that nobody else can use them. Choose a new password.", "Set password and sign in"},
}

// linkPage tells what a link is for. It spends nothing: programs look at links in mail.
func (c *Console) linkPage(ctx context.Context, v *visit) (reply, error) {
	info, err := c.SignIn.OpenLink(ctx, v.from, v.values["token"])
	if err != nil {
		return c.linkOver(v, err)
	}
	return show(views.OneTimePage(c.oneTime(v, info)))
}

func (c *Console) oneTime(v *visit, info signin.LinkInfo) views.OneTime {
	p := purposes[info.Purpose]
	return views.OneTime{
		Door: c.door(v, p.title), Title: p.title, Text: p.text, Button: p.button,
		Account: info.Account.Name, Name: info.User.DisplayName, Email: string(info.User.Email),
		ExpireTime: info.ExpireTime, Now: v.began, Action: LinkPath(v.values["token"]),
		Password: views.Field{
			Name: "password", Label: "New password", Type: "password", Autocomplete: "new-password", Hint: choiceHint, First: true,
		},
	}
}

// linkOver says that a link does not count, whatever the reason.
func (c *Console) linkOver(v *visit, failure error) (reply, error) {
	if fault.KindOf(failure) != fault.KindUnauthenticated {
		return reply{}, failure
	}
	page := views.LinkOverPage(c.door(v, "Link"), "This link can't be used",
		"It was used already, has ended, or a newer one has taken its place. Ask whoever gave it to you for a new one.")
	return reply{page: page, status: http.StatusNotFound}, nil
}

func (c *Console) useLink(ctx context.Context, v *visit) (reply, error) {
	token := v.values["token"]
	session, err := c.SignIn.UseLink(ctx, v.from, token, v.form.Get("password"))
	switch fault.KindOf(err) {
	case fault.KindInvalid:
	case fault.KindUnauthenticated:
		return c.linkOver(v, err)
	default:
		if err != nil {
			return reply{}, err
		}
	}
	if err == nil {
		return signedIn(v, session, Root+"/profile?done=welcome")
	}
	info, opened := c.SignIn.OpenLink(ctx, v.from, token)
	if opened != nil {
		return c.linkOver(v, opened)
	}
	p := c.oneTime(v, info)
	p.Door.Wrong, p.Password.Error = true, sentence(fault.As(err).Message)
	return again(views.OneTimePage(p))
}
