package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/rollcall-id/rollcall/api"
)

// User is a person of the account.
type User = api.User

// Timestamp is a time as the API writes it.
type Timestamp = api.Timestamp

// State says whether a person may sign in. Servers may know more states than these.
type State = api.State

// The states of a person.
const (
	StateActive    = api.StateActive
	StateSuspended = api.StateSuspended
)

// Filter chooses the people of a list.
type Filter string

// The filters there are.
const (
	AllUsers       Filter = ""
	ActiveUsers    Filter = "user.isActive()"
	SuspendedUsers Filter = "user.isSuspended()"
)

// MaxPageSize is the most people that a page holds.
const MaxPageSize = 1000

// ListOptions says what to list.
type ListOptions struct {
	// Filter chooses people by their state; AllUsers unless it is set.
	Filter Filter
	// PageSize is the most people of a page; the server caps it at MaxPageSize.
	// 0 leaves it to the server (25) in List, and is MaxPageSize in Pages and All,
	// which saves requests.
	PageSize int
	// PageToken is where to begin: the NextPageToken or PageToken of a Page that
	// came with the same Filter. Servers keep it good for three days.
	PageToken string
}

func (o ListOptions) query() url.Values {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("filter", string(o.Filter))
	set("page_token", o.PageToken)
	if o.PageSize != 0 {
		set("max_page_size", strconv.Itoa(o.PageSize))
	}
	return q
}

// UsersService works on the people of the account.
type UsersService struct{ client *Client }

// List returns one page of people, those who were created first at the front. It
// sends the options that are set and no others.
func (s *UsersService) List(ctx context.Context, o ListOptions) (Page, error) {
	target := s.client.routes.users
	if q := o.query(); len(q) > 0 {
		target += "?" + q.Encode()
	}
	var body api.ListUsersResponse
	if err := s.client.resource(ctx, s.call(http.MethodGet, target), &body); err != nil {
		return Page{PageToken: o.PageToken}, fmt.Errorf("client: list users: %w", err)
	}
	return Page{Users: body.Results, PageToken: o.PageToken, NextPageToken: body.NextPageToken}, nil
}

// Get returns one person. ErrNotFound for somebody unknown or still invited.
func (s *UsersService) Get(ctx context.Context, id string) (User, error) {
	return s.one(ctx, "get", http.MethodGet, id, "")
}

// Suspend ends a person's access and returns them in their new state. Repeating it
// is no error. ErrLastOwner, ErrExternallyManaged and ErrAutomatedProvisioning tell
// why somebody can't be suspended.
func (s *UsersService) Suspend(ctx context.Context, id string) (User, error) {
	return s.one(ctx, "suspend", http.MethodPost, id, ":suspend")
}

// Reactivate gives a suspended person their access back and returns them in their
// new state. Repeating it is no error. ErrAutomatedProvisioning where the account
// leaves that to its directory.
func (s *UsersService) Reactivate(ctx context.Context, id string) (User, error) {
	return s.one(ctx, "reactivate", http.MethodPost, id, ":reactivate")
}

func (s *UsersService) call(method, target string) call {
	return call{method: method, target: target, pacer: s.client.pacers.users}
}

func (s *UsersService) one(ctx context.Context, verb, method, id, suffix string) (User, error) {
	var u User
	err := checkID(id)
	if err == nil {
		err = s.client.resource(ctx, s.call(method, s.client.routes.users+"/"+url.PathEscape(id)+suffix), &u)
	}
	if err == nil && u.ID == "" {
		err = fmt.Errorf("%w: a user without an id: check the base URL", ErrUnexpected)
	}
	if err != nil {
		return User{}, fmt.Errorf("client: %s user %s: %w", verb, printable(id), err)
	}
	return u, nil
}
