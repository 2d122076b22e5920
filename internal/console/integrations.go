package console

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// integrationsPerPage is how many a page of the list holds.
const integrationsPerPage = 50

func (c *Console) integrationsPage(ctx context.Context, v *visit) (reply, error) {
	size := int32(integrationsPerPage)
	apps, next, err := c.OAuth.Page(ctx, v.caller(), v.account(), oauth.ListQuery{Size: &size, PageToken: v.query("page")})
	if err != nil {
		return reply{}, err
	}
	p := views.Integrations{Frame: c.frame(v, "Integrations", "/integrations"), Manage: v.may(access.WriteApplications), Now: v.began}
	for _, a := range apps {
		p.List = append(p.List, integration(a, v.began))
	}
	p.Pager.Text = count(len(apps), "integration", "integrations") + " on this page"
	if v.query("page") != "" {
		p.Pager.First = Root + "/integrations"
	}
	if next != "" {
		p.Pager.Next = Root + "/integrations?" + url.Values{"page": {next}}.Encode()
	}
	return show(views.IntegrationsPage(p))
}

// integration is an application for a page.
func integration(a oauth.Application, now time.Time) views.Integration {
	i := views.Integration{
		ID: string(a.ID), Name: a.Name, Description: a.Description, Href: clientPath(string(a.ID)),
		State: views.Badge{Text: "Enabled", Tone: "good"}, CreateTime: a.CreateTime, LastUsed: lastUsed(a),
	}
	if a.State == oauth.Disabled {
		i.State = views.Badge{Text: "Disabled", Tone: "bad"}
	}
	for _, info := range access.Catalog() {
		if a.Permissions.Has(info.Permission) {
			i.Permissions = append(i.Permissions, info.Title)
		}
	}
	switch {
	case neverUsed(a, now):
		i.Attention = "Never used"
	case len(a.Secrets) > 1:
		i.Attention = "Old secret"
	}
	return i
}

func lastUsed(a oauth.Application) time.Time {
	var last time.Time
	for _, s := range a.Secrets {
		if s.LastUsedTime.After(last) {
			last = s.LastUsedTime
		}
	}
	return last
}

// neverUsed tells of integrations that somebody set up and nobody uses: a day is enough to
// begin.
func neverUsed(a oauth.Application, now time.Time) bool {
	return lastUsed(a).IsZero() && now.Sub(a.CreateTime) > 24*time.Hour
}

// secretAge is how old a secret may become before the console says so.
const secretAge = 365 * 24 * time.Hour

// secretRows tells of each secret what should be done with it.
func secretRows(a oauth.Application, now time.Time) []views.Secret {
	rows := make([]views.Secret, len(a.Secrets))
	for i, s := range a.Secrets {
		rows[i] = views.Secret{Current: s.ExpireTime.IsZero(), CreateTime: s.CreateTime, LastUsed: s.LastUsedTime, ExpireTime: s.ExpireTime}
		rows[i].Advice, rows[i].AdviceTone = secretAdvice(a, s, now)
	}
	slices.Reverse(rows) // the current one first
	return rows
}

func secretAdvice(a oauth.Application, s oauth.Secret, now time.Time) (advice, tone string) {
	current := a.Secrets[len(a.Secrets)-1]
	switch {
	case s.ExpireTime.IsZero() && now.Sub(s.CreateTime) > secretAge:
		return "Older than a year: rotate it", "warn"
	case s.ExpireTime.IsZero():
		return "", ""
	case s.LastUsedTime.After(current.CreateTime):
		return "Used since the rotation: the new one is not everywhere yet", "warn"
	}
	return "Idle since the rotation", "good"
}

// agentHours is how far back use by User-Agent is told.
const (
	agentHours = 7 * 24
	chartHours = 24
	maxAgents  = 50
)

