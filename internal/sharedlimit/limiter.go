package sharedlimit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// DefaultTimeout is how long requests wait for the store at most, once.
const DefaultTimeout = 500 * time.Millisecond

// ErrRefused means that the store is there and does not let us in, or lacks what we
// need: waiting does not mend that.
var ErrRefused = errors.New("the store of limits refuses us")

// Options says how to meter. Policies, Local and Logger are required.
type Options struct {
	Policies []throttle.Policy
	// Local meters this replica while the store is away. It has the same policies and
	// belongs to this limiter alone.
	Local  *throttle.Memory
	Logger *slog.Logger
	// Timeout is how long requests wait for the store, once; 0 = DefaultTimeout.
	Timeout time.Duration
	// GivenTime counts at the times that callers give, which never go back for this
	// limiter, instead of the store's: for tests with a clock of their own.
	GivenTime bool
}

// Limiter meters in a store that replicas share. It is a throttle.Limiter.
type Limiter struct {
	store   Store
	rules   *throttle.Rules
	local   *throttle.Memory
	logger  *slog.Logger
	timeout time.Duration
	given   bool

	mu      sync.Mutex
	away    bool // the store is not used; nobody waits
	waiting []*request

	kick   chan struct{} // somebody waits
	stop   context.CancelFunc
	ended  chan struct{}
	closed sync.Once

	round   round // of the goroutine that asks the store
	counted counters
}

type counters struct {
	requests, rounds, busy, alone atomic.Int64
}

// New makes a limiter on a store, which it closes at its end. If the store does not
// answer now, the limiter begins without it; the error is one only if the store refuses
// us (ErrRefused) or the policies are wrong, and the store is closed then.
func New(ctx context.Context, store Store, o Options) (*Limiter, error) {
	rules, err := throttle.NewRules(o.Policies)
	if err != nil {
		store.Close()
		return nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	l := &Limiter{
		store: store, rules: rules, local: o.Local, logger: o.Logger, timeout: o.Timeout, given: o.GivenTime,
		kick: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	err = l.probe(ctx)
	if errors.Is(err, ErrRefused) {
		store.Close()
		return nil, err
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	go l.run(ctx, err)
	return l, nil
}

// Close lets go of the store. Whoever still waits is metered by this replica alone.
func (l *Limiter) Close() {
	l.closed.Do(func() {
		l.stop()
		<-l.ended
		l.store.Close()
	})
}

// Spend implements throttle.Limiter.
func (l *Limiter) Spend(ctx context.Context, key throttle.Key, now time.Time) (throttle.Decision, error) {
	return l.ask(ctx, key, now, true)
}

// Peek implements throttle.Limiter.
func (l *Limiter) Peek(ctx context.Context, key throttle.Key, now time.Time) (throttle.Decision, error) {
	return l.ask(ctx, key, now, false)
}

func (l *Limiter) ask(ctx context.Context, key throttle.Key, now time.Time, spend bool) (throttle.Decision, error) {
	meter, err := l.rules.Meter(key)
	if err != nil || meter.Unlimited() {
		return throttle.Decision{Admitted: err == nil}, err
	}
	l.counted.requests.Add(1)
	d, err := l.wait(ctx, question{key: key, meter: meter, spend: spend, at: micros(now)})
	switch {
	case err == nil && spend && d.Admitted:
		// Count along, for the day on which the store is away.
		_, err = l.local.Spend(ctx, key, now)
		return d, err
	case err == nil:
		return d, nil
	case ctx.Err() != nil:
		return throttle.Decision{}, fmt.Errorf("wait for the store of limits: %w", context.Cause(ctx))
	}
	l.counted.alone.Add(1)
	if spend {
		return l.local.Spend(ctx, key, now)
	}
	return l.local.Peek(ctx, key, now)
}

// Sweep forgets what has become idle. The server calls it about once a minute.
func (l *Limiter) Sweep(ctx context.Context, now time.Time) error {
	l.local.Sweep(now)
	if !l.Stats().Shared {
		return nil
	}
	return l.store.Sweep(ctx)
}

// Stats is what metrics tell.
type Stats struct {
	Shared   bool          // the store is in use
	Requests int64         // questions asked of this limiter about limited keys
	Alone    int64         // of these, answered by this replica's memory
	Rounds   int64         // round trips that were made to answer the others
	Busy     time.Duration // how long those took, together
}

// Stats tells how the limiter does.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	shared := !l.away
	l.mu.Unlock()
	c := &l.counted
	return Stats{
		Shared: shared, Requests: c.requests.Load(), Alone: c.alone.Load(),
		Rounds: c.rounds.Load(), Busy: time.Duration(c.busy.Load()),
	}
}
