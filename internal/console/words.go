package console

import (
	"context"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// deed is an action in words: what it is called, and what has happened once it is done.
type deed struct{ noun, past string }

// deeds are in the order in which the audit log's filter offers them.
var deeds = []struct {
	action audit.Action
	deed
}{
	{audit.SignIn, deed{"Sign-in", "Signed in"}},
	{audit.SignOut, deed{"Sign-out", "Signed out"}},
	{audit.SessionEnd, deed{"End session", "Session ended"}},
	{audit.SessionList, deed{"List sessions", "Sessions listed"}},
	{audit.PasswordSet, deed{"Set password", "Password set"}},
	{audit.PasskeyAdd, deed{"Add passkey", "Passkey added"}},
	{audit.PasskeyRemove, deed{"Remove passkey", "Passkey removed"}},
	{audit.UserAdd, deed{"Add person", "Person added"}},
	{audit.UserImport, deed{"Import people", "People imported"}},
	{audit.UserInvite, deed{"Invite", "Invitation made"}},
	{audit.UserConfirm, deed{"Confirm", "Confirmed"}},
	{audit.UserUpdate, deed{"Edit person", "Person edited"}},
	{audit.UserSuspend, deed{"Suspend", "Suspended"}},
	{audit.UserReactivate, deed{"Reactivate", "Reactivated"}},
	{audit.UserReset, deed{"Recovery link", "Recovery link made, other ways in ended"}},
	{audit.UserSetup, deed{"Setup link", "Setup link made"}},
	{audit.UserRemove, deed{"Remove person", "Person removed"}},
	{audit.GroupAdd, deed{"Add to group", "Added to a group"}},
	{audit.GroupRemove, deed{"Remove from group", "Removed from a group"}},
	{audit.UserList, deed{"List people", "People listed"}},
	{audit.UserGet, deed{"Read person", "Person read"}},
	{audit.ApplicationCreate, deed{"Set up integration", "Integration set up"}},
	{audit.ApplicationUpdate, deed{"Edit integration", "Integration edited"}},
	{audit.ApplicationRotate, deed{"Rotate secret", "Secret rotated"}},
	{audit.ApplicationDisable, deed{"Disable integration", "Integration disabled"}},
	{audit.ApplicationEnable, deed{"Enable integration", "Integration enabled"}},
	{audit.ApplicationRevoke, deed{"End all tokens", "All tokens ended"}},
	{audit.ApplicationDelete, deed{"Delete integration", "Integration deleted"}},
	{audit.ApplicationList, deed{"List integrations", "Integrations listed"}},
	{audit.ApplicationGet, deed{"Read integration", "Integration read"}},
	{audit.TokenIssue, deed{"Token", "Token issued"}},
	{audit.TokenRevoke, deed{"Revoke token", "Token revoked"}},
	{audit.Authenticate, deed{"Call with a token", "Called with a token"}},
	{audit.AccountCreate, deed{"Create account", "Account created"}},
	{audit.AccountUpdate, deed{"Edit account", "Account edited"}},
	{audit.AccountGet, deed{"Read account", "Account read"}},
	{audit.AccountClose, deed{"Close account", "Account closed"}},
	{audit.AccountReopen, deed{"Reopen account", "Account reopened"}},
	{audit.SSOSet, deed{"Set single sign-on", "Single sign-on set"}},
	{audit.SSORemove, deed{"Remove single sign-on", "Single sign-on removed"}},
	{audit.SSOGet, deed{"Read single sign-on", "Single sign-on read"}},
	{audit.RecordRead, deed{"Read the audit log", "Audit log read"}},
	{audit.UsageRead, deed{"Read usage", "Usage read"}},
}

func deedOf(a audit.Action) deed {
	for _, d := range deeds {
		if d.action == a {
			return d.deed
		}
	}
	return deed{string(a), string(a)}
}

// outcomeWords are how it ended, with the tone of it.
var outcomeWords = map[audit.Outcome]views.Badge{
	audit.Done:      {Text: "Done", Tone: "good"},
	audit.Unchanged: {Text: "No change"},
	audit.Refused:   {Text: "Refused", Tone: "warn"},
	audit.Denied:    {Text: "Not allowed", Tone: "bad"},
	audit.Limited:   {Text: "Over the limit", Tone: "warn"},
}

// title is an entry in a few words.
func title(e audit.Entry) string {
	d := deedOf(e.Action)
	switch e.Outcome {
	case audit.Done:
		return d.past
	case audit.Unchanged:
		return d.noun + ": nothing to change"
	case audit.Refused:
		return d.noun + " refused"
	case audit.Denied:
		return d.noun + " not allowed"
	case audit.Limited:
		return d.noun + " over the limit"
	}
	return d.noun
}

// tone colours an event by what it means for whom it is about.
func tone(e audit.Entry) string {
	if e.Outcome != audit.Done {
		return outcomeWords[e.Outcome].Tone
	}
	switch e.Action {
	case audit.UserSuspend, audit.UserRemove, audit.ApplicationDisable, audit.ApplicationDelete, audit.UserReset, audit.AccountClose:
		return "bad"
	}
	return "good"
}

// event is an entry for a story.
func event(e audit.Entry, who *nameBook) views.Event {
	v := views.Event{At: e.At, Tone: tone(e), Title: title(e), Detail: detail(e)}
	if !guessed(e) {
		v.Who, v.WhoHref = who.actor(e)
	}
	return v
}

// guessed tells whether nobody has shown that they are whom the entry names: whoever tried
// to sign in said so, and no more.
func guessed(e audit.Entry) bool {
	return e.Action == audit.SignIn && e.Outcome != audit.Done && e.ActorKind == access.Person
}

// detail says why in words, where there are some.
func detail(e audit.Entry) string {
	if said := words(e.Detail, "this person"); said != e.Detail {
		return said
	}
	switch {
	case e.Action == audit.SignIn && e.Outcome == audit.Refused && e.Detail != "":
		return "with " + e.Detail
	case e.Action == audit.SignIn && e.Outcome == audit.Done:
		return signedInBy(e.Detail)
	case e.Action == audit.ApplicationRotate && e.Outcome == audit.Done:
		return overlapWords(e.Detail)
	}
	return e.Detail
}

// signedInBy names the way in. The session's id is for those who read the export.
func signedInBy(detail string) string {
	by, _, _ := strings.Cut(strings.TrimPrefix(detail, "by "), ",")
	switch words := methods[signin.Method(by)]; {
	case words == "":
		return detail
	case signin.Method(by) == signin.BySSO:
		return "with " + words
	default:
		return "with a " + words
	}
}

// overlapWords says how long the old secret works on.
func overlapWords(detail string) string {
	d, err := time.ParseDuration(strings.TrimPrefix(detail, "overlap "))
	switch {
	case err != nil:
		return detail
	case d == 0:
		return "the old secret ended at once"
	}
	return "the old secret works on for " + strings.TrimPrefix(views.In(time.Time{}.Add(d), time.Time{}), "in ")
}

// nameBook finds the names of those of whom a page tells, each once. It asks only for what
// the reader may see anyhow: what it does not find stays an id.
type nameBook struct {
	of func(kind access.Kind, id string) string
}

func (c *Console) names(ctx context.Context, v *visit) *nameBook {
	known := map[string]string{}
	people, apps := v.may(access.ManageUsers), v.may(access.ReadApplications)
	return &nameBook{func(kind access.Kind, id string) string {
		key := string(kind) + "\x00" + id
		if name, ok := known[key]; ok {
			return name
		}
		name := ""
		switch {
		case !ident.Possible(id):
		case kind == access.Person && people:
			if u, err := c.Directory.Person(ctx, v.caller(), v.account(), ident.UserID(id)); err == nil {
				name = u.DisplayName
			}
		case kind == access.Application && apps:
			if a, err := c.OAuth.Get(ctx, v.caller(), v.account(), ident.ClientID(id)); err == nil {
				name = a.Name
			}
		}
		known[key] = name
		return name
	}}
}

// actor is who did it, and the page about them if there is one.
func (b *nameBook) actor(e audit.Entry) (name, href string) {
	switch {
	case e.Actor == "" && e.ActorKind == access.Nobody:
		return "somebody unknown", ""
	case e.Actor == "":
		return string(e.ActorKind), ""
	}
	if name = b.of(e.ActorKind, e.Actor); name == "" {
		return e.Actor, ""
	}
	if e.ActorKind == access.Person {
		return name, personPath(e.Actor)
	}
	return name, clientPath(e.Actor)
}

// target is whom or what it was done to.
func (b *nameBook) target(e audit.Entry) (name, href string) {
	if e.Target == "" || e.Target == string(e.Account) {
		return "", ""
	}
	if name = b.of(access.Person, e.Target); name != "" {
		return name, personPath(e.Target)
	}
	if name = b.of(access.Application, e.Target); name != "" {
		return name, clientPath(e.Target)
	}
	return e.Target, ""
}

// kindWords are the kinds of actor.
var kindWords = map[access.Kind]string{
	access.Application: "integration", access.Person: "person", access.Operator: "on the server's machine",
	access.System: "rollcall itself", access.Nobody: "not signed in",
}
