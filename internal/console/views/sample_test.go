package views_test

import (
	"time"

	"github.com/a-h/templ"

	"github.com/rollcall-id/rollcall/internal/console/views"
)

var now = time.Date(2026, time.November, 27, 14, 20, 0, 0, time.UTC)

var (
	active    = views.Badge{Text: "Active", Tone: "good"}
	suspended = views.Badge{Text: "Suspended", Tone: "bad"}
	pending   = views.Badge{Text: "Pending", Tone: "warn"}
)

func frame(title, here string) views.Frame {
	f := views.Frame{
		Title: title, Account: "Northwind Trading", Here: here,
		Me: views.Person{Name: "Ada Lovelace", Email: "ada.lovelace@northwind.example"},
	}
	for _, l := range []views.Link{
		{Label: "Overview", Href: "/console/overview", Icon: "overview"},
		{Label: "People", Href: "/console/people", Icon: "people"},
		{Label: "Integrations", Href: "/console/integrations", Icon: "integrations"},
		{Label: "Audit log", Href: "/console/audit", Icon: "audit"},
		{Label: "Account", Href: "/console/account", Icon: "account"},
		{Label: "Your profile", Href: "/console/profile", Icon: "profile"},
	} {
		l.Current = l.Href == here
		f.Nav = append(f.Nav, l)
	}
	return f
}

func narrow(f views.Frame) views.Frame { f.Narrow = true; return f }

var people = []views.Person{
	{ID: "IR7VQ5Z3NLB2C4D6E7F8G9HAJK", Name: "Ada Lovelace", Email: "ada.lovelace@northwind.example", State: active, Groups: []string{"owners", "engineering"}, CreateTime: now.AddDate(-1, -2, 0), Href: "/console/people/IR7V"},
	{ID: "B2", Name: "Grace Hopper", Email: "grace@northwind.example", State: active, Groups: []string{"administrators"}, CreateTime: now.AddDate(-1, 0, 0), Href: "/console/people/B2"},
	{ID: "C3", Name: "Claude Shannon <script>alert(1)</script>", Email: "claude@northwind.example", State: suspended, CreateTime: now.AddDate(0, -8, 0), Href: "/console/people/C3"},
	{ID: "D4", Name: "Hedy Lamarr", Email: "hedy@partners.example", State: pending, Type: "Guest", CreateTime: now.AddDate(0, 0, -3), Href: "/console/people/D4"},
	{ID: "E5", Name: "Katherine Johnson of the Flight Research Division with a long name", Email: "katherine.johnson.with.a.long.address@research.northwind.example", State: active, Groups: []string{"security"}, Type: "Externally managed", CreateTime: now.AddDate(0, -1, -3), Href: "/console/people/E5"},
}

func series(id string, scale int64) views.Series {
	s := views.Series{ID: id}
	for i := range int64(24) {
		h := views.Hour{Start: now.Truncate(time.Hour).Add(time.Duration(i-23) * time.Hour)}
		h.Requests = scale * (3 + (i*i*7)%23 + (i%5)*4)
		if scale == 0 || i < 2 {
			h.Requests = 0
		}
		if i%7 == 3 {
			h.Limited = h.Requests / 9
		}
		h.Errors = h.Limited + h.Requests/(15+i%4)
		s.Hours = append(s.Hours, h)
	}
	return s
}

func sessions(mine bool) []views.Session {
	return []views.Session{
		{Device: "Firefox on Linux", Address: "192.0.2.14", Method: "Password", Began: now.Add(-2 * time.Hour), Seen: now.Add(-time.Minute / 2), Current: mine, End: "/console/profile/sessions/1/end"},
		{Device: "Safari on iPhone", Address: "2001:db8::7", Method: "Passkey", Began: now.Add(-9 * time.Hour), Seen: now.Add(-35 * time.Minute), End: "/console/profile/sessions/2/end"},
	}
}

var story = []views.Event{
	{At: now.Add(-10 * time.Minute), Tone: "bad", Title: "Suspended", Who: "Offboarding robot", WhoHref: "/console/integrations/x"},
	{At: now.Add(-5 * time.Hour), Tone: "warn", Title: "Sign-in refused", Detail: "wrong password", Who: "192.0.2.14"},
	{At: now.AddDate(0, -1, 0), Tone: "good", Title: "Added", Who: "Ada Lovelace", Detail: "invited"},
}

// pages are all pages with all that they can show, by name.
func pages() map[string]templ.Component {
	all := map[string]templ.Component{}
	doorPages(all)
	peoplePages(all)
	integrationPages(all)
	otherPages(all)
	return all
}

