package console

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// glance is how many entries are looked at for what stands beside other things on a page.
const glance = 2000

// overviewIntegrations is how many integrations the overview looks at.
const overviewIntegrations = 100

func (c *Console) overviewPage(ctx context.Context, v *visit) (reply, error) {
	if !v.may(access.ManageUsers) && !v.may(access.ReadApplications) {
		return reply{}, c.mayManagePeople(ctx, v)
	}
	p := views.Overview{Frame: c.frame(v, "Overview", "/overview"), Now: v.began}
	if v.may(access.WriteApplications) {
		p.NewHref = Root + "/integrations/new"
	}
	for _, part := range []struct {
		needs access.Permission
		add   func(context.Context, *visit, *views.Overview) error
	}{
		{access.ManageUsers, c.overviewPeople}, {access.ReadAudit, c.overviewRefusals}, {access.ReadApplications, c.overviewIntegrations},
	} {
		if !v.may(part.needs) {
			continue
		}
		if err := part.add(ctx, v, &p); err != nil {
			return reply{}, err
		}
	}
	rank := map[string]int{"bad": 0, "warn": 1}
	slices.SortStableFunc(p.Attention, func(a, b views.Attention) int {
		place := func(t string) int {
			if n, ok := rank[t]; ok {
				return n
			}
			return len(rank)
		}
		return cmp.Compare(place(a.Tone), place(b.Tone))
	})
	return show(views.OverviewPage(p))
}

func (c *Console) overviewPeople(ctx context.Context, v *visit, p *views.Overview) error {
	counts, err := c.Directory.CountByState(ctx, v.caller(), v.account())
	if err != nil {
		return err
	}
	for _, s := range directory.States() {
		b := stateBadge(s)
		p.Tally = append(p.Tally, views.Count{Label: b.Text, Tone: b.Tone, N: int64(counts[s]), Href: peopleOf(url.Values{"state": {string(s)}})})
	}
	if n := counts[directory.Pending]; n > 0 {
		p.Attention = append(p.Attention, views.Attention{
			Icon: "people", Title: count(n, "person has", "people have") + " not confirmed yet",
			Text: "They are pending until they open their invitation. Links end after 7 days; you can make new ones.",
			Href: peopleOf(url.Values{"state": {string(directory.Pending)}}), ButtonLabel: "See them",
		})
	}
	owners, err := c.Directory.People(ctx, v.caller(), v.account(), directory.PeopleQuery{Group: directory.Owners, State: directory.Active, Limit: 2})
	if err != nil {
		return err
	}
	if len(owners.People) == 1 {
		p.Attention = append(p.Attention, views.Attention{
			Tone: "warn", Icon: "people", Title: "One owner is left",
			Text: "If " + owners.People[0].DisplayName + " loses their way in, nobody here can manage owners. Make somebody else an owner too.",
			Href: peopleOf(url.Values{"group": {directory.Owners}}), ButtonLabel: "See owners",
		})
	}
	return nil
}

func peopleOf(q url.Values) string { return Root + "/people?" + q.Encode() }

func auditOf(q url.Values) string { return Root + "/audit?" + q.Encode() }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return views.Thousands(int64(n)) + " " + many
}

// overviewRefusals tells of sign-ins that were refused in the last day.
func (c *Console) overviewRefusals(ctx context.Context, v *visit, p *views.Overview) error {
	day := v.began.Add(-24 * time.Hour)
	found, err := c.Records.Find(ctx, v.caller(), v.account(), audit.Query{Action: audit.SignIn, Outcome: audit.Refused, From: day, Limit: audit.MaxPage, Examine: glance})
	if err != nil || len(found.Entries) == 0 {
		return err
	}
	when := " refused in the last 24 hours"
	if found.More {
		when = " refused lately"
	}
	var total int64
	from := map[string]int64{}
	for _, e := range found.Entries {
		total += e.Count
		from[audit.AddressText(e.Address)] += e.Count
	}
	most := slices.MaxFunc(slices.Sorted(maps.Keys(from)), func(a, b string) int { return cmp.Compare(from[a], from[b]) })
	tone := ""
	if total >= 10 {
		tone = "warn"
	}
	if total >= 50 {
		tone = "bad"
	}
	p.Attention = append(p.Attention, views.Attention{
		Tone: tone, Icon: "warn", Title: count(int(total), "sign-in was", "sign-ins were") + when,
		Text:        fmt.Sprintf("%s of them from %s.", views.Thousands(from[most]), most),
		Href:        auditOf(url.Values{"action": {string(audit.SignIn)}, "outcome": {string(audit.Refused)}}),
		ButtonLabel: "See sign-ins",
	})
	return nil
}

