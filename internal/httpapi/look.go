package httpapi

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
)

// Look is one statement's look at the database for one request: the token it carries,
// and what its bearer asks for. What was seen serves that request alone; whether it may
// be told is decided afterwards, as if it had been read then.
type Look interface {
	oauth.Grants
	directory.Sight
}

// Looks begins looks.
type Looks interface {
	LookAtUser(account ident.AccountID, id ident.UserID) Look
	LookAtPage(account ident.AccountID, cursor page.Cursor, limit int) Look
}

// lookAtUser looks at the person of the path.
func (a *API) lookAtUser(_ context.Context, c *call) {
	if ident.Possible(string(c.account)) && ident.Possible(string(c.user)) {
		c.look = a.Looks.LookAtUser(c.account, c.user)
	}
}

// mostAhead bounds the pages that are read before it is known whether the caller is over
// a limit: a flood of refused requests must not make the database work for each.
const mostAhead = 100

// lookAtPage looks at the page of the query. One that is refused, or long, is left for
// the handler.
func (a *API) lookAtPage(ctx context.Context, c *call) {
	cursor, err := a.cursor(ctx, c)
	if err == nil && cursor.Size <= mostAhead && ident.Possible(string(c.account)) {
		c.look = a.Looks.LookAtPage(c.account, cursor, directory.PageLimit(cursor))
	}
}

// cursor reads the query of a list of people, once.
func (a *API) cursor(ctx context.Context, c *call) (page.Cursor, error) {
	if c.listed {
		return c.cursor, c.cursorErr
	}
	c.listed = true
	q, err := listQuery(c.request.URL.RawQuery)
	if err == nil {
		c.cursor, err = a.Directory.Cursor(ctx, c.account, q)
	}
	c.cursorErr = err
	return c.cursor, err
}

// directory is the use cases on people as this request sees them.
func (a *API) directory(c *call) *directory.Service {
	if c.look == nil {
		return a.Directory
	}
	return a.Directory.Seeing(c.look)
}

// grants is where what is known of the request's token is read.
func (a *API) grants(c *call) oauth.Grants {
	if c.look == nil {
		return a.OAuth.Store
	}
	return c.look
}
