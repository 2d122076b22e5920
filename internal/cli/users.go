package cli

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// Users works on the people of the account.
type Users struct {
	Calls

	List       UsersList       `cmd:"" help:"List people, those who were created first at the front."`
	Get        UsersGet        `cmd:"" help:"Show one person."`
	Suspend    UsersSuspend    `cmd:"" help:"End people's access, at once."`
	Reactivate UsersReactivate `cmd:"" help:"Give people their access back."`
	Undo       UsersUndo       `cmd:"" help:"Take back what a run of suspend or reactivate changed."`
}

// UsersList lists people.
type UsersList struct {
	Filter   string   `help:"Only people of this state: ${enum}." enum:"all,active,suspended" default:"all" placeholder:"STATE"`
	Output   string   `help:"How they are printed: ${enum}." enum:"table,json,jsonl,csv" default:"table" placeholder:"FORMAT"`
	Columns  []string `help:"What is printed of each, of ${enum}." enum:"id,email,display_name,state,create_time,path" placeholder:"COLUMN"`
	PageSize int      `help:"People a request, up to 1000; 0 = as many as are useful." default:"0" placeholder:"N"`
	Limit    int      `help:"How many people at most; 0 = all." default:"0" placeholder:"N"`
}

// Help gives examples.
func (UsersList) Help() string {
	return `They are printed as they come, however many there are. A cell of the CSV form that a spreadsheet would take for a formula has a ' in front.

	rollcall users list --filter active --limit 20
	rollcall users list --output csv --columns email,state
	rollcall users list --output jsonl --filter suspended`
}

var filters = map[string]client.Filter{"all": client.AllUsers, "active": client.ActiveUsers, "suspended": client.SuspendedUsers}

// Run lists them.
func (cmd *UsersList) Run(ctx context.Context, e *Env, users *Users) error {
	if cmd.Limit < 0 || cmd.PageSize < 0 || cmd.PageSize > client.MaxPageSize {
		return terminal.Misused("--limit is 0 for all, or how many at most; --page-size is 0 to %d", client.MaxPageSize)
	}
	return users.connected(ctx, e, func(s *session) error {
		l := newListing(e, userSheet, cmd.Output, cmd.Columns)
		n, err := cmd.print(ctx, s, l)
		if err != nil {
			return interrupted(ctx, err, fmt.Sprintf("the list is not complete (people so far: %d)", n))
		}
		return l.End("There is nobody to list.")
	})
}

// print returns how many were printed.
func (cmd *UsersList) print(ctx context.Context, s *session, l listing[client.User]) (n int, err error) {
	o := client.ListOptions{Filter: filters[cmd.Filter], PageSize: cmd.PageSize}
	if o.PageSize == 0 && cmd.Limit > 0 {
		o.PageSize = min(cmd.Limit, client.MaxPageSize)
	}
	for u, err := range s.Users.All(ctx, o) {
		if err != nil {
			return n, err
		}
		if err := l.Add(u); err != nil {
			return n, err
		}
		if n++; n == cmd.Limit {
			return n, nil
		}
	}
	return n, nil
}

// UsersGet shows somebody.
type UsersGet struct {
	Who    string `arg:"" help:"Id or e-mail address."`
	Output string `help:"How they are printed: ${enum}." enum:"table,json" default:"table" placeholder:"FORMAT"`
}

// Help gives examples.
func (UsersGet) Help() string {
	return `An e-mail address is looked for in the list of all people, which takes a request for each 1000 of them; an id takes one.

	rollcall users get ada@example.com
	rollcall users get IR7VB5DAQRDWXAMPLE4QXW2ZLU --output json`
}

// Run shows them.
func (cmd *UsersGet) Run(ctx context.Context, e *Env, users *Users) error {
	return users.connected(ctx, e, func(s *session) error {
		u, err := s.person(ctx, cmd.Who)
		if err != nil {
			return interrupted(ctx, err, "the person was not found yet")
		}
		return terminal.NewPrinter(e.Stdout, e.Stderr, cmd.Output == asJSON).One(u, userSheet.lines(u)...)
	})
}

// person finds one person.
func (s *session) person(ctx context.Context, who string) (client.User, error) {
	r := parseName(who)
	if r.email == "" {
		return s.Users.Get(ctx, r.id)
	}
	people, err := s.find(ctx, []name{r})
	if err != nil {
		return client.User{}, err
	}
	if p := people[0]; p.problem != "" {
		return client.User{}, &explained{fmt.Errorf("%s: %s", who, p.problem), s.hint(client.ErrNotFound)}
	}
	return people[0].User, nil
}
