package sharedlimit

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// round is one question to the store for all that wait. It is used again and again.
type round struct {
	requests []*request
	orders   []Order
	tallies  []tally // of each order
	places   map[throttle.Key]int
	pacing   pacing
	latest   int64 // given time; never goes back
}

// tally is how many requests of an order were admitted, and how many were told so far.
type tally struct{ admitted, told int }

// run asks the store for as long as somebody waits, until ctx ends. down is why the
// store is away at the start, or nil.
func (l *Limiter) run(ctx context.Context, down error) {
	defer close(l.ended)
	defer l.release(errAway)
	l.round.pacing.apart = time.Second // as if nobody had come so far
	patience := newPatience()
	for {
		if down != nil {
			l.lost(ctx, down, patience)
			down = nil
		}
		select {
		case <-ctx.Done():
			return
		case <-l.kick:
		}
		for down == nil && l.gather() {
			down = l.turn(ctx)
			l.rest(ctx)
		}
	}
}

// pace is how much time goes by from one round trip to the next while requests come
// closer together than dense, so that more of them share one: of the processor time that a
// round trip costs, little depends on how many they are. Who comes alone does not wait.
const (
	pace  = 3 * time.Millisecond
	dense = 750 * time.Microsecond
)

// pacing knows how close together requests have come lately.
type pacing struct {
	began time.Time     // the last round
	apart time.Duration // smoothed
}

// begin notes a round of so many requests. An eighth of the new figure counts, so that a
// single burst is not taken for a habit.
func (p *pacing) begin(now time.Time, requests int) {
	gap := min(now.Sub(p.began), time.Second) / time.Duration(max(1, requests))
	p.apart += (gap - p.apart) / 8
	p.began = now
}

// left is how long to let requests come before the next round.
func (p *pacing) left(now time.Time) time.Duration {
	if p.apart > dense {
		return 0
	}
	return pace - now.Sub(p.began)
}

// rest lets requests come.
func (l *Limiter) rest(ctx context.Context) {
	left := l.round.pacing.left(time.Now())
	if left <= 0 {
		return
	}
	pause := time.NewTimer(left)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// gather takes those that wait and orders each key once.
func (l *Limiter) gather() bool {
	r := &l.round
	r.requests = l.take(r.requests)
	if r.places == nil {
		r.places = make(map[throttle.Key]int)
	}
	clear(r.places)
	r.orders = r.orders[:0]
	for _, q := range r.requests {
		r.latest = max(r.latest, q.at)
		q.order, q.shut = r.place(q.key, q.meter), -1
		if q.behind {
			guard := r.place(q.guard, q.guards)
			o := &r.orders[q.order]
			q.shut = len(o.Guards)
			o.Guards = append(o.Guards, Guard{Order: guard})
		}
		if q.spend {
			r.orders[q.order].N++
		}
	}
	if l.given {
		for i := range r.orders {
			r.orders[i].At = r.latest
		}
	}
	return len(r.requests) > 0
}

// place returns the number of the order for a key.
func (r *round) place(key throttle.Key, meter throttle.Meter) int {
	at, ok := r.places[key]
	if ok {
		return at
	}
	at = len(r.orders)
	r.places[key] = at
	o := Order{Key: storeKey(key), Meter: meter}
	if at < cap(r.orders) { // an older round's, to be written over
		old := &r.orders[:at+1][at]
		o.Used, o.Guards = old.Used[:0], old.Guards[:0]
	}
	r.orders = append(r.orders, o)
	return at
}

// turn asks the store and answers everybody. It returns why the store is not to be
// asked again, or nil.
func (l *Limiter) turn(ctx context.Context) error {
	r := &l.round
	began := time.Now()
	r.pacing.begin(began, len(r.requests))
	limited, cancel := context.WithTimeout(ctx, l.timeout)
	l.store.Spend(limited, r.orders)
	cancel()
	l.counted.rounds.Add(1)
	l.counted.busy.Add(int64(time.Since(began)))
	r.tallies = r.tallies[:0]
	var failed error
	for i := range r.orders {
		o := &r.orders[i]
		if o.Err != nil && failed == nil {
			failed = o.Err
		}
		r.tallies = append(r.tallies, tally{})
		if o.Err == nil {
			r.tallies[i].admitted = o.Meter.Admits(o.Used, o.Counts)
		}
	}
	for i, q := range r.requests {
		q.answer = r.answer(q)
		r.requests[i] = nil
		q.done <- struct{}{} // from here on the request is its waiter's
	}
	return failed
}

// answer is what the round says to a request.
func (r *round) answer(q *request) answer {
	o, t := &r.orders[q.order], &r.tallies[q.order]
	if q.shut >= 0 {
		g := o.Guards[q.shut]
		if err := r.orders[g.Order].Err; err != nil {
			return answer{err: err}
		}
		if o.Err == nil && !g.Answer.Admitted {
			return answer{decision: g.Answer, refused: true}
		}
	}
	switch {
	case o.Err != nil:
		return answer{err: o.Err}
	case !q.spend:
		return answer{decision: o.Meter.Peek(o.Used)}
	}
	t.told++
	return answer{decision: o.Meter.Spend(o.Used, t.admitted, t.told-1)}
}

// How often to ask whether the store is back. The pause begins short again when the
// store has been in use for steadyAfter.
const (
	firstPause  = 100 * time.Millisecond
	longPause   = 5 * time.Second
	steadyAfter = 30 * time.Second
)

// patience is how long to leave an absent store alone.
type patience struct {
	pauses *backoff.ExponentialBackOff
	since  time.Time // when the store came back the last time
}

func newPatience() *patience {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = firstPause, longPause, 2
	return &patience{pauses: b}
}

// lost says that the store is away, and waits until it is back or ctx ends.
func (l *Limiter) lost(ctx context.Context, err error, p *patience) {
	l.release(err)
	if ctx.Err() != nil {
		return
	}
	l.logger.Error("limits are not shared: the store does not answer, and this replica meters by itself", "error", err)
	began := time.Now()
	if began.Sub(p.since) >= steadyAfter {
		p.pauses.Reset()
	}
	for {
		pause := time.NewTimer(p.pauses.NextBackOff())
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		if err := l.probe(ctx); err == nil {
			break
		}
	}
	p.since = time.Now()
	l.admit()
	l.logger.Info("limits are shared again", "after", p.since.Sub(began).Round(time.Millisecond).String())
}

// probeKey is no subject's: classes have names.
const probeKey = ":probe"

// probe counts a request that is nobody's. A store that needs more than half of what
// requests may wait is not back yet: it would be lost again at once.
func (l *Limiter) probe(ctx context.Context) error {
	rules, err := throttle.NewRules([]throttle.Policy{{Class: throttle.ClassUsers, Limits: []throttle.Limit{
		{Name: "probes a second", Per: time.Second, Max: math.MaxInt32 / 4},
	}}})
	if err != nil {
		return err
	}
	meter, err := rules.Meter(throttle.Key{Class: throttle.ClassUsers, Subject: probeKey})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, l.timeout/2)
	defer cancel()
	orders := []Order{{Key: probeKey, Meter: meter, N: 1}}
	l.store.Spend(ctx, orders)
	if err := orders[0].Err; err != nil && ctx.Err() != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return orders[0].Err
}
