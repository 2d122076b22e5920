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
	a := l.ask(ctx, key, nil, now, true)
	return a.decision, a.err
}

// Peek implements throttle.Limiter.
func (l *Limiter) Peek(ctx context.Context, key throttle.Key, now time.Time) (throttle.Decision, error) {
	a := l.ask(ctx, key, nil, now, false)
	return a.decision, a.err
}

// SpendBehind implements throttle.Limiter.
func (l *Limiter) SpendBehind(ctx context.Context, guard, key throttle.Key, now time.Time) (throttle.Decision, bool, error) {
	a := l.ask(ctx, key, &guard, now, true)
	return a.decision, a.refused, a.err
}

// Glance implements throttle.Limiter. It asks the store only about keys that this
// replica has seen spent: of others nobody here can have learnt anything yet.
func (l *Limiter) Glance(ctx context.Context, key throttle.Key, now time.Time) (throttle.Decision, error) {
	d, err := l.local.Peek(ctx, key, now)
	if err != nil || d.Reset == 0 {
		return d, err
	}
	return l.Peek(ctx, key, now)
}

func (l *Limiter) ask(ctx context.Context, key throttle.Key, guard *throttle.Key, now time.Time, spend bool) answer {
	q := question{key: key, spend: spend, at: micros(now)}
	var err error
	if guard != nil {
		q.guard = *guard
		if q.guards, err = l.rules.Meter(q.guard); err != nil {
			return answer{err: err}
		}
		q.behind = !q.guards.Unlimited()
	}
	if q.meter, err = l.rules.Meter(key); err != nil {
		return answer{err: err}
	}
	if q.meter.Unlimited() {
		return l.unlimited(ctx, q, now)
	}
	l.counted.requests.Add(1)
	a := l.wait(ctx, q)
	if a.err == nil {
		return l.note(ctx, q, a, now)
	}
	if ctx.Err() != nil {
		return answer{err: fmt.Errorf("wait for the store of limits: %w", context.Cause(ctx))}
	}
	l.counted.alone.Add(1)
	return l.alone(ctx, q, now)
}

// unlimited answers for a key without limits: only its guard may refuse.
func (l *Limiter) unlimited(ctx context.Context, q question, now time.Time) answer {
	if q.behind {
		if a := l.ask(ctx, q.guard, nil, now, false); a.err != nil || !a.decision.Admitted {
			a.refused = a.err == nil
			return a
		}
	}
	return answer{decision: throttle.Decision{Admitted: true}}
}

// alone answers from this replica's memory.
func (l *Limiter) alone(ctx context.Context, q question, now time.Time) (a answer) {
	switch {
	case q.behind:
		a.decision, a.refused, a.err = l.local.SpendBehind(ctx, q.guard, q.key, now)
	case q.spend:
		a.decision, a.err = l.local.Spend(ctx, q.key, now)
	default:
		a.decision, a.err = l.local.Peek(ctx, q.key, now)
	}
	return a
}

// note counts along, for the day on which the store is away. It also notes keys that
// others have used up, which Glance is to ask about.
func (l *Limiter) note(ctx context.Context, q question, a answer, now time.Time) answer {
	seen := q.key
	if a.refused {
		seen = q.guard
	}
	if a.decision.Admitted && !q.spend {
		return a
	}
	if !a.decision.Admitted {
		if d, err := l.local.Peek(ctx, seen, now); err != nil || d.Reset > 0 {
			return a
		}
	}
	_, a.err = l.local.Spend(ctx, seen, now)
	return a
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
