package node

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-id/rollcall/internal/store"
)

// clocksAgree is how far a replica's clock may be from the database's. Replicas that keep to it are at most twice as far
// from each other: so much longer or shorter than promised a token, a session or an overlap of secrets may live.
const clocksAgree = time.Second

// clockWatch compares a replica's clock with that of the database's server, which all replicas share: at the start and
// once a minute. A wrong one is told loudly and turns nobody away: if it is the database's clock that is wrong, all
// replicas would go at once, and nothing that was acknowledged depends on any clock (decision 30).
type clockWatch struct {
	ask    func(context.Context) (time.Time, error)
	now    func() time.Time
	logger *slog.Logger

	ahead atomic.Uint64 // seconds, as bits of a float
	wrong bool          // what was said last; of look alone
}

func newClockWatch(c *Core) *clockWatch {
	return &clockWatch{ask: c.Store.Clock, now: c.now, logger: c.logger}
}

// ahead is how far a clock, on which a question was asked and answered at two moments, is ahead of the one that the
// answer is from; negative if it is behind. The way takes a while, of which nobody knows the parts: it is the least that
// is certain, and 0 if both may be the same.
func ahead(asked, there, answered time.Time) time.Duration {
	switch {
	case asked.After(there):
		return asked.Sub(there)
	case answered.Before(there):
		return answered.Sub(there)
	}
	return 0
}

// look compares once. It says so when the clock becomes wrong, and when it is right again.
func (w *clockWatch) look(ctx context.Context) error {
	asked := w.now()
	there, err := w.ask(ctx)
	switch {
	case errors.Is(err, store.ErrOwnClock):
		return nil
	case err != nil:
		return err
	}
	d := ahead(asked, there, w.now())
	w.ahead.Store(math.Float64bits(d.Seconds()))
	wrong := d.Abs() > clocksAgree
	switch {
	case wrong && !w.wrong:
		w.logger.Error("the clock of this replica and that of the database differ: tokens, sessions and overlaps of secrets live as much longer or shorter; see that both follow the same time servers (NTP)",
			"ahead_seconds", d.Seconds(), "allowed_seconds", clocksAgree.Seconds())
	case !wrong && w.wrong:
		w.logger.Warn("the clock of this replica agrees with that of the database again", "ahead_seconds", d.Seconds())
	}
	w.wrong = wrong
	return nil
}

func (w *clockWatch) register(r prometheus.Registerer) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rollcall_clock_ahead_seconds", Help: "How far this replica's clock is ahead of the database's at least, negative if it is behind; looked at once a minute. 0 where the database is a folder of this machine.",
	}, func() float64 { return math.Float64frombits(w.ahead.Load()) }))
}
