package console

import (
	"context"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// The wizard of the published form: "Set up integration", then "Save credentials". The
// first step carries the client id that the integration is going to have. So a form that is
// sent twice, as by reloading the second step, makes nothing twice: it finds its own
// integration there. The secret of the second step is in that answer and nowhere else.

func (c *Console) integrationForm(v *visit, title string) views.IntegrationForm {
	p := views.IntegrationForm{
		Frame: c.narrow(v, title, "/integrations"), Heading: title, Back: views.Link{Label: "Integrations", Href: Root + "/integrations"}, Cancel: Root + "/integrations",
		Name:        views.Field{Name: "name", Label: "Name", Max: oauth.MaxName, Autocomplete: "off", Hint: "What it is called here and in the audit log."},
		Description: views.Field{Name: "description", Label: "Description", Type: "textarea", Optional: true, Max: oauth.MaxDescription},
		RedirectURL: views.Field{Name: "redirect_url", Label: "Redirect URL", Type: "url", Optional: true, Max: oauth.MaxRedirectURL, Autocomplete: "off", Placeholder: "https://", Hint: "Only if you are asked for one: this way of signing in never goes there."},
		People:      views.Field{Name: "permissions", Label: "Permissions"},
		Managing:    views.Field{Name: "managing", Label: "Managing integrations", Hint: "It could make other integrations, no stronger than itself."},
	}
	for _, info := range access.Catalog() {
		o := views.Option{Value: info.Name, Label: info.Title, Hint: permissionHints[info.Permission]}
		if access.AllUsers.Has(info.Permission) {
			p.People.Options = append(p.People.Options, o)
		} else {
			p.Managing.Options = append(p.Managing.Options, o)
		}
	}
	return p
}

var permissionHints = map[access.Permission]string{
	access.ListUsers:         "Page through everybody who is active or suspended.",
	access.GetUser:           "Read one person by their id.",
	access.SuspendUser:       "Take somebody's access away.",
	access.ReactivateUser:    "Give it back.",
	access.ReadApplications:  "List integrations and read one.",
	access.WriteApplications: "Set up, change, rotate and delete integrations.",
}

// fillIntegration puts into the form what an application is, or is to be.
func fillIntegration(p *views.IntegrationForm, a oauth.Application) {
	p.Name.Value, p.Description.Value, p.RedirectURL.Value = a.Name, a.Description, a.RedirectURL
	names := access.AllOf(a.Permissions)
	for _, options := range [][]views.Option{p.People.Options, p.Managing.Options} {
		for i := range options {
			options[i].Chosen = slices.Contains(names, options[i].Value)
		}
	}
}

// readIntegration reads the fields that a person may set, and no others.
func readIntegration(v *visit) (oauth.Application, error) {
	a := oauth.Application{Account: v.account(), Name: v.field("name"), Description: oneLine(v.form.Get("description")), RedirectURL: v.field("redirect_url")}
	var err error
	a.Permissions, err = access.ParseSet(slices.Concat(v.form["permissions"], v.form["managing"]))
	return a, err
}

// oneLine turns the line ends of a text area into spaces: a description is one line.
func oneLine(s string) string {
	return strings.TrimSpace(strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ").Replace(s))
}

// checkIntegration says beside each field what is wrong with it.
func checkIntegration(p *views.IntegrationForm, a oauth.Application) bool {
	for _, f := range []struct {
		field *views.Field
		err   error
	}{
		{&p.Name, ident.ValidateText("the name", a.Name, oauth.MaxName, false)},
		{&p.Description, ident.ValidateText("the description", a.Description, oauth.MaxDescription, true)},
		{&p.RedirectURL, oauth.ValidateRedirectURL(a.RedirectURL)},
	} {
		if f.err != nil {
			f.field.Error = sentence(fault.As(f.err).Message)
		}
	}
	p.RedirectURL.Error = strings.Replace(p.RedirectURL.Error, "Redirect_url", "The redirect URL", 1)
	if a.Permissions == 0 {
		p.People.Error = "Choose at least one permission."
	}
	first := true
	for _, f := range []*views.Field{&p.Name, &p.Description, &p.RedirectURL, &p.People} {
		f.First = f.Error != "" && first
		first = first && f.Error == ""
	}
	p.Errors = views.Errs(p.Name, p.Description, p.RedirectURL, p.People)
	p.Wrong = len(p.Errors) > 0
	return p.Wrong
}

func (c *Console) addForIntegration(v *visit, id string) views.IntegrationForm {
	p := c.integrationForm(v, "Set up integration")
	p.Wizard, p.Action, p.Button = true, Root+"/integrations/new", "Continue to credentials"
	p.Hidden = []views.Hidden{{Name: "id", Value: id}}
	return p
}

func (c *Console) addIntegrationPage(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManageIntegrations(ctx, v, audit.ApplicationCreate); err != nil {
		return reply{}, err
	}
	id, err := ident.NewClientID(c.Rand)
	if err != nil {
		return reply{}, err
	}
	p := c.addForIntegration(v, string(id))
	fillIntegration(&p, oauth.Application{Permissions: access.Set(access.ListUsers | access.GetUser)})
	p.Name.First = true
	return show(views.IntegrationFormPage(p))
}

func (c *Console) addIntegration(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManageIntegrations(ctx, v, audit.ApplicationCreate); err != nil {
		return reply{}, err
	}
	id, err := c.chosenID(v)
	if err != nil {
		return reply{}, err
	}
	p := c.addForIntegration(v, string(id))
	a, err := readIntegration(v)
	if err != nil {
		return reply{}, err
	}
	fillIntegration(&p, a)
	if checkIntegration(&p, a) {
		return again(views.IntegrationFormPage(p))
	}
	if err := c.spend(ctx, v); err != nil {
		return reply{}, err
	}
	a.ID = id
	made, secret, err := c.OAuth.Create(ctx, v.caller(), a, oauth.ClientSecret{})
	switch {
	case fault.KindOf(err) == fault.KindConflict && err != nil:
		return done("/integrations/"+url.PathEscape(string(id)), "shown-already")
	case fault.KindOf(err) == fault.KindInvalid && err != nil:
		p.Refusal = sentence(fault.As(err).Message)
		return again(views.IntegrationFormPage(p))
	case err != nil:
		return reply{}, err
	}
	return c.showCredentials(v, made, secret, true)
}

// chosenID is the id of the form, if it is one that we make; else a new one.
func (c *Console) chosenID(v *visit) (ident.ClientID, error) {
	id := v.field("id")
	if isClientID(id) {
		return ident.ClientID(id), nil
	}
	return ident.NewClientID(c.Rand)
}

// isClientID tells a lower-case version 4 UUID.
func isClientID(s string) bool {
	if len(s) != 36 || s[14] != '4' || !strings.ContainsRune("89ab", rune(s[19])) {
		return false
	}
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdef", rune(s[i])) {
			return false
		}
	}
	return true
}

