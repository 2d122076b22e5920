package cli

import (
	"context"

	"github.com/rollcall-id/rollcall/client"
)

// action is what is done to people.
type action string

const (
	suspend    action = "suspend"
	reactivate action = "reactivate"
)

// past is what people have been when it is done.
func (a action) past() string {
	if a == suspend {
		return "suspended"
	}
	return "reactivated"
}

// aim is the state that people are in when it is done.
func (a action) aim() client.State {
	if a == suspend {
		return client.StateSuspended
	}
	return client.StateActive
}

// already says of people that there is nothing to do.
func (a action) already() string {
	if a == suspend {
		return "already suspended"
	}
	return "already active"
}

func (a action) inverse() action {
	if a == suspend {
		return reactivate
	}
	return suspend
}

func (a action) do(ctx context.Context, s *session, id string) (client.User, error) {
	if a == suspend {
		return s.Users.Suspend(ctx, id)
	}
	return s.Users.Reactivate(ctx, id)
}
