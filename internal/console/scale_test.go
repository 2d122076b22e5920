package console_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/console"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/records"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// counted is a store that counts what is asked of it and what it gives.
type counted struct {
	calls, rows *atomic.Int64
}

func (c counted) note(rows int) { c.calls.Add(1); c.rows.Add(int64(rows)) }

type countedPeople struct {
	directory.Store
	counted
}

func (s countedPeople) People(ctx context.Context, a ident.AccountID, q directory.PeopleQuery) (directory.PeoplePage, error) {
	p, err := s.Store.People(ctx, a, q)
	s.note(len(p.People))
	return p, err
}

func (s countedPeople) Person(ctx context.Context, a ident.AccountID, id ident.UserID) (directory.User, error) {
	s.note(1)
	return s.Store.Person(ctx, a, id)
}

func (s countedPeople) CountByState(ctx context.Context, a ident.AccountID) (map[directory.State]int, error) {
	s.note(3)
	return s.Store.CountByState(ctx, a)
}

func (s countedPeople) GroupNames(ctx context.Context, a ident.AccountID, limit int) ([]string, error) {
	names, err := s.Store.GroupNames(ctx, a, limit)
	s.note(len(names))
	return names, err
}

func (s countedPeople) EachUser(context.Context, ident.AccountID, func(directory.User) bool) error {
	panic("a page reads everybody")
}

type countedApps struct {
	oauth.Store
	counted
}

func (s countedApps) Application(ctx context.Context, a ident.AccountID, id ident.ClientID) (oauth.Application, error) {
	s.note(1)
	return s.Store.Application(ctx, a, id)
}

type countedRecords struct {
	records.Store
	counted
}

func (s countedRecords) FindEntries(ctx context.Context, a ident.AccountID, q audit.Query, examine int) (audit.Found, error) {
	found, err := s.Store.FindEntries(ctx, a, q, examine)
	s.note(len(found.Entries))
	return found, err
}

// pages yields every page for whoever is signed in, about that person and integration. The export
// is none: it is as long as what is asked for.
func pages(user, client string) iter.Seq[string] {
	return func(yield func(string) bool) {
		fill := strings.NewReplacer("{user}", user, "{client}", client, "/people/suspend", "/people/suspend?id="+user).Replace
		for method, path := range console.Routes {
			if method == http.MethodGet && path != "/console/audit/export" && !yield(fill(path)) {
				return
			}
		}
	}
}

// TestPagesAreBounded: with many people and entries a page asks the store no more often, and
// takes no more from it, than with few.
func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	const many = 20_000
	s, b := start(t, testkit.Options{})
	users := make([]directory.User, 0, many)
	for i := range many {
		u := directory.User{DisplayName: fmt.Sprintf("Walker Number%d", i), CreateTime: testkit.Epoch.Add(time.Duration(-i) * time.Minute)}
		if i%10 == 0 {
			u.State = directory.Suspended
		}
		if i%100 == 0 {
			u.Groups = []string{fmt.Sprintf("group %d", i%700)}
		}
		users = append(users, u)
	}
	s.AddUsers(users...)
	entries := make([]audit.Entry, 0, 2000)
	for i := range cap(entries) {
		e := audit.New(operator, testkit.Account, audit.UserGet, string(users[0].ID), audit.Refused, testkit.Epoch)
		e.ActorKind, e.Actor, e.Target = "person", fmt.Sprint("actor", i), fmt.Sprint("target", i)
		entries = append(entries, e)
	}
	if err := s.Store.Append(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	c := counted{new(atomic.Int64), new(atomic.Int64)}
	s.Directory.Store = countedPeople{s.Directory.Store, c}
	s.OAuth.Store = countedApps{s.OAuth.Store, c}
	s.Records.Store = countedRecords{s.Records.Store, c}
	one := "/console/people/ada"
	limits := map[string]struct{ calls, rows int64 }{
		"/console/overview":                      {4, 600},
		"/console/people":                        {2, 150},
		"/console/people?q=walker+number1":       {2, 150},
		"/console/people?q=nobody":               {2, 150},
		"/console/people?state=SUSPENDED&q=walk": {2, 150},
		"/console/people?group=group+100":        {2, 150},
		"/console/people?state=PENDING":          {2, 150},
		one:                                      {30, 60},
		one + "/edit":                            {1, 1},
		"/console/integrations":                  {0, 0},
		"/console/audit":                         {201, 250},
		"/console/audit?target=nobody":           {1, 0},
		"/console/account":                       {0, 0},
		"/console/profile":                       {0, 0},
	}
	for path := range pages("ada", string(s.AddApplication().ID)) {
		if _, known := limits[path]; !known { // a form, or one integration
			limits[path] = struct{ calls, rows int64 }{20, 60}
		}
	}
	for path, most := range limits {
		c.calls.Store(0)
		c.rows.Store(0)
		if p := b.get(path); p.status != http.StatusOK && p.status != http.StatusSeeOther {
			t.Errorf("%s: got %d\n%s", path, p.status, p.text())
		}
		if c.calls.Load() > most.calls || c.rows.Load() > most.rows {
			t.Errorf("%s: %d questions and %d rows, want at most %d and %d", path, c.calls.Load(), c.rows.Load(), most.calls, most.rows)
		}
	}
}
