package console

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// maxBulk is how many people are suspended together at most: what a page of the list holds.
const maxBulk = 100

func (c *Console) suspendPeoplePage(ctx context.Context, v *visit) (reply, error) {
	return c.askMany(ctx, v, v.request.URL.Query()["id"], "", false)
}

// chosen reads the people that were chosen, each once.
func (c *Console) chosen(ctx context.Context, v *visit, ids []string) ([]directory.User, error) {
	if err := c.mayManagePeople(ctx, v); err != nil {
		return nil, err
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 0 {
		return nil, fault.Invalid("Nobody was selected. Go back and select whom to suspend.")
	}
	if len(ids) > maxBulk {
		return nil, fault.Invalid("%d people are too many at once: select at most %d, or use 'rollcall users suspend'.", len(ids), maxBulk)
	}
	users := make([]directory.User, 0, len(ids))
	for _, id := range ids {
		u, err := c.Directory.Person(ctx, v.caller(), v.account(), ident.UserID(id))
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, nil
}

// phrase is what has to be typed before so many are suspended.
func phrase(n int) string {
	if n == 1 {
		return "suspend 1 person"
	}
	return fmt.Sprintf("suspend %d people", n)
}

func (c *Console) askMany(ctx context.Context, v *visit, ids []string, typed string, wrong bool) (reply, error) {
	users, err := c.chosen(ctx, v, ids)
	if err != nil {
		return reply{}, err
	}
	words := phrase(len(users))
	p := views.Confirm{
		Title: capital(words) + "?", Action: Root + "/people/suspend", Button: capital(words), Grave: true,
		Cancel: Root + "/people", Back: views.Link{Label: "People", Href: Root + "/people"},
		Points: []string{"They are signed out of this console at once, and can't sign in.", "Every integration sees them as suspended from its next request on.", "You can reactivate them one by one at any time."},
		Typed:  &views.Field{Name: "typed", Label: "Type “" + words + "” to go on", Autocomplete: "off", Confirm: words, First: true, Max: 100},
	}
	for _, u := range users {
		p.Names = append(p.Names, person(u))
		p.Hidden = append(p.Hidden, views.Hidden{Name: "id", Value: string(u.ID)})
	}
	f := c.narrow(v, p.Title, "/people")
	rep := reply{}
	if wrong {
		p, f.Wrong, rep.status = mistyped(p, typed), true, 422
	}
	rep.page = views.ConfirmPage(f, p)
	return rep, nil
}

// suspendPeople suspends each, and tells of each what came of it. It is a page and no
// redirect: sent again it changes nothing.
func (c *Console) suspendPeople(ctx context.Context, v *visit) (reply, error) {
	if err := c.Directory.May(ctx, v.caller(), v.account(), access.SuspendUser, audit.UserSuspend, ""); err != nil {
		return reply{}, err
	}
	ids := v.form["id"]
	users, err := c.chosen(ctx, v, ids)
	if err != nil {
		return reply{}, err
	}
	if typed := v.field("typed"); typed != phrase(len(users)) {
		return c.askMany(ctx, v, ids, typed, true)
	}
	p := views.Outcomes{Frame: c.narrow(v, "Suspended", "/people"), Back: views.Link{Label: "People", Href: Root + "/people"}}
	for _, u := range users {
		row := views.OutcomeRow{Person: person(u)}
		after, err := c.Directory.Suspend(ctx, v.caller(), v.account(), u.ID)
		text, isRefusal := refused(err, u.DisplayName)
		switch {
		case err == nil:
			p.Done++
			row.Person.State = stateBadge(after.State)
		case isRefusal || fault.KindOf(err) == fault.KindNotFound:
			if !isRefusal {
				text = "Pending people have nothing to suspend: remove them instead."
			}
			row.Refusal = text
			p.Refused++
		default:
			return reply{}, err
		}
		p.List = append(p.List, row)
	}
	return show(views.OutcomesPage(p))
}
