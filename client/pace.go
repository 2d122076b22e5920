package client

import (
	"context"
	"sync"
	"time"
)

// Pacing spaces the requests of a client. The limits of the service count all
// programs of an application together: leave the others their share.
type Pacing struct {
	// PerMinute and PerHour bound the requests on people in any 60 seconds and in
	// any hour; 0 = no bound, here and below.
	PerMinute, PerHour int
	// ReadsPerMinute and ReadsPerHour bound listing and getting applications.
	ReadsPerMinute, ReadsPerHour int
	// WritesPerMinute and WritesPerHour bound changing applications.
	WritesPerMinute, WritesPerHour int
}

// PublishedPacing keeps within the published limits for each application: on people
// 100 requests a minute and 6000 an hour, on applications 60 and 3600 reads, 10 and
// 600 writes.
func PublishedPacing() Pacing {
	return Pacing{
		PerMinute: 100, PerHour: 6000,
		ReadsPerMinute: 60, ReadsPerHour: 3600,
		WritesPerMinute: 10, WritesPerHour: 600,
	}
}

func (p Pacing) isNegative() bool {
	return min(p.PerMinute, p.PerHour, p.ReadsPerMinute, p.ReadsPerHour, p.WritesPerMinute, p.WritesPerHour) < 0
}

// pacers are those of the families of requests that are counted apart (contract
// section 9).
type pacers struct{ users, reads, writes *pacer }

func newPacers(p Pacing, now func() time.Time) pacers {
	return pacers{
		users:  newPacer(p.PerMinute, p.PerHour, now),
		reads:  newPacer(p.ReadsPerMinute, p.ReadsPerHour, now),
		writes: newPacer(p.WritesPerMinute, p.WritesPerHour, now),
	}
}

// pacer admits requests so that a server that counts exactly never refuses one.
//
// The server counts a request at a moment between its sending and its answer. A
// place is therefore taken when a request is sent, and given back a window after
// its answer came: whatever the network does, the next one then arrives later than
// a window after the first was counted.
type pacer struct {
	now      func() time.Time
	turn     chan struct{} // held by the one who waits for a place: the others queue behind
	answered chan struct{} // tells that one of a request that was answered

	mu      sync.Mutex
	windows []window
	flying  int // sent, not answered
}

// window remembers when the requests of its last span were answered.
type window struct {
	most     int
	span     time.Duration
	answered []time.Time // oldest first
}

func newPacer(perMinute, perHour int, now func() time.Time) *pacer {
	pc := &pacer{now: now, turn: make(chan struct{}, 1), answered: make(chan struct{}, 1)}
	add := func(most int, span time.Duration) {
		if most > 0 {
			// A thousandth more, because two clocks never run alike.
			pc.windows = append(pc.windows, window{most: most, span: span + span/1000})
		}
	}
	add(perMinute, time.Minute)
	add(perHour, time.Hour)
	return pc
}

// acquire waits until a request may be sent. The caller calls done once it has the
// answer or knows that there is none.
func (p *pacer) acquire(ctx context.Context) (done func(), err error) {
	if len(p.windows) == 0 {
		return func() {}, nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		wait, ok := p.try()
		if ok {
			return p.done, nil
		}
		if err := p.await(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// try takes a place, or tells how long there is none; 0 says that it depends on an
// answer. Answers do not shorten a wait: they keep their places for a window.
func (p *pacer) try() (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	full := false
	for i := range p.windows {
		w := &p.windows[i]
		w.forget(now)
		if len(w.answered)+p.flying < w.most {
			continue
		}
		full = true
		if len(w.answered) > 0 {
			wait = max(wait, w.answered[0].Add(w.span).Sub(now))
		}
	}
	if !full {
		p.flying++
	}
	return wait, !full
}

// await waits for wait, where it is 0 for an answer, or until ctx ends.
func (p *pacer) await(ctx context.Context, wait time.Duration) error {
	if wait > 0 {
		return sleep(ctx, wait)
	}
	select {
	case <-p.answered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// forget drops the answers that are older than the span.
func (w *window) forget(now time.Time) {
	old := 0
	for old < len(w.answered) && !now.Before(w.answered[old].Add(w.span)) {
		old++
	}
	w.answered = w.answered[old:]
}

func (p *pacer) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flying--
	now := p.now()
	for i := range p.windows {
		p.windows[i].answered = append(p.windows[i].answered, now)
	}
	select {
	case p.answered <- struct{}{}:
	default: // it has been told already
	}
}
