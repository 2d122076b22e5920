package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

func (c *Console) peoplePage(ctx context.Context, v *visit) (reply, error) {
	q := peopleQuery(v)
	found, err := c.Directory.People(ctx, v.caller(), v.account(), q)
	wrong := ""
	if fault.KindOf(err) == fault.KindInvalid && err != nil {
		wrong, err = sentence(fault.As(err).Message), nil
	}
	if err != nil {
		return reply{}, err
	}
	groups, err := c.Directory.Groups(ctx, v.caller(), v.account())
	if err != nil {
		return reply{}, err
	}
	p := views.People{
		Frame: c.frame(v, "People", "/people"), Text: q.Text, Now: v.began,
		State:    stateFilter(q.State),
		Type:     typeFilter(q.Type),
		Group:    groupFilter(groups, q.Group),
		Filtered: q.Text != "" || q.State != "" || q.Type != "" || q.Group != "",
		Manage:   v.may(access.ManageUsers), Suspend: v.may(access.SuspendUser),
		Pager: peoplePager(v, len(found.People), found.Next),
	}
	p.TextError, p.Wrong = wrong, wrong != ""
	for _, u := range found.People {
		p.List = append(p.List, person(u))
	}
	return show(views.PeoplePage(p))
}

func peopleQuery(v *visit) directory.PeopleQuery {
	return directory.PeopleQuery{
		Text: strings.TrimSpace(v.query("q")), State: directory.State(v.query("state")), Type: directory.Type(v.query("type")),
		Group: v.query("group"), After: readPosition(v.query("after")),
	}
}

// readPosition reads where a page begins; what can't be one is the start. It gives no
// rights: it is a place in a list that the reader may see.
func readPosition(text string) page.Position {
	micros, id, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || id == "" {
		return page.Position{}
	}
	return page.Position{CreateTime: time.UnixMicro(n).UTC(), ID: ident.UserID(id)}
}

func writePosition(p page.Position) string {
	return strconv.FormatInt(p.CreateTime.UnixMicro(), 10) + "." + string(p.ID)
}

func peoplePager(v *visit, n int, next page.Position) views.Pager {
	p := views.Pager{Text: count(n, "person", "people") + " on this page"}
	q := v.request.URL.Query()
	q.Del("done")
	if q.Has("after") {
		q.Del("after")
		p.First = Root + "/people?" + q.Encode()
	}
	if next.ID != "" {
		q.Set("after", writePosition(next))
		p.Next = Root + "/people?" + q.Encode()
	}
	return p
}

func choose(name, label, chosen string, options ...views.Option) views.Field {
	for i := range options {
		options[i].Chosen = options[i].Value == chosen
	}
	return views.Field{Name: name, Label: label, Type: "select", Options: options}
}

func stateFilter(s directory.State) views.Field {
	return choose("state", "State", string(s), views.Option{Label: "Any state"}, views.Option{Value: string(directory.Active), Label: "Active"},
		views.Option{Value: string(directory.Suspended), Label: "Suspended"}, views.Option{Value: string(directory.Pending), Label: "Pending"})
}

func typeFilter(t directory.Type) views.Field {
	return choose("type", "Type", string(t), views.Option{Label: "Any type"}, views.Option{Value: string(directory.Member), Label: "Member"},
		views.Option{Value: string(directory.Guest), Label: "Guest"}, views.Option{Value: string(directory.ExternallyManaged), Label: "Externally managed"})
}

func groupFilter(names []string, chosen string) views.Field {
	options := []views.Option{{Label: "Any group"}}
	for _, name := range names {
		options = append(options, views.Option{Value: name, Label: name})
	}
	if chosen != "" && !slices.Contains(names, chosen) {
		options = append(options, views.Option{Value: chosen, Label: audit.Clean(chosen, 60)})
	}
	return choose("group", "Group", chosen, options...)
}

