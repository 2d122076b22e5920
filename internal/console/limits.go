package console

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// meter counts a page or a form against what one person may ask for: each can cost a walk
// through the record, or write a denial into it.
func (c *Console) meter(ctx context.Context, v *visit) error {
	if !v.known {
		return nil // signing in has limits of its own
	}
	key := throttle.Key{Class: throttle.ClassConsole, Subject: string(v.account()) + "/" + string(v.signed.User.ID)}
	return c.spendOn(ctx, v, key)
}

// spend counts a change of an integration against the person's allowance, the same that
// their calls of the API spend (contract section 9).
func (c *Console) spend(ctx context.Context, v *visit) error {
	return c.spendOn(ctx, v, throttle.Key{Class: throttle.ClassManagementWrite, Subject: string(v.signed.User.ID)})
}

func (c *Console) spendOn(ctx context.Context, v *visit, key throttle.Key) error {
	d, err := c.Limiter.Spend(ctx, key, v.began)
	if err != nil || d.Admitted {
		return err
	}
	return fault.Exhausted(d.RetryAfter, "Over the limit of %s: wait %d s.", d.Limit, int(d.RetryAfter/time.Second))
}
