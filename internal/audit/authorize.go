package audit

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Authorize tells whether the caller may use p in account for act on target; a denial is
// in the record before it is answered. It is how every use case begins.
func Authorize(ctx context.Context, store Store, c access.Caller, account ident.AccountID, p access.Permission, act Action, target string, at time.Time) error {
	denied := c.Authorize(account, p)
	if denied == nil {
		return nil
	}
	// The entry belongs to the caller's own account: the other one may not exist,
	// and its people must not be shown who knocks by a row the knocker writes.
	entry := New(c, c.Account, act, target, Denied, at)
	if account != c.Account {
		entry = entry.With("in account " + Clean(string(account), MaxTarget))
	} else {
		entry = entry.With("the " + string(c.Kind) + " lacks " + p.String())
	}
	if err := store.Append(ctx, []Entry{entry}); err != nil {
		return err
	}
	return denied
}