func doorPages(all map[string]templ.Component) {
	signIn := views.SignIn{
		Door: views.Door{Title: "Sign in"}, Return: "/console/people",
		Email:    views.Field{Name: "email", Label: "E-mail address", Type: "email", Autocomplete: "username webauthn", First: true},
		Password: views.Field{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"},
		SSO:      true, Passkeys: views.Passkey{Begin: "/a", Finish: "/b"},
	}
	all["sign-in"] = views.SignInPage(signIn)
	signIn.Wrong, signIn.Email.Value = true, "ada@northwind.example"
	signIn.Notice = &views.Notice{Tone: "bad", Title: "That did not work.", Text: "The address or the password is wrong, or the person may not sign in."}
	all["sign-in-wrong"] = views.SignInPage(signIn)
	link := views.OneTime{
		Door: views.Door{Title: "Welcome"}, Title: "Welcome to rollcall", Text: "Set a password, and this account is yours to run.",
		Account: "Northwind Trading", Name: "Ada Lovelace", Email: "ada.lovelace@northwind.example", ExpireTime: now.Add(23 * time.Hour), Now: now,
		Action: "/console/link/x", Button: "Set password and sign in",
		Password: views.Field{Name: "password", Label: "New password", Type: "password", Autocomplete: "new-password", Hint: "At least 12 characters. Three or four words you make up are good.", Error: "This password is too easy to guess: add another word or two"},
	}
	all["link"] = views.OneTimePage(link)
	all["link-over"] = views.LinkOverPage(views.Door{Title: "Link"}, "This link can't be used", "It was used already, has ended, or a newer one took its place. Ask for a new one.")
	all["problem-door"] = views.ProblemAtDoor(views.Door{Title: "Too many attempts"}, views.Problem{Status: 429, Title: "Too many attempts", Text: "Wait 40 seconds, then try again.", Back: views.Link{Label: "Back to sign-in", Href: "/console/sign-in"}})
	all["problem"] = views.ProblemInFrame(frame("Not found", ""), views.Problem{Status: 404, Title: "There is no such page", Text: "What you look for is not here, or not any more.", RequestID: "Q5Z3NLB2C4D6E7F8G9HAJK", Back: views.Link{Label: "Overview", Href: "/console"}})
}

func peoplePages(all map[string]templ.Component) {
	options := func(chosen string, labels ...string) []views.Option {
		list := []views.Option{{Label: "Any"}}
		for _, l := range labels {
			list = append(list, views.Option{Value: l, Label: l, Chosen: l == chosen})
		}
		return list
	}
	list := views.People{
		Frame: frame("People", "/console/people"), List: people, Manage: true, Suspend: true, Now: now,
		State: views.Field{Name: "state", Label: "State", Type: "select", Options: options("", "Active", "Suspended", "Pending")},
		Type:  views.Field{Name: "type", Label: "Type", Type: "select", Options: options("", "Member", "Guest")},
		Group: views.Field{Name: "group", Label: "Group", Type: "select", Options: options("", "owners", "administrators")},
		Pager: views.Pager{Text: "50 people on this page", First: "/console/people", Next: "/console/people?after=x"},
	}
	all["people"] = views.PeoplePage(list)
	list.List, list.Filtered, list.Text = nil, true, "zz"
	all["people-none"] = views.PeoplePage(list)
	list.Filtered, list.Text = false, ""
	all["people-empty"] = views.PeoplePage(list)
	group := views.Field{Name: "group", Label: "Another group", Max: 64, Options: options("", "engineering")}
	one := views.PersonPage{
		Frame: frame(people[4].Name, "/console/people"), Person: people[4], Now: now, Story: story, StoryMore: "/console/audit", Sessions: sessions(false), SeeSess: true, EndAll: "/e",
		Buttons:  []views.Act{{Label: "Edit", Href: "/e"}, {Label: "Recovery link…", Href: "/r"}, {Label: "Suspend…", Href: "/s", Class: "grave-line"}, {Label: "Remove…", Href: "/x", Class: "text grave-line"}},
		Groups:   []views.GroupRow{{Name: "security", Title: "Security", Hint: "Manages integrations, reads the audit log", Remove: true}, {Name: "crew", Title: "crew", Remove: true}},
		AddGroup: &group, GroupPath: "/g",
	}
	all["person"] = views.OnePersonPage(one)
	form := views.PersonForm{
		Frame: narrow(frame("Add person", "/console/people")), Back: views.Link{Label: "People", Href: "/console/people"}, Heading: "Add person", Action: "/console/people/new", Button: "Add person", Cancel: "/console/people",
		Name:  views.Field{Name: "name", Label: "Name", Value: "Hedy", Max: 200, Autocomplete: "off"},
		Email: views.Field{Name: "email", Label: "E-mail address", Type: "email", Value: "hedy@", Error: "E-mail must be one bare address such as name@example.com", First: true},
		Type:  views.Field{Name: "type", Label: "Type", Options: []views.Option{{Value: "member", Label: "Member", Hint: "Belongs to the account", Chosen: true}, {Value: "guest", Label: "Guest", Hint: "Works with it from outside"}, {Value: "externally_managed", Label: "Externally managed", Hint: "Administered from outside the account; can't be suspended here"}}},
	}
	groups := views.Field{Name: "groups", Label: "Roles", Optional: true, Options: []views.Option{{Value: "owners", Label: "Owners", Hint: "May do everything", Disabled: true}, {Value: "administrators", Label: "Administrators", Hint: "Manage people and integrations", Chosen: true}}}
	other := views.Field{Name: "other", Label: "Other groups", Optional: true, Hint: "Separated by commas"}
	invite := views.Field{Name: "invite", Label: "Signing in", Options: []views.Option{{Value: "yes", Label: "Invite them", Hint: "You get a link to hand over", Chosen: true}, {Value: "no", Label: "Active at once", Hint: "Without a way to sign in here"}}}
	form.Groups, form.OtherGroups, form.Invite = &groups, &other, &invite
	form.Errors = views.Errs(form.Name, form.Email)
	all["person-form"] = views.PersonFormPage(form)
	typed := views.Field{Name: "typed", Label: "Type “suspend 3 people” to go on", Autocomplete: "off", Confirm: "suspend 3 people", Error: "Type the words exactly: suspend 3 people", First: true}
	all["confirm"] = views.ConfirmPage(narrow(frame("Suspend people", "/console/people")), views.Confirm{
		Title: "Suspend 3 people?", Text: "Their access ends at once.", Points: []string{"They are signed out of the console this moment.", "Integrations see them as suspended.", "You can reactivate them at any time."},
		Action: "/s", Button: "Suspend 3 people", Grave: true, Typed: &typed, Cancel: "/console/people", Names: people[:3], Back: views.Link{Label: "People", Href: "/console/people"},
		Refusal: "Ada Lovelace is the last active owner. Make somebody else an owner first.",
	})
	all["link-made"] = views.LinkMadePage(views.LinkPage{
		Frame: narrow(frame("Invitation", "/console/people")), Back: views.Link{Label: "Hedy Lamarr", Href: "/p"}, Person: people[3], Now: now, Done: "/p",
		Link: views.LinkShown{Title: "Invitation for Hedy Lamarr", Text: "Hedy Lamarr was added.", URL: "https://rollcall.northwind.example/console/link/rcl_abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwxyz", ExpireTime: now.AddDate(0, 0, 7)},
	})
}

func integrationPages(all map[string]templ.Component) {
	list := []views.Integration{
		{ID: "0b5f3c9e-1111-4222-8333-444455556666", Name: "Offboarding robot", Description: "Suspends people on their last day", Href: "/console/integrations/1", State: active, Permissions: []string{"List users", "Suspend user"}, CreateTime: now.AddDate(0, -3, 0), LastUsed: now.Add(-3 * time.Minute)},
		{ID: "2", Name: "Reporting", Href: "/console/integrations/2", State: views.Badge{Text: "Disabled", Tone: "bad"}, Permissions: []string{"List users", "Get user", "Suspend user", "Reactivate user"}, CreateTime: now.AddDate(0, -3, 0), Attention: "Never used"},
	}
	all["integrations"] = views.IntegrationsPage(views.Integrations{Frame: frame("Integrations", "/console/integrations"), List: list, Manage: true, Now: now, Pager: views.Pager{Text: "2 integrations"}})
	all["integrations-empty"] = views.IntegrationsPage(views.Integrations{Frame: frame("Integrations", "/console/integrations"), Manage: true, Now: now})
	all["integration-new"] = views.IntegrationFormPage(views.IntegrationForm{
		Frame: narrow(frame("Set up integration", "/console/integrations")), Heading: "Set up integration", Back: views.Link{Label: "Integrations", Href: "/console/integrations"}, Wizard: true, Action: "/n", Button: "Set up and show the credentials", Cancel: "/c",
		Name:        views.Field{Name: "name", Label: "Name", Max: 100, First: true, Hint: "What it is called in this console and in the audit log."},
		Description: views.Field{Name: "description", Label: "Description", Type: "textarea", Optional: true, Max: 1000},
		RedirectURL: views.Field{Name: "redirect_url", Label: "Redirect URL", Type: "url", Optional: true, Placeholder: "https://", Hint: "The published form asks for it; this way of signing in never uses it."},
		People:      views.Field{Name: "permissions", Label: "Permissions", Options: []views.Option{{Value: "users.list", Label: "List users", Chosen: true}, {Value: "users.get", Label: "Get user"}, {Value: "users.suspend", Label: "Suspend user"}, {Value: "users.reactivate", Label: "Reactivate user"}}},
		Managing:    views.Field{Name: "permissions", Label: "Managing", Options: []views.Option{{Value: "oauth_clients.read", Label: "Read OAuth applications"}}},
	})
	all["credentials"] = views.CredentialsPage(views.Credentials{
		Frame: narrow(frame("Save credentials", "/console/integrations")), Wizard: true, Heading: "Save credentials", Name: "Offboarding robot", Href: "/console/integrations/1",
		BaseURL: "https://rollcall.northwind.example", Account: "IR7VQ5Z3NLB2C4D6E7F8G9HAJK", ClientID: "0b5f3c9e-1111-4222-8333-444455556666", Secret: "rcs_abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwxyz", EnvName: "offboarding-robot.env", EnvHref: "data:text/plain;base64,QQ==",
		Try: "TOKEN=$(curl -sS -u '0b5f3c9e-1111-4222-8333-444455556666:rcs_abc' \\\n  -d grant_type=client_credentials https://rollcall.northwind.example/v1/oauth/token | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\ncurl -sS -H \"Authorization: Bearer $TOKEN\" https://rollcall.northwind.example/v1/accounts/IR7V/users", TryText: "Lists the first people of this account.",
	})
	rotate := views.RotateForm{Action: "/r", Hidden: []views.Hidden{{Name: "current", Value: "x"}}, Overlap: views.Field{Name: "overlap", Label: "The old secret goes on working for", Type: "select", Options: []views.Option{{Value: "0", Label: "not at all"}, {Value: "3600", Label: "1 hour", Chosen: true}}}}
	all["integration"] = views.OneIntegrationPage(views.IntegrationPage{
		Frame: frame("Offboarding robot", "/console/integrations"), Integration: list[0], Manage: true, Now: now, Tokens: 12, Use: series("use", 3), HasUse: true, Story: story, StoryMore: "/a", Rotate: &rotate, Revoke: "/rv",
		Buttons: []views.Act{{Label: "Edit", Href: "/e"}, {Label: "Disable…", Href: "/d"}, {Label: "Delete…", Href: "/x", Class: "text grave-line"}},
		Secrets: []views.Secret{{CreateTime: now.AddDate(0, -3, 0), LastUsed: now.Add(-time.Hour), ExpireTime: now.Add(30 * time.Hour), Advice: "Still used: the new one is not everywhere yet", AdviceTone: "warn"}, {Current: true, CreateTime: now.Add(-time.Hour)}},
		Agents:  []views.Agent{{Name: "Northwind-Offboarding/2.4 (+https://northwind.example)", Requests: 12345, Errors: 12, Limited: 3, Last: now.Add(-time.Hour)}, {Requests: 2, Last: now.Add(-50 * time.Hour)}, {Name: "<b>bold</b>", Requests: 1, Last: now}},
	})
}

func otherPages(all map[string]templ.Component) {
	all["overview"] = views.OverviewPage(views.Overview{
		Frame: frame("Overview", "/console/overview"), Now: now, NewHref: "/console/integrations/new",
		Tally: []views.Count{{Label: "Active", Tone: "good", N: 98211, Href: "/a"}, {Label: "Suspended", Tone: "bad", N: 1780, Href: "/b"}, {Label: "Pending", Tone: "warn", N: 9, Href: "/c"}},
		Attention: []views.Attention{
			{Tone: "bad", Icon: "warn", Title: "23 sign-ins were refused today", Text: "Most from 192.0.2.77", Href: "/x", ButtonLabel: "Look"},
			{Tone: "warn", Icon: "people", Title: "One owner is left", Text: "If Ada Lovelace loses access, nobody can run the account. Make a second owner.", Href: "/y", ButtonLabel: "Owners"},
			{Icon: "key", Title: "Offboarding robot: the old secret is idle", Text: "It has not been used since the rotation and ends in 30 hours.", Href: "/z", ButtonLabel: "Look"},
		},
		Integrations: []views.Use{{Name: "Offboarding robot", Sub: "List users, Suspend user", Href: "/1", Series: series("a", 12)}, {Name: "Reporting", Sub: "never used", Href: "/2", Series: series("b", 0)}},
		Total:        series("total", 12), HasUsage: true,
	})
	all["overview-quiet"] = views.OverviewPage(views.Overview{Frame: frame("Overview", "/console/overview"), Now: now, Integrations: []views.Use{}, Total: series("total", 0)})
	field := func(name, label, kind string) views.Field {
		return views.Field{Name: name, Label: label, Type: kind, Optional: kind != "select"}
	}
	plain := func(name, label, kind string) views.Field {
		f := field(name, label, kind)
		f.Optional = false
		f.Options = []views.Option{{Label: "Any"}, {Value: "x", Label: "Suspended"}}
		return f
	}
	all["audit"] = views.RecordPage(views.Record{
		Frame: frame("Audit log", "/console/audit"), Filtered: true, Export: "/console/audit/export", Verify: "/console/audit/verify",
		Actor: plain("actor", "Who", ""), Target: plain("target", "On", ""), Action: plain("action", "What", "select"), Outcome: plain("outcome", "Outcome", "select"), From: plain("from", "From (UTC)", "datetime-local"), Until: plain("until", "Until (UTC)", "datetime-local"),
		Verified: &views.Verified{Tone: "good", Title: "The chain is whole.", Text: "1,204 changes and 20,331 other entries were checked."},
		List: []views.Entry{
			{ID: "0QJ", At: now, Tone: "good", Outcome: "done", Title: "Person suspended", Action: "users.suspend", Who: "Offboarding robot", WhoKind: "integration", WhoHref: "/w", Target: "Claude Shannon", TargetHref: "/t", Address: "192.0.2.14", Agent: "curl/8", RequestID: "R", Count: 1, Seq: 1204, Hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Chained: true},
			{ID: "0QK", At: now.Add(-time.Minute), Tone: "warn", Outcome: "refused", Title: "Sign-in", Action: "sign_in", Who: "ada@northwind.example", WhoKind: "not signed in", Detail: "wrong password", Address: "2001:db8::77", Count: 23, Seq: 1203, Hash: "af"},
		},
		Pager: views.Pager{Text: "50 entries", Next: "/n"},
	})
	sso := views.SSO{On: true, Issuer: field("issuer", "Issuer", "url"), Client: field("client_id", "Client id", ""), Secret: field("client_secret", "Client secret", "password"), Callback: "https://rollcall.northwind.example/console/sign-in/sso/callback", Remove: "/r"}
	all["account"] = views.AccountPage(views.Account{
		Frame: narrow(frame("Account", "/console/account")), ID: "IR7VQ5Z3NLB2C4D6E7F8G9HAJK", BaseURL: "https://rollcall.northwind.example", Manage: true, SSO: &sso,
		Name:         views.Field{Name: "name", Label: "Name", Value: "Northwind Trading", Max: 100},
		Provisioning: views.Field{Name: "provisioning", Label: "Automated provisioning", Hint: "Whether a directory outside manages the people of this account (SCIM).", Options: []views.Option{{Value: "none", Label: "None", Hint: "People are managed here", Chosen: true}, {Value: "refuse", Label: "Refuse", Hint: "Suspending here and through the API is refused"}, {Value: "allow", Label: "Allow", Hint: "Suspending here is allowed and kept"}}},
	})
	all["profile"] = views.ProfilePage(views.Profile{
		Frame: narrow(frame("Your profile", "/console/profile")), Person: people[0], Now: now, Roles: "Everything, as an owner.", HasPassword: true,
		Current:  views.Field{Name: "current", Label: "Current password", Type: "password", Autocomplete: "current-password"},
		New:      views.Field{Name: "new", Label: "New password", Type: "password", Autocomplete: "new-password", Hint: "At least 12 characters."},
		Passkeys: []views.PasskeyRow{{Name: "Yubikey", CreateTime: now.AddDate(0, -1, 0), LastUsed: now.Add(-time.Hour), Remove: "/r"}}, AddPasskey: views.Passkey{Begin: "/b", Finish: "/f"},
		PasskeyName: views.Field{Name: "name", Label: "Name of the passkey", Optional: true}, Sessions: sessions(true), EndOthers: "/e",
	})
}