func (c *Console) integrationPage(ctx context.Context, v *visit) (reply, error) {
	a, err := c.OAuth.Get(ctx, v.caller(), v.account(), v.client())
	if err != nil {
		return reply{}, err
	}
	p := views.IntegrationPage{
		Frame: c.frame(v, a.Name, "/integrations"), Integration: integration(a, v.began), RedirectURL: a.RedirectURL, Now: v.began,
		Manage: v.may(access.WriteApplications), Secrets: secretRows(a, v.began),
	}
	tokens, all, err := c.Records.LiveTokens(ctx, v.caller(), v.account(), a.ID)
	if err != nil {
		return reply{}, err
	}
	p.Tokens, p.TokensAtLeast = int64(tokens), !all
	rows, err := c.Records.UsageByAgent(ctx, v.caller(), v.account(), a.ID, agentHours)
	if err != nil {
		return reply{}, err
	}
	p.Agents = agentRows(rows)
	p.Use = series("use", rows, v.began)
	p.HasUse = p.Use.Sum().Requests > 0
	if p.Manage {
		manageIntegration(&p, a)
	}
	if v.may(access.ReadAudit) {
		p.StoryMore = Root + "/audit?" + url.Values{"target": {string(a.ID)}}.Encode()
		if p.Story, err = c.story(ctx, v, string(a.ID)); err != nil {
			return reply{}, err
		}
	}
	return show(views.OneIntegrationPage(p))
}

// manageIntegration offers what may be done.
func manageIntegration(p *views.IntegrationPage, a oauth.Application) {
	here := clientPath(string(a.ID))
	p.Buttons = []views.Act{{Label: "Edit", Href: here + "/edit"}}
	if a.State == oauth.Enabled {
		p.Buttons = append(p.Buttons, views.Act{Label: "Disable…", Href: here + "/disable"})
	} else {
		p.Buttons = append(p.Buttons, views.Act{Label: "Enable", Href: here + "/enable", Post: true, Class: "main"})
	}
	p.Buttons = append(p.Buttons, views.Act{Label: "Delete…", Href: here + "/delete", Class: "text grave-line"})
	p.Revoke = here + "/revoke"
	p.Rotate = &views.RotateForm{
		Action: here + "/rotate", Hidden: []views.Hidden{{Name: "current", Value: currentSecret(a)}},
		Overlap: choose("overlap", "After rotating, the old secret works on for", "24h0m0s", overlaps()...),
	}
}

// currentSecret is the id of the secret that a form would replace: sent again, the form
// finds another one there and replaces nothing.
func currentSecret(a oauth.Application) string {
	if len(a.Secrets) == 0 {
		return ""
	}
	return string(a.Secrets[len(a.Secrets)-1].ID)
}

// overlaps are the choices, of durations up to oauth.MaxOverlap.
func overlaps() []views.Option {
	option := func(d time.Duration, label string) views.Option { return views.Option{Value: d.String(), Label: label} }
	return []views.Option{
		option(0, "no time: it ends at once"), option(time.Hour, "1 hour"), option(24*time.Hour, "1 day"),
		option(72*time.Hour, "3 days"), option(oauth.MaxOverlap, "7 days"),
	}
}

func (c *Console) disableIntegrationPage(ctx context.Context, v *visit) (reply, error) {
	return c.askIntegration(ctx, v, func(a oauth.Application) views.Confirm {
		return views.Confirm{
			Title: "Disable " + a.Name + "?", Button: "Disable", Action: clientPath(string(a.ID)) + "/disable",
			Points: []string{"Its tokens stop counting with the next request.", "It can't ask for new ones until it is enabled again.", "Its secrets and permissions stay as they are."},
		}
	})
}

func (c *Console) deleteAsk(a oauth.Application) views.Confirm {
	return views.Confirm{
		Title: "Delete " + a.Name + "?", Button: "Delete for good", Action: clientPath(string(a.ID)) + "/delete",
		Points: []string{"Its secrets and tokens end at once.", "The audit log keeps what it tells of it. This can't be undone: disabling can."},
		Typed:  &views.Field{Name: "typed", Label: "Type “" + a.Name + "” to go on", Autocomplete: "off", Confirm: a.Name, First: true, Max: oauth.MaxName},
	}
}