func (c *Console) editForIntegration(v *visit, a oauth.Application) views.IntegrationForm {
	here := clientPath(string(a.ID))
	p := c.integrationForm(v, "Edit "+a.Name)
	p.Action, p.Button, p.Cancel, p.Back = here+"/edit", "Save changes", here, views.Link{Label: a.Name, Href: here}
	return p
}

func (c *Console) editIntegrationPage(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManageIntegrations(ctx, v, audit.ApplicationGet); err != nil {
		return reply{}, err
	}
	a, err := c.OAuth.Get(ctx, v.caller(), v.account(), v.client())
	if err != nil {
		return reply{}, err
	}
	p := c.editForIntegration(v, a)
	fillIntegration(&p, a)
	return show(views.IntegrationFormPage(p))
}

func (c *Console) editIntegration(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManageIntegrations(ctx, v, audit.ApplicationUpdate); err != nil {
		return reply{}, err
	}
	before, err := c.OAuth.Get(ctx, v.caller(), v.account(), v.client())
	if err != nil {
		return reply{}, err
	}
	p := c.editForIntegration(v, before)
	a, err := readIntegration(v)
	if err != nil {
		return reply{}, err
	}
	fillIntegration(&p, a)
	if checkIntegration(&p, a) {
		return again(views.IntegrationFormPage(p))
	}
	if err := c.spend(ctx, v); err != nil {
		return reply{}, err
	}
	patch := oauth.Patch{Name: &a.Name, Description: &a.Description, RedirectURL: &a.RedirectURL, Permissions: &a.Permissions}
	if _, err := c.OAuth.Update(ctx, v.caller(), v.account(), before.ID, patch); err != nil {
		return reply{}, err
	}
	return done("/integrations/"+url.PathEscape(string(before.ID)), "saved")
}

