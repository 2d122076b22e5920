package httpapi

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
)

func (a *API) listUsers(ctx context.Context, c *call) (reply, error) {
	cursor, err := a.cursor(ctx, c)
	if err != nil {
		return reply{}, a.unlessDenied(ctx, c, err)
	}
	users, next, err := a.directory(c).List(ctx, c.caller, c.account, cursor)
	if err != nil {
		return reply{}, err
	}
	return answer(people{users, next}), nil
}

func (a *API) getUser(ctx context.Context, c *call) (reply, error) {
	return userReply(a.directory(c).Get(ctx, c.caller, c.account, c.user))
}

func (a *API) suspendUser(ctx context.Context, c *call) (reply, error) {
	return a.change(ctx, c, a.Directory.Suspend)
}

func (a *API) reactivateUser(ctx context.Context, c *call) (reply, error) {
	return a.change(ctx, c, a.Directory.Reactivate)
}

type changeUser func(context.Context, access.Caller, ident.AccountID, ident.UserID) (directory.User, error)

func (a *API) change(ctx context.Context, c *call, change changeUser) (reply, error) {
	if err := c.noBody(); err != nil {
		if denied := a.unlessDenied(ctx, c, err); denied != err { //nolint:errorlint // the very same, or the denial
			return reply{}, denied
		}
		return reply{}, a.refused(c, err)
	}
	return userReply(change(ctx, c.caller, c.account, c.user))
}

// unlessDenied returns err, but permission is checked before what was sent: a caller
// who may not do this at all is told so instead.
func (a *API) unlessDenied(ctx context.Context, c *call, err error) error {
	denied := a.Directory.May(ctx, c.caller, c.account, c.op.Permission, c.op.Action, c.target())
	if denied != nil {
		return denied
	}
	return err
}

func userReply(u directory.User, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return answer(u), nil
}