// personForm is the form that adds or edits somebody.
func (c *Console) personForm(v *visit, title string) views.PersonForm {
	return views.PersonForm{
		Frame: c.narrow(v, title, "/people"), Heading: title, Back: views.Link{Label: "People", Href: Root + "/people"}, Cancel: Root + "/people",
		Name:  views.Field{Name: "name", Label: "Name", Max: directory.MaxDisplay, Autocomplete: "off"},
		Email: views.Field{Name: "email", Label: "E-mail address", Type: "email", Max: ident.MaxEmail, Autocomplete: "off"},
		Type: views.Field{Name: "type", Label: "Type", Options: []views.Option{
			{Value: string(directory.Member), Label: "Member", Hint: "Belongs to the account."},
			{Value: string(directory.Guest), Label: "Guest", Hint: "Works with the account from outside."},
			{Value: string(directory.ExternallyManaged), Label: "Externally managed", Hint: "Administered from outside; can't be suspended or removed here.", Disabled: !v.may(access.ManageOwners)},
		}},
	}
}

// fill puts into the form what somebody typed, or has.
func fill(p *views.PersonForm, name, email, kind string) {
	p.Name.Value, p.Email.Value = name, email
	for i := range p.Type.Options {
		p.Type.Options[i].Chosen = p.Type.Options[i].Value == kind
	}
}

// check says beside each field what is wrong with it.
func check(p *views.PersonForm) bool {
	if err := ident.ValidateText("the name", p.Name.Value, directory.MaxDisplay, false); err != nil {
		p.Name.Error = sentence(fault.As(err).Message)
	}
	if _, err := ident.ParseEmail(p.Email.Value); err != nil {
		p.Email.Error = sentence(fault.As(err).Message)
	}
	if !slices.ContainsFunc(p.Type.Options, func(o views.Option) bool { return o.Chosen }) {
		p.Type.Error = "Choose what sort of member they are."
	}
	if p.OtherGroups != nil {
		for _, name := range groupNames(nil, p.OtherGroups.Value) {
			if err := directory.ValidateGroup(name); err != nil {
				p.OtherGroups.Error = sentence(fault.As(err).Message)
			}
		}
	}
	return formWrong(p)
}

// formWrong lists what is wrong, and has the first of it focused.
func formWrong(p *views.PersonForm) bool {
	first, fields := true, []*views.Field{&p.Name, &p.Email, &p.Type}
	if p.OtherGroups != nil {
		fields = append(fields, p.OtherGroups)
	}
	p.Errors = nil
	for _, f := range fields {
		f.First = f.Error != "" && first
		first = first && f.Error == ""
		p.Errors = append(p.Errors, views.Errs(*f)...)
	}
	p.Wrong = len(p.Errors) > 0
	return p.Wrong
}

// personFormAgain shows the form with why the services refused it.
func personFormAgain(p *views.PersonForm, failure error) (reply, error) {
	if !tell(p, failure) {
		return reply{}, failure
	}
	rep, err := again(views.PersonFormPage(*p))
	if fault.KindOf(failure) == fault.KindForbidden {
		rep.status = http.StatusForbidden
	}
	return rep, err
}

// tell puts a refusal of the services where it belongs in the form.
func tell(p *views.PersonForm, err error) bool {
	text, ok := refused(err, "This person")
	if !ok {
		return false
	}
	if fault.KindOf(err) == fault.KindConflict {
		p.Email.Error = "Somebody in this account has this address already."
		return formWrong(p)
	}
	p.Refusal, p.Wrong = text, true
	return true
}

func (c *Console) addPersonPage(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManagePeople(ctx, v); err != nil {
		return reply{}, err
	}
	p := c.addForm(v)
	fill(&p, "", "", string(directory.Member))
	p.Invite.Options[0].Chosen, p.Name.First = true, true
	return show(views.PersonFormPage(p))
}

func (c *Console) addForm(v *visit) views.PersonForm {
	p := c.personForm(v, "Add person")
	p.Action, p.Button = Root+"/people/new", "Add person"
	p.Groups = &views.Field{Name: "groups", Label: "Roles", Optional: true}
	for _, name := range access.Roles() {
		p.Groups.Options = append(p.Groups.Options, views.Option{
			Value: name, Label: roleTitles[name].title, Hint: roleTitles[name].hint, Disabled: name == directory.Owners && !v.may(access.ManageOwners),
		})
	}
	p.OtherGroups = &views.Field{Name: "other", Label: "Other groups", Optional: true, Hint: "Separated by commas.", Autocomplete: "off", Max: 1000}
	p.Invite = &views.Field{Name: "invite", Label: "Signing in", Options: []views.Option{
		{Value: "yes", Label: "Invite them", Hint: "They are pending until they open the link that you are given next."},
		{Value: "no", Label: "Active at once", Hint: "They exist for integrations, and can't sign in here until you make them a recovery link."},
	}}
	return p
}

