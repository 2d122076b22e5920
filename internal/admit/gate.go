// Package admit owns who is served when not everybody can be: a bounded number of
// requests in work, a bounded number that wait, and whose turn is next.
//
//	Enter ---- a place is free ------------------------> in work -- Leave, Start
//	   \------ wait in the caller's lane -- turn comes --/
//	                |-- too late, or gone (GiveUp) --> refused
//	                '-- displaced by a newer one ----> refused
//
// Callers wait in lanes, one for each application (see Known), and lanes take turns: how
// much one caller asks for does not lengthen the way of another. It leaves to its caller
// what a request is, how long one may wait, and what a refusal looks like. It knows no
// HTTP, reads no clock and draws no random number.
//
// What must always hold: never more in work than there are places, never more waiting
// than are allowed; no lane has all places while there are a few (see Limits); a place
// is never free after Start while somebody waits who could have it; whoever waits in a lane is
// passed by no more than one of each other lane before the next of its own lane starts.
package admit

import (
	"sync"
	"time"
)

// Limits bound a Gate.
type Limits struct {
	// Places is how many may be in work at once, at least 1. A lane takes at most three
	// quarters of them, rounded up: one whose work is stuck leaves the others some.
	Places int
	// Waiting is how many may wait, in all lanes together; 0 = none.
	Waiting int
	// Fresh is how long somebody may have waited for their lane to be served in the order of
	// arrival while some of it have to make room. Beyond it there is more work than can be done, and the newest goes
	// first: it is better that some are served at once than that all are served just before
	// they give up (adaptive LIFO; Maurer, "Fail at Scale", ACM Queue 13(8), 2015).
	Fresh time.Duration
}

// Gate lets requests in. It is safe for concurrent use.
type Gate struct {
	limits Limits
	most   int // places of one lane

	mu      sync.Mutex
	lanes   map[Lane]*lane // those with somebody in work or waiting
	turn    *lane          // of the ring of those with somebody waiting, the next to be served
	queues  int            // lanes in the ring
	working int
	waiting int
	due     bool    // Start is going to be called
	idle    []*lane // to be used again
	stats   Stats
}

// Stats is what a Gate has seen. Counters only grow.
type Stats struct {
	Working, Waiting int    // now
	Waited           uint64 // who did not get a place at once
	Displaced        uint64 // refused because too many waited
	Late             uint64 // refused because their turn did not come in time
}

// NewGate makes a gate; limits below the least are raised to it.
func NewGate(l Limits) *Gate {
	l.Places, l.Waiting = max(l.Places, 1), max(l.Waiting, 0)
	return &Gate{limits: l, most: l.Places - l.Places/4, lanes: map[Lane]*lane{}}
}

// Place is a place in work, or the zero value.
type Place struct{ lane *lane }

// Waiter is somebody who waits for a place.
type Waiter struct {
	lane         *lane
	since        time.Time
	older, newer *Waiter
	queued       bool
	turn         chan Place
}

// Turn receives once: the place, or the zero Place for one who is refused. Whoever gives
// up need not receive.
func (w *Waiter) Turn() <-chan Place { return w.turn }

// Enter asks for a place. It returns the place, or a waiter for it, or neither, which is a
// refusal. now is what the order within a lane is decided by.
func (g *Gate) Enter(key Lane, now time.Time) (Place, *Waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lane(key)
	if g.working < g.limits.Places && l.working < g.most && !g.due {
		l.working++
		g.working++
		return Place{l}, nil
	}
	g.stats.Waited++
	if g.waiting >= g.limits.Waiting && !g.displace(l, now) {
		g.stats.Displaced++
		g.rest(l)
		return Place{}, nil
	}
	w := &Waiter{lane: l, since: now, turn: make(chan Place, 1)}
	g.push(w)
	return Place{}, w
}

// Leave gives a place back. It returns true if somebody waits and nobody has been told
// so yet: then Start is to be called, soon. Whoever comes in between waits with the others.
func (g *Gate) Leave(p Place) (start bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.lane.working--
	g.working--
	g.rest(p.lane)
	start = g.waiting > 0 && !g.due
	g.due = g.due || start
	return start
}

// Start gives the free places to those whose turn it is.
func (g *Gate) Start(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.due = false
	for g.working < g.limits.Places && g.startNext(now) {
	}
}

// GiveUp takes a waiter away; late tells that it has waited too long, and has not just
// gone. It returns false if the turn came first: then it is in Turn already.
func (g *Gate) GiveUp(w *Waiter, late bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !w.queued {
		return false
	}
	if late {
		g.stats.Late++
	}
	g.remove(w)
	g.rest(w.lane)
	return true
}

// Stats returns what the gate has seen so far.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Working, s.Waiting = g.working, g.waiting
	return s
}

// startNext gives a place to the next lane that may have one more, and tells whether
// there was one. Only one lane can have all it may, so two looks are enough.
func (g *Gate) startNext(now time.Time) bool {
	for range min(g.queues, 2) {
		l := g.turn
		g.turn = l.next
		if l.working >= g.most {
			continue
		}
		w := l.first(now, g.limits.Fresh)
		g.remove(w)
		l.working++
		g.working++
		w.turn <- Place{l}
		return true
	}
	return false
}

// displace makes room for one more in the lane by refusing the oldest of the longest
// lane, and tells whether it could. While there is no room, a lane with no fewer than
// its share pays for itself: only newcomers of short lanes cause a search.
func (g *Gate) displace(l *lane, now time.Time) bool {
	if g.waiting == 0 {
		return false
	}
	victim := l
	if l.waiting == 0 || l.waiting*g.queues < g.waiting {
		victim = g.longest()
	}
	victim.displaced = now
	w := victim.oldest
	g.remove(w)
	g.stats.Displaced++
	w.turn <- Place{}
	if victim != l {
		g.rest(victim)
	}
	return true
}