// overviewIntegrations tells how much each is used, and what is wrong with its secrets.
func (c *Console) overviewIntegrations(ctx context.Context, v *visit, p *views.Overview) error {
	size := int32(overviewIntegrations)
	apps, next, err := c.OAuth.Page(ctx, v.caller(), v.account(), oauth.ListQuery{Size: &size})
	if err != nil {
		return err
	}
	rows, err := c.Records.UsageByHour(ctx, v.caller(), v.account(), chartHours)
	if err != nil {
		return err
	}
	p.Total = series("total", rows, v.began)
	p.HasUsage = p.Total.Sum().Requests > 0
	byClient := map[ident.ClientID][]usage.Row{}
	for _, r := range rows {
		byClient[r.Client] = append(byClient[r.Client], r)
	}
	p.Integrations = []views.Use{}
	for i, a := range apps {
		u := views.Use{Name: a.Name, Href: clientPath(string(a.ID)), Series: series(fmt.Sprintf("use-%d", i), byClient[a.ID], v.began)}
		u.Sub = "last used " + views.Ago(lastUsed(a), v.began)
		if lastUsed(a).IsZero() {
			u.Sub = "never used"
		}
		if a.State == oauth.Disabled {
			u.Sub = "disabled"
		}
		p.Integrations = append(p.Integrations, u)
		p.Attention = append(p.Attention, integrationAttention(a, u.Series.Sum(), v.began)...)
	}
	slices.SortStableFunc(p.Integrations, func(a, b views.Use) int {
		return cmp.Compare(b.Series.Sum().Requests, a.Series.Sum().Requests)
	})
	p.MoreIntegrations = next != ""
	return nil
}

func integrationAttention(a oauth.Application, day views.Hour, now time.Time) []views.Attention {
	var list []views.Attention
	add := func(tone, icon, title, text string) {
		list = append(list, views.Attention{Tone: tone, Icon: icon, Title: a.Name + ": " + title, Text: text, Href: clientPath(string(a.ID)), ButtonLabel: "See integration"})
	}
	if day.Limited > 0 {
		add("warn", "clock", count(int(day.Limited), "request was", "requests were")+" over the limit", "In the last 24 hours. It should wait as long as the answer says, or ask less often.")
	}
	if neverUsed(a, now) && a.State == oauth.Enabled {
		add("", "integrations", "never used", "Nobody has asked for a token with it since it was set up. If it is not needed, delete it.")
	}
	for _, s := range a.Secrets {
		advice, tone := secretAdvice(a, s, now)
		switch {
		case advice == "":
		case s.ExpireTime.IsZero():
			add(tone, "key", "the secret is older than a year", "Rotate it, with an overlap as long as it takes to bring the new one everywhere.")
		case tone == "warn":
			add(tone, "key", "the old secret is still used", "It ends "+views.In(s.ExpireTime, now)+". What uses it then stops working: bring the new one there.")
		default:
			add("", "key", "the old secret is idle", "It has not been used since the rotation, and ends "+views.In(s.ExpireTime, now)+".")
		}
	}
	return list
}

// series sums rows by hour, over the last day.
func series(id string, rows []usage.Row, now time.Time) views.Series {
	s := views.Series{ID: id, Hours: make([]views.Hour, chartHours)}
	first := now.UTC().Truncate(time.Hour).Add(-(chartHours - 1) * time.Hour)
	for i := range s.Hours {
		s.Hours[i].Start = first.Add(time.Duration(i) * time.Hour)
	}
	for _, r := range rows {
		i := int(r.Hour.Sub(first) / time.Hour)
		if r.Hour.Before(first) || i >= len(s.Hours) {
			continue
		}
		s.Hours[i].Requests += r.Requests
		s.Hours[i].Errors += r.Errors
		s.Hours[i].Limited += r.Limited
	}
	return s
}

// agentRows sums rows by User-Agent, the busiest first.
func agentRows(rows []usage.Row) []views.Agent {
	byName := map[string]*views.Agent{}
	for _, r := range rows {
		a := byName[r.UserAgent]
		if a == nil {
			a = &views.Agent{Name: r.UserAgent}
			byName[r.UserAgent] = a
		}
		a.Requests += r.Requests
		a.Errors += r.Errors
		a.Limited += r.Limited
		if r.Hour.After(a.Last) {
			a.Last = r.Hour
		}
	}
	list := make([]views.Agent, 0, len(byName))
	for _, a := range byName {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b views.Agent) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Name, b.Name))
	})
	return list[:min(len(list), maxAgents)]
}
