package console

import (
	"context"
	"net/url"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
)

func (c *Console) profilePage(ctx context.Context, v *visit) (reply, error) {
	p, err := c.profile(ctx, v)
	if err != nil {
		return reply{}, err
	}
	return show(views.ProfilePage(p))
}

func (c *Console) profile(ctx context.Context, v *visit) (views.Profile, error) {
	me := v.signed.User
	p := views.Profile{
		Frame: c.narrow(v, "Your profile", "/profile"), Person: person(me), Now: v.began, Roles: roleWords(me.Groups), HasPassword: true,
		Current:     views.Field{Name: "current", Label: "Current password", Type: "password", Autocomplete: "current-password", Optional: true, NoMark: true, Hint: "Leave it empty if you have none yet."},
		New:         views.Field{Name: "new", Label: "New password", Type: "password", Autocomplete: "new-password", Hint: choiceHint},
		AddPasskey:  views.Passkey{Begin: Root + "/profile/passkeys/begin", Finish: Root + "/profile/passkeys/finish"},
		PasskeyName: views.Field{Name: "name", Label: "Name of the passkey", Optional: true, Max: signin.MaxPasskeyName, Autocomplete: "off", Placeholder: device(v.from.UserAgent)},
	}
	keys, err := c.SignIn.Passkeys(ctx, v.caller(), v.account(), me.ID)
	if err != nil {
		return p, err
	}
	for _, k := range keys {
		p.Passkeys = append(p.Passkeys, views.PasskeyRow{
			Name: k.Name, CreateTime: k.CreateTime, LastUsed: k.LastUsedTime,
			Remove: Root + "/profile/passkeys/" + url.PathEscape(string(k.ID)) + "/remove",
		})
	}
	sessions, err := c.SignIn.Sessions(ctx, v.caller(), v.account(), me.ID)
	if err != nil {
		return p, err
	}
	p.Sessions = sessionRows(sessions, v.signed.Session.ID, Root+"/profile/sessions/")
	if len(sessions) > 1 {
		p.EndOthers = Root + "/profile/sessions/end-others"
	}
	return p, nil
}

var methods = map[signin.Method]string{
	signin.ByPassword: "password", signin.ByPasskey: "passkey", signin.BySSO: "single sign-on", signin.ByLink: "one-time link",
}

// sessionRows are sessions for a page; end is the path before an id, empty where none can
// be ended.
func sessionRows(list []signin.Session, own ident.EntryID, end string) []views.Session {
	rows := make([]views.Session, len(list))
	for i, s := range list {
		rows[i] = views.Session{
			Device: device(s.UserAgent), Address: audit.AddressText(s.Address), Method: methods[s.Method],
			Began: s.CreateTime, Seen: s.LastSeenTime, Ends: s.ExpireTime, Current: s.ID == own,
		}
		if end != "" {
			rows[i].End = end + url.PathEscape(string(s.ID)) + "/end"
		}
	}
	return rows
}

func (c *Console) setPassword(ctx context.Context, v *visit) (reply, error) {
	err := c.SignIn.SetPassword(ctx, v.signed, v.form.Get("current"), v.form.Get("new"))
	if err == nil {
		return done("/profile", "password")
	}
	f := fault.As(err)
	if f == nil {
		return reply{}, err
	}
	p, broken := c.profile(ctx, v)
	if broken != nil {
		return reply{}, broken
	}
	p.Wrong = true
	switch f.Kind {
	case fault.KindUnauthenticated:
		p.Current.Error, p.Current.First = "This is not your current password.", true
	case fault.KindInvalid:
		p.New.Error, p.New.First = sentence(f.Message), true
	case fault.KindPrecondition, fault.KindConflict:
		p.Refusal = sentence(f.Message)
	default:
		return reply{}, err
	}
	p.Errors = views.Errs(p.Current, p.New)
	return again(views.ProfilePage(p))
}

func (c *Console) endOwnSession(ctx context.Context, v *visit) (reply, error) {
	id := ident.EntryID(v.values["session"])
	if id == v.signed.Session.ID {
		return c.signOut(ctx, v)
	}
	if err := c.SignIn.EndSession(ctx, v.caller(), v.account(), v.signed.User.ID, id); err != nil {
		return reply{}, err
	}
	return done("/profile", "ended")
}

func (c *Console) endOtherSessions(ctx context.Context, v *visit) (reply, error) {
	if err := c.SignIn.EndSessions(ctx, v.caller(), v.account(), v.signed.User.ID, v.signed.Session.ID); err != nil {
		return reply{}, err
	}
	return done("/profile", "ended-all")
}