// roleTitles are the groups that carry a role, for people.
var roleTitles = map[string]struct{ title, hint string }{
	directory.Owners:         {"Owners", "May do everything."},
	directory.Administrators: {"Administrators", "Manage people, integrations and the account; not owners."},
	directory.Security:       {"Security", "Manages integrations and reads the audit log."},
}

func (c *Console) addPerson(ctx context.Context, v *visit) (reply, error) {
	p := c.addForm(v)
	fill(&p, v.field("name"), v.field("email"), v.field("type"))
	p.OtherGroups.Value = v.field("other")
	groups := v.form["groups"]
	for i := range p.Groups.Options {
		o := &p.Groups.Options[i]
		o.Chosen = slices.Contains(groups, o.Value)
	}
	invite := v.field("invite") != "no"
	p.Invite.Options[0].Chosen, p.Invite.Options[1].Chosen = invite, !invite
	if err := c.mayManagePeople(ctx, v); err != nil {
		return reply{}, err
	}
	if check(&p) {
		return again(views.PersonFormPage(p))
	}
	u := directory.User{
		DisplayName: p.Name.Value, Email: ident.Email(p.Email.Value), Type: directory.Type(v.field("type")),
		State: directory.Active, Groups: groupNames(groups, p.OtherGroups.Value),
	}
	if invite {
		u.State = directory.Pending
	}
	added, err := c.Directory.AddUser(ctx, v.caller(), v.account(), u)
	if err != nil {
		return personFormAgain(&p, err)
	}
	if invite {
		return c.showInvitation(ctx, v, added, added.DisplayName+" was added.")
	}
	return done("/people/"+url.PathEscape(string(added.ID)), "added")
}

// groupNames are those that were chosen and those that were typed.
func groupNames(chosen []string, typed string) []string {
	names := slices.Clone(chosen)
	for name := range strings.SplitSeq(typed, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// mayManagePeople refuses, and remembers, whoever may not see a form at all.
func (c *Console) mayManagePeople(ctx context.Context, v *visit) error {
	return c.Directory.May(ctx, v.caller(), v.account(), access.ManageUsers, audit.UserList, "")
}

func (c *Console) editForm(v *visit, u directory.User) views.PersonForm {
	p := c.personForm(v, "Edit "+u.DisplayName)
	here := personPath(string(u.ID))
	p.Action, p.Button, p.Cancel, p.Back = here+"/edit", "Save changes", here, views.Link{Label: u.DisplayName, Href: here}
	return p
}

func (c *Console) editPersonPage(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManagePeople(ctx, v); err != nil {
		return reply{}, err
	}
	u, err := c.Directory.Person(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return reply{}, err
	}
	p := c.editForm(v, u)
	fill(&p, u.DisplayName, string(u.Email), string(u.Type))
	p.Name.First = true
	return show(views.PersonFormPage(p))
}

func (c *Console) editPerson(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManagePeople(ctx, v); err != nil {
		return reply{}, err
	}
	u, err := c.Directory.Person(ctx, v.caller(), v.account(), v.user())
	if err != nil {
		return reply{}, err
	}
	p := c.editForm(v, u)
	kind := v.field("type")
	if kind == "" { // its only choice was one that the reader may not make
		kind = string(u.Type)
	}
	fill(&p, v.field("name"), v.field("email"), kind)
	if check(&p) {
		return again(views.PersonFormPage(p))
	}
	t := directory.Type(kind)
	_, err = c.Directory.EditUser(ctx, v.caller(), v.account(), u.ID, directory.UserPatch{DisplayName: &p.Name.Value, Email: &p.Email.Value, Type: &t})
	if err != nil {
		return personFormAgain(&p, err)
	}
	return done("/people/"+url.PathEscape(string(u.ID)), "edited")
}
