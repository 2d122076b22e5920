package console

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// spend counts a change of an integration against the person's allowance, the same that
// their calls of the API spend (contract section 9).
func (c *Console) spend(ctx context.Context, v *visit) error {
	key := throttle.Key{Class: throttle.ClassManagementWrite, Subject: string(v.signed.User.ID)}
	d, err := c.Limiter.Spend(ctx, key, v.began)
	if err != nil || d.Admitted {
		return err
	}
	return fault.Exhausted(d.RetryAfter, "Over the limit of %s: wait %d s.", d.Limit, int(d.RetryAfter/time.Second))
}