func (c *Console) deleteIntegrationPage(ctx context.Context, v *visit) (reply, error) {
	return c.askIntegration(ctx, v, c.deleteAsk)
}

func (c *Console) revokeTokensPage(ctx context.Context, v *visit) (reply, error) {
	return c.askIntegration(ctx, v, func(a oauth.Application) views.Confirm {
		return views.Confirm{
			Title: "End all tokens of " + a.Name + "?", Button: "End all tokens", Action: clientPath(string(a.ID)) + "/revoke",
			Points: []string{"Every token that it holds stops counting with the next request.", "Its secrets go on working: it can ask for new tokens at once."},
		}
	})
}

func (c *Console) askIntegration(ctx context.Context, v *visit, of func(oauth.Application) views.Confirm) (reply, error) {
	if err := c.mayManageIntegrations(ctx, v, audit.ApplicationGet); err != nil {
		return reply{}, err
	}
	a, err := c.OAuth.Get(ctx, v.caller(), v.account(), v.client())
	if err != nil {
		return reply{}, err
	}
	here := clientPath(string(a.ID))
	p := of(a)
	p.Grave, p.Cancel, p.Back = true, here, views.Link{Label: a.Name, Href: here}
	f := c.narrow(v, p.Title, "/integrations")
	f.Wrong = p.Typed != nil && p.Typed.Error != ""
	return show(views.ConfirmPage(f, p))
}

// mayManageIntegrations refuses, and remembers, whoever may not see a form at all.
func (c *Console) mayManageIntegrations(ctx context.Context, v *visit, act audit.Action) error {
	return c.OAuth.May(ctx, v.caller(), v.account(), access.WriteApplications, act, string(v.client()))
}

func (c *Console) disableIntegration(ctx context.Context, v *visit) (reply, error) {
	return c.switchIntegration(ctx, v, oauth.Disabled, "disabled")
}

func (c *Console) enableIntegration(ctx context.Context, v *visit) (reply, error) {
	return c.switchIntegration(ctx, v, oauth.Enabled, "enabled")
}

func (c *Console) switchIntegration(ctx context.Context, v *visit, to oauth.ApplicationState, what string) (reply, error) {
	if err := c.spend(ctx, v); err != nil {
		return reply{}, err
	}
	if _, _, err := c.OAuth.SetState(ctx, v.caller(), v.account(), v.client(), to); err != nil {
		return reply{}, err
	}
	return done("/integrations/"+url.PathEscape(string(v.client())), what)
}

func (c *Console) revokeTokens(ctx context.Context, v *visit) (reply, error) {
	if err := c.spend(ctx, v); err != nil {
		return reply{}, err
	}
	if _, err := c.OAuth.RevokeTokens(ctx, v.caller(), v.account(), v.client()); err != nil {
		return reply{}, err
	}
	return done("/integrations/"+url.PathEscape(string(v.client())), "revoked")
}

func (c *Console) deleteIntegration(ctx context.Context, v *visit) (reply, error) {
	if err := c.mayManageIntegrations(ctx, v, audit.ApplicationDelete); err != nil {
		return reply{}, err
	}
	a, err := c.OAuth.Get(ctx, v.caller(), v.account(), v.client())
	if err != nil {
		return reply{}, err
	}
	if typed := v.field("typed"); typed != a.Name {
		rep, err := c.askIntegration(ctx, v, func(a oauth.Application) views.Confirm { return mistyped(c.deleteAsk(a), typed) })
		rep.status = 422
		return rep, err
	}
	if err := c.spend(ctx, v); err != nil {
		return reply{}, err
	}
	if err := c.OAuth.Delete(ctx, v.caller(), v.account(), a.ID); err != nil {
		return reply{}, err
	}
	return done("/integrations", "deleted")
}
