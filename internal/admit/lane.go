package admit

import "time"

// Lane names whom a request is for. Equal lanes wait together.
type Lane uint64

// lane is the requests of one Lane.
type lane struct {
	key            Lane
	working        int
	waiting        int
	displaced      time.Time // when somebody last had to make room
	oldest, newest *Waiter   // of a list
	prev, next     *lane     // of the ring, while anybody waits
}

// crowded is how long after somebody had to make room there are too many in a lane.
const crowded = 100 * time.Millisecond

// first is whose turn it is within the lane. Where nobody has to make room everybody's turn comes: to let
// the newest go first would only keep the oldest from it.
func (l *lane) first(now time.Time, fresh time.Duration) *Waiter {
	if now.Sub(l.oldest.since) > fresh && now.Sub(l.displaced) < crowded {
		return l.newest
	}
	return l.oldest
}

// lane returns the lane of a key.
func (g *Gate) lane(key Lane) *lane {
	if l := g.lanes[key]; l != nil {
		return l
	}
	var l *lane
	if n := len(g.idle); n > 0 {
		l, g.idle = g.idle[n-1], g.idle[:n-1]
		l.key, l.displaced = key, time.Time{}
	} else {
		l = &lane{key: key}
	}
	g.lanes[key] = l
	return l
}

// mostIdle bounds how many lanes are kept to be used again.
const mostIdle = 64

// rest forgets a lane in which nobody is left.
func (g *Gate) rest(l *lane) {
	if l.working > 0 || l.waiting > 0 {
		return
	}
	delete(g.lanes, l.key)
	if len(g.idle) < mostIdle {
		g.idle = append(g.idle, l)
	}
}

// push adds a waiter to its lane, and the lane to the end of the ring.
func (g *Gate) push(w *Waiter) {
	l := w.lane
	w.queued, w.older = true, l.newest
	if l.newest == nil {
		l.oldest = w
	} else {
		l.newest.newer = w
	}
	l.newest = w
	g.waiting++
	if l.waiting++; l.waiting == 1 {
		g.join(l)
	}
}

// remove takes a waiter out of its lane, and an empty lane out of the ring.
func (g *Gate) remove(w *Waiter) {
	l := w.lane
	if w.older == nil {
		l.oldest = w.newer
	} else {
		w.older.newer = w.newer
	}
	if w.newer == nil {
		l.newest = w.older
	} else {
		w.newer.older = w.older
	}
	w.queued, w.older, w.newer = false, nil, nil
	g.waiting--
	if l.waiting--; l.waiting == 0 {
		g.part(l)
	}
}

// join puts a lane where its turn is last.
func (g *Gate) join(l *lane) {
	g.queues++
	if g.turn == nil {
		l.prev, l.next, g.turn = l, l, l
		return
	}
	l.next, l.prev = g.turn, g.turn.prev
	l.prev.next, l.next.prev = l, l
}

// part takes a lane out of the ring.
func (g *Gate) part(l *lane) {
	g.queues--
	if g.turn == l {
		g.turn = l.next
	}
	if g.queues == 0 {
		g.turn = nil
	}
	l.prev.next, l.next.prev = l.next, l.prev
	l.prev, l.next = nil, nil
}

// longest returns the lane in which most wait.
func (g *Gate) longest() *lane {
	found := g.turn
	for l := g.turn.next; l != g.turn; l = l.next {
		if l.waiting > found.waiting {
			found = l
		}
	}
	return found
}
