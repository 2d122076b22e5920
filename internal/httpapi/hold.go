package httpapi

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/internal/admit"
)

// busyPace spreads the refusals of an overload, of all callers together. Whoever is refused
// and asks again at once costs a good part of what those cost who are served. The first
// are told at once.
var busyPace = admit.PacerOptions{Every: 2 * time.Millisecond, Burst: 100, Longest: 2 * time.Second, Held: 8192}

// slow holds back the refusal of a caller who is over a limit and asks on and on. The
// request has no place any more, and Retry-After counts from before.
func (d *door) slow(ctx context.Context, c *call) { hold(ctx, d.limited.Of(c.lane), time.Now()) }

// hold waits for as long as a pacer wants, or until ctx ends.
func hold(ctx context.Context, p *admit.Pacer, now time.Time) {
	wait := p.Hold(now)
	if wait == 0 {
		return
	}
	defer p.Release()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
