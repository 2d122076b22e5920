package console

import (
	"net/url"
	"strings"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/directory"
)

// places are where the links at the side lead, and who is shown them.
var places = []struct {
	views.Link
	anyOf access.Set
}{
	{views.Link{Label: "Overview", Href: Root + "/overview", Icon: "overview"}, access.Set(access.ManageUsers | access.ReadApplications)},
	{views.Link{Label: "People", Href: Root + "/people", Icon: "people"}, access.Set(access.ManageUsers)},
	{views.Link{Label: "Integrations", Href: Root + "/integrations", Icon: "integrations"}, access.Set(access.ReadApplications)},
	{views.Link{Label: "Audit log", Href: Root + "/audit", Icon: "audit"}, access.Set(access.ReadAudit)},
	{views.Link{Label: "Account", Href: Root + "/account", Icon: "account"}, access.Set(access.ManageAccount)},
	{views.Link{Label: "Your profile", Href: Root + "/profile", Icon: "profile"}, ^access.Set(0)},
}

// frame surrounds a page; here is the place at the side that it belongs to.
func (*Console) frame(v *visit, title, here string) views.Frame {
	f := views.Frame{
		Title: title, Theme: chosenTheme(v), Account: v.signed.Account.Name, Me: person(v.signed.User),
		Here: Root + here, Notice: notices[v.query("done")],
	}
	for _, p := range places {
		if v.caller().Permissions&p.anyOf == 0 && p.anyOf != ^access.Set(0) {
			continue
		}
		p.Current = here != "" && p.Href == Root+here
		f.Nav = append(f.Nav, p.Link)
	}
	return f
}

// narrow is a frame for a page to be read or filled in.
func (c *Console) narrow(v *visit, title, here string) views.Frame {
	f := c.frame(v, title, here)
	f.Narrow = true
	return f
}

// door surrounds a page of somebody who is not signed in.
func (*Console) door(v *visit, title string) views.Door {
	return views.Door{Title: title, Theme: chosenTheme(v)}
}

// notices are what a page tells of the act before it. The address names which: no text
// comes from it.
var notices = map[string]*views.Notice{
	"added":         {Tone: "good", Text: "The person was added."},
	"edited":        {Tone: "good", Text: "The changes are saved."},
	"suspended":     {Tone: "good", Text: "Suspended. Their sessions have ended."},
	"reactivated":   {Tone: "good", Text: "Reactivated. They can sign in again."},
	"removed":       {Tone: "good", Text: "The person was removed."},
	"grouped":       {Tone: "good", Text: "Added to the group."},
	"ungrouped":     {Tone: "good", Text: "Removed from the group."},
	"ended":         {Tone: "good", Text: "The session has ended."},
	"ended-all":     {Tone: "good", Text: "The sessions have ended."},
	"saved":         {Tone: "good", Text: "The changes are saved."},
	"disabled":      {Tone: "good", Text: "Disabled. Its tokens don't count any more."},
	"enabled":       {Tone: "good", Text: "Enabled. It can ask for tokens again."},
	"deleted":       {Tone: "good", Text: "The integration was deleted."},
	"revoked":       {Tone: "good", Text: "All its tokens have ended."},
	"password":      {Tone: "good", Text: "The password is set. Your other sessions have ended."},
	"passkey":       {Tone: "good", Text: "The passkey was added. You can sign in with it from now on."},
	"passkey-gone":  {Tone: "good", Text: "The passkey was removed."},
	"sso":           {Tone: "good", Text: "Single sign-on is on."},
	"sso-off":       {Tone: "good", Text: "Single sign-on is off."},
	"welcome":       {Tone: "good", Title: "Welcome.", Text: "Your password is set, and you are signed in."},
	"unchanged":     {Text: "It was so already: nothing was changed."},
	"shown-already": {Tone: "warn", Text: "The secret was shown once, when it was made, and can't be shown again. If it got lost, rotate it."},
}

// done leads to a page that tells of an act.
func done(path, what string) (reply, error) {
	return goTo(Root + path + "?done=" + what)
}

// person is a user for a list.
func person(u directory.User) views.Person {
	return views.Person{
		ID: string(u.ID), Name: u.DisplayName, Email: string(u.Email), State: stateBadge(u.State), Type: typeWord(u.Type),
		Groups: u.Groups, CreateTime: u.CreateTime, Href: personPath(string(u.ID)),
	}
}

func personPath(id string) string { return Root + "/people/" + url.PathEscape(id) }

func clientPath(id string) string { return Root + "/integrations/" + url.PathEscape(id) }

func stateBadge(s directory.State) views.Badge {
	switch s {
	case directory.Active:
		return views.Badge{Text: "Active", Tone: "good"}
	case directory.Suspended:
		return views.Badge{Text: "Suspended", Tone: "bad"}
	}
	return views.Badge{Text: "Pending", Tone: "warn"}
}

func typeWord(t directory.Type) string {
	switch t {
	case directory.Guest:
		return "Guest"
	case directory.ExternallyManaged:
		return "Externally managed"
	}
	return ""
}

// roleWords is what somebody may do.
func roleWords(groups []string) string {
	held := access.RolePermissions(groups)
	switch {
	case held.Has(access.ManageOwners):
		return "Everything, as an owner."
	case held.Has(access.ManageUsers):
		return "Manage people, integrations and the account, as an administrator. Owners are managed by owners."
	case held.Has(access.WriteApplications):
		return "Manage integrations and read the audit log, as a member of the security group."
	}
	return "See this page, and choose how you sign in."
}

// device is a browser in a few words, as far as its User-Agent tells.
func device(agent string) string {
	find := func(list ...[2]string) string {
		for _, f := range list {
			if strings.Contains(agent, f[0]) {
				return f[1]
			}
		}
		return ""
	}
	browser := find([2]string{"Edg/", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"Firefox/", "Firefox"}, [2]string{"HeadlessChrome/", "Chromium"},
		[2]string{"Chrome/", "Chrome"}, [2]string{"Safari/", "Safari"}, [2]string{"curl/", "curl"})
	system := find([2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Android", "Android"}, [2]string{"Windows", "Windows"},
		[2]string{"Mac OS X", "Mac"}, [2]string{"Linux", "Linux"})
	switch {
	case browser == "" && len(agent) > 60:
		return audit.Clean(agent, 60)
	case browser == "" && agent == "":
		return "Unknown browser"
	case browser == "":
		return agent
	case system == "":
		return browser
	}
	return browser + " on " + system
}