func (c *Console) rotateSecret(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManageIntegrations(ctx, v, audit.ApplicationRotate); err != nil {
		return reply{}, err
	}
	before, err := c.OAuth.Get(ctx, v.caller(), v.account(), v.client())
	if err != nil {
		return reply{}, err
	}
	if currentSecret(before) != v.field("current") { // the form was sent before, or somebody else rotated it
		return done("/integrations/"+url.PathEscape(string(before.ID)), "shown-already")
	}
	overlap, err := time.ParseDuration(v.field("overlap"))
	if err != nil {
		return reply{}, fault.Invalid("Choose how long the old secret goes on working.")
	}
	if err := c.spend(ctx, v); err != nil {
		return reply{}, err
	}
	a, secret, err := c.OAuth.RotateFrom(ctx, v.caller(), v.account(), before.ID, ident.EntryID(v.field("current")), overlap)
	if fault.KindOf(err) == fault.KindConflict && err != nil { // the same, at the same moment
		return done("/integrations/"+url.PathEscape(string(before.ID)), "shown-already")
	}
	if err != nil {
		return reply{}, err
	}
	return c.showCredentials(v, a, secret, false)
}

// showCredentials is the second step. Its answer is the only place where the secret is.
func (c *Console) showCredentials(v *visit, a oauth.Application, secret oauth.ClientSecret, wizard bool) (reply, error) {
	p := views.Credentials{
		Frame: c.narrow(v, "Save credentials", "/integrations"), Wizard: wizard, Heading: "Save credentials", Text: a.Name,
		Name: a.Name, Href: clientPath(string(a.ID)), BaseURL: c.baseURL(v), Account: string(v.account()),
		ClientID: string(a.ID), Secret: secret.Reveal(), EnvName: fileName(a.Name) + ".env",
	}
	p.Env = envFile(p, c.CAFile)
	p.EnvHref = "data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(p.Env))
	p.Try, p.TryText, p.Suspend = tryIt(p, a.Permissions, c.CAFile)
	return reply{page: views.CredentialsPage(p), secret: true}, nil
}

// envFile is what 'rollcall users' and the SDK read.
func envFile(p views.Credentials, caFile string) string {
	lines := []string{
		"ROLLCALL_BASE_URL=" + quote(p.BaseURL), "ROLLCALL_ACCOUNT_ID=" + quote(p.Account),
		"ROLLCALL_CLIENT_ID=" + quote(p.ClientID), "ROLLCALL_CLIENT_SECRET=" + quote(p.Secret),
	}
	if caFile != "" {
		lines = append(lines, "ROLLCALL_CA_FILE="+quote(caFile))
	}
	return strings.Join(lines, "\n") + "\n"
}

// quote is a word that every shell takes as it is.
func quote(s string) string {
	plain := func(r rune) bool {
		return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:=@%+", r))
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// fileName is a name that every disk takes.
func fileName(s string) string {
	name := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '-'
	}, s)
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	if name = strings.Trim(name, "-"); name == "" {
		return "integration"
	}
	return name
}

// tryIt is the commands that use the credentials now, and the one that suspends somebody.
func tryIt(p views.Credentials, held access.Set, caFile string) (commands, text, suspend string) {
	curl := "curl -sS "
	if caFile != "" {
		curl += "--cacert " + quote(caFile) + " "
	}
	people := quote(p.BaseURL + "/v1/accounts/" + p.Account + "/users")
	const on = " \\\n  "
	bearer := `-H "Authorization: Bearer $TOKEN"` + on
	commands = "TOKEN=$(" + curl + "-d grant_type=client_credentials" + on + "-u " + quote(p.ClientID+":"+p.Secret) + on +
		quote(p.BaseURL+"/v1/oauth/token") + ` | sed 's/.*"access_token":"\([^"]*\)".*/\1/')` + "\n"
	switch {
	case held.Has(access.ListUsers):
		commands += curl + bearer + people + "\n"
		text = "Gets a token and lists the first people of this account."
	default:
		commands += `echo "$TOKEN"` + "\n"
		text = "Gets a token and shows it."
	}
	if held.Has(access.SuspendUser) {
		suspend = curl + "-X POST " + bearer + people + "/USER_ID:suspend\n"
	}
	return commands, text, suspend
}
