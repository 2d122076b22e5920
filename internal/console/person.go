package console

import (
	"context"
	"net/url"
	"slices"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// storyLength is how many entries a page tells of somebody or something.
const storyLength = 12

func (c *Console) personPage(ctx context.Context, v *visit) (reply, error) {
	u, err := c.Directory.Person(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return reply{}, err
	}
	if !v.may(access.ManageUsers) { // their own: it is the profile
		return goTo(Root + "/profile")
	}
	p, err := c.personView(ctx, v, u)
	if err != nil {
		return reply{}, err
	}
	return show(views.OnePersonPage(p))
}

func (c *Console) personView(ctx context.Context, v *visit, u directory.User) (views.PersonPage, error) {
	here := personPath(string(u.ID))
	p := views.PersonPage{
		Frame: c.frame(v, u.DisplayName, "/people"), Person: person(u), Now: v.began, Buttons: personButtons(v, u, here),
		Groups: groupRows(v, u), GroupPath: here + "/groups", SeeSess: true,
	}
	p.Person.Groups = nil
	sessions, err := c.SignIn.Sessions(ctx, v.caller(), v.account(), u.ID)
	if err != nil {
		return p, err
	}
	if mayTouch(v, u) {
		p.AddGroup = &views.Field{
			Name: "group", Label: "Another group", Max: directory.MaxGroupName, Autocomplete: "off", List: "group-names",
			Hint: "owners, administrators and security carry a role.",
		}
		names, err := c.Directory.Groups(ctx, v.caller(), v.account())
		if err != nil {
			return p, err
		}
		for _, name := range names {
			if !slices.Contains(u.Groups, name) {
				p.AddGroup.Options = append(p.AddGroup.Options, views.Option{Value: name})
			}
		}
		p.EndAll = here + "/sessions/end"
		p.Sessions = sessionRows(sessions, v.signed.Session.ID, here+"/sessions/")
	} else {
		p.Sessions = sessionRows(sessions, "", "")
	}
	if v.may(access.ReadAudit) {
		p.StoryMore = Root + "/audit?" + url.Values{"target": {string(u.ID)}}.Encode()
		if p.Story, err = c.story(ctx, v, string(u.ID)); err != nil {
			return p, err
		}
	}
	return p, nil
}

// mayTouch tells whether the reader is offered to change somebody: owners are left to owners.
func mayTouch(v *visit, u directory.User) bool {
	return v.may(access.ManageUsers) && (v.may(access.ManageOwners) || !slices.Contains(u.Groups, directory.Owners))
}

func personButtons(v *visit, u directory.User, here string) []views.Act {
	var acts []views.Act
	add := func(may bool, a views.Act) {
		if may {
			acts = append(acts, a)
		}
	}
	touch, self := mayTouch(v, u), v.signed.User.ID == u.ID
	add(touch, views.Act{Label: "Edit", Href: here + "/edit"})
	add(touch && u.State == directory.Pending, views.Act{Label: "Invitation link", Href: here + "/invite", Post: true})
	add(touch && u.State == directory.Active && !self, views.Act{Label: "Recovery link…", Href: here + "/reset"})
	add(v.may(access.SuspendUser) && u.State == directory.Active && !self, views.Act{Label: "Suspend…", Href: here + "/suspend", Class: "grave-line"})
	add(v.may(access.ReactivateUser) && u.State == directory.Suspended, views.Act{Label: "Reactivate", Href: here + "/reactivate", Post: true, Class: "main"})
	add(touch && !self, views.Act{Label: "Remove…", Href: here + "/remove", Class: "text grave-line"})
	return acts
}

func groupRows(v *visit, u directory.User) []views.GroupRow {
	rows := make([]views.GroupRow, len(u.Groups))
	for i, g := range u.Groups {
		rows[i] = views.GroupRow{Name: g, Title: g, Remove: mayTouch(v, u)}
		if r, ok := roleTitles[g]; ok {
			rows[i].Title, rows[i].Hint = r.title, r.hint
		}
	}
	return rows
}

// personGroups puts somebody into a group or takes them out of it.
func (c *Console) personGroups(ctx context.Context, v *visit) (reply, error) {
	member := v.field("act") == "add"
	changed, err := c.Directory.SetMember(ctx, v.caller(), v.account(), v.user(), v.field("group"), member)
	if member && fault.KindOf(err) == fault.KindInvalid && err != nil && v.may(access.ManageUsers) {
		return c.groupAgain(ctx, v, err)
	}
	if err != nil {
		return c.personRefused(ctx, v, err)
	}
	what := "grouped"
	if !member {
		what = "ungrouped"
	}
	if !changed {
		what = "unchanged"
	}
	if v.user() == v.signed.User.ID { // they may have taken this page from themselves
		return goTo(Root)
	}
	return done("/people/"+url.PathEscape(string(v.user())), what)
}

// groupAgain shows the person with the name of a group that can't be one, and why.
func (c *Console) groupAgain(ctx context.Context, v *visit, failure error) (reply, error) {
	u, err := c.Directory.Person(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return reply{}, failure
	}
	p, err := c.personView(ctx, v, u)
	if err != nil || p.AddGroup == nil {
		return reply{}, failure
	}
	p.AddGroup.Value, p.AddGroup.Error, p.AddGroup.First, p.Wrong = v.field("group"), sentence(fault.As(failure).Message), true, true
	p.Errors = views.Errs(*p.AddGroup)
	return again(views.OnePersonPage(p))
}

// personRefused shows why nothing was done, with a way back to the person.
func (c *Console) personRefused(ctx context.Context, v *visit, failure error) (reply, error) {
	if _, ok := refused(failure, ""); !ok {
		return reply{}, failure
	}
	if !v.may(access.ManageUsers) {
		return reply{}, failure
	}
	u, err := c.Directory.Person(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return reply{}, failure
	}
	text, _ := refused(failure, u.DisplayName)
	rep := c.problem(v, failure)
	rep.page = views.ProblemInFrame(c.frame(v, "Nothing was changed", "/people"), views.Problem{
		Status: rep.status, Title: "Nothing was changed", Text: text, RequestID: string(v.from.RequestID),
		Back: views.Link{Label: "Back to " + u.DisplayName, Href: personPath(string(u.ID))},
	})
	return rep, nil
}

// ask shows a page that asks before something is done to somebody.
func (c *Console) ask(ctx context.Context, v *visit, of func(directory.User) views.Confirm, refusal error) (reply, error) {
	if err := c.mayManagePeople(ctx, v); err != nil {
		return reply{}, err
	}
	u, err := c.Directory.Person(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return reply{}, err
	}
	here := personPath(string(u.ID))
	p := of(u)
	p.Cancel, p.Back, p.Grave = here, views.Link{Label: u.DisplayName, Href: here}, true
	status := 0
	if refusal != nil {
		text, ok := refused(refusal, u.DisplayName)
		if !ok {
			return reply{}, refusal
		}
		p.Refusal, status = text, c.problem(v, refusal).status
	}
	f := c.narrow(v, p.Title, "/people")
	f.Wrong = refusal != nil || p.Typed != nil && p.Typed.Error != ""
	return reply{page: views.ConfirmPage(f, p), status: status}, nil
}

func suspendAsk(u directory.User) views.Confirm {
	return views.Confirm{
		Title: "Suspend " + u.DisplayName + "?", Button: "Suspend", Action: personPath(string(u.ID)) + "/suspend",
		Points: []string{"They are signed out of this console at once, and can't sign in.", "Every integration sees them as suspended from its next request on.", "You can reactivate them at any time."},
	}
}

func (c *Console) suspendPersonPage(ctx context.Context, v *visit) (reply, error) {
	return c.ask(ctx, v, suspendAsk, nil)
}

func (c *Console) suspendPerson(ctx context.Context, v *visit) (reply, error) {
	if _, err := c.Directory.Suspend(ctx, v.caller(), v.account(), v.user()); err != nil {
		return c.askAgain(ctx, v, suspendAsk, err)
	}
	return done("/people/"+url.PathEscape(string(v.user())), "suspended")
}

// askAgain shows the question with the refusal, to whoever could have asked.
func (c *Console) askAgain(ctx context.Context, v *visit, of func(directory.User) views.Confirm, failure error) (reply, error) {
	if _, ok := refused(failure, ""); !ok || !v.may(access.ManageUsers) {
		return reply{}, failure
	}
	return c.ask(ctx, v, of, failure)
}

func (c *Console) reactivatePerson(ctx context.Context, v *visit) (reply, error) {
	if _, err := c.Directory.Reactivate(ctx, v.caller(), v.account(), v.user()); err != nil {
		return c.personRefused(ctx, v, err)
	}
	return done("/people/"+url.PathEscape(string(v.user())), "reactivated")
}

// removeAsk asks for the address to be typed: removing can't be undone.
func removeAsk(u directory.User) views.Confirm {
	return views.Confirm{
		Title: "Remove " + u.DisplayName + "?", Button: "Remove for good", Action: personPath(string(u.ID)) + "/remove",
		Points: []string{"They are removed from this account and from every group.", "Their password, passkeys and sessions are gone at once.", "The audit log keeps what it tells of them. This can't be undone: suspending can."},
		Typed: &views.Field{
			Name: "typed", Label: "Type “" + string(u.Email) + "” to go on", Autocomplete: "off", Confirm: string(u.Email), First: true, Max: ident.MaxEmail,
		},
	}
}

func (c *Console) removePersonPage(ctx context.Context, v *visit) (reply, error) {
	return c.ask(ctx, v, removeAsk, nil)
}

func (c *Console) removePerson(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManagePeople(ctx, v); err != nil {
		return reply{}, err
	}
	u, err := c.Directory.Person(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return reply{}, err
	}
	if typed := v.field("typed"); typed != string(u.Email) {
		rep, err := c.ask(ctx, v, func(u directory.User) views.Confirm { return mistyped(removeAsk(u), typed) }, nil)
		rep.status = 422
		return rep, err
	}
	if err := c.Directory.RemoveUser(ctx, v.caller(), v.account(), u.ID); err != nil {
		return c.askAgain(ctx, v, removeAsk, err)
	}
	return done("/people", "removed")
}

// mistyped is a question whose confirmation was not what was to be typed.
func mistyped(p views.Confirm, typed string) views.Confirm {
	p.Typed.Value, p.Typed.Error = typed, "Type it exactly as it stands here: "+p.Typed.Confirm
	return p
}

func (c *Console) invitePerson(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManagePeople(ctx, v); err != nil {
		return reply{}, err
	}
	u, err := c.Directory.Person(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return reply{}, err
	}
	return c.showInvitation(ctx, v, u, "Earlier invitations of "+u.DisplayName+" don't work any more.")
}

func (c *Console) showInvitation(ctx context.Context, v *visit, u directory.User, text string) (reply, error) {
	link, err := c.SignIn.Invite(ctx, v.caller(), v.account(), u.ID)
	if err != nil {
		v.values["user"] = string(u.ID)
		return c.personRefused(ctx, v, err)
	}
	return c.showLink(v, u, link, "Invitation for "+u.DisplayName, text)
}

// showLink shows a link, once: it is in this answer and nowhere else.
func (c *Console) showLink(v *visit, u directory.User, link signin.Link, title, text string) (reply, error) {
	here := personPath(string(u.ID))
	return reply{secret: true, page: views.LinkMadePage(views.LinkPage{
		Frame: c.narrow(v, title, "/people"), Back: views.Link{Label: u.DisplayName, Href: here}, Person: person(u), Now: v.began, Done: here,
		Link: views.LinkShown{Title: title, Text: text, URL: c.baseURL(v) + LinkPath(link.Token), ExpireTime: link.ExpireTime},
	})}, nil
}

func resetAsk(u directory.User) views.Confirm {
	return views.Confirm{
		Title: "Make a recovery link for " + u.DisplayName + "?", Button: "End their ways in and make the link", Action: personPath(string(u.ID)) + "/reset",
		Points: []string{"Their password and passkeys stop working at once, and their sessions end.", "You are shown a link that works once, within an hour. With it they choose a new password.", "Make sure that it is really they who ask."},
	}
}

func (c *Console) resetPersonPage(ctx context.Context, v *visit) (reply, error) {
	return c.ask(ctx, v, resetAsk, nil)
}

func (c *Console) resetPerson(ctx context.Context, v *visit) (reply, error) {
	link, err := c.SignIn.Reset(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return c.askAgain(ctx, v, resetAsk, err)
	}
	u, err := c.Directory.Person(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return reply{}, err
	}
	return c.showLink(v, u, link, "Recovery link for "+u.DisplayName, "Their former ways to sign in have ended.")
}

func (c *Console) endSessions(ctx context.Context, v *visit) (reply, error) {
	var keep ident.EntryID
	if v.user() == v.signed.User.ID {
		keep = v.signed.Session.ID
	}
	if err := c.SignIn.EndSessions(ctx, v.caller(), v.account(), v.user(), keep); err != nil {
		return c.personRefused(ctx, v, err)
	}
	return done("/people/"+url.PathEscape(string(v.user())), "ended-all")
}

func (c *Console) endSession(ctx context.Context, v *visit) (reply, error) {
	err := c.SignIn.EndSession(ctx, v.caller(), v.account(), v.user(), ident.EntryID(v.values["session"]))
	if err != nil && fault.KindOf(err) != fault.KindNotFound { // gone already is as good
		return c.personRefused(ctx, v, err)
	}
	return done("/people/"+url.PathEscape(string(v.user())), "ended")
}

// story is what the record tells of somebody or something.
func (c *Console) story(ctx context.Context, v *visit, target string) ([]views.Event, error) {
	found, err := c.Records.Find(ctx, v.caller(), v.account(), audit.Query{Target: target, Limit: storyLength, Examine: glance})
	if err != nil {
		return nil, err
	}
	who := c.names(ctx, v)
	events := make([]views.Event, len(found.Entries))
	for i, e := range found.Entries {
		events[i] = event(e, who)
	}
	return events, nil
}
