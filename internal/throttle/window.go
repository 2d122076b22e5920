package throttle

import "time"

// exactRuns is how many runs a window keeps at most, at 8 bytes each. A limit up
// to it is kept request by request. Above it, requests closer together than
// Per/exactRuns share a run: 7.4 ms of a minute, 0.44 s of an hour. That is the
// most by which such a limit admits late; it never admits early.
const exactRuns = 8192

// span is a limit as a window needs it; lengths are in microseconds.
type span struct {
	limit Limit
	per   int64
	grain int64 // requests less than this after the first of a run join it
	bound int   // runs that can be alive at once
}

func newSpan(l Limit, runs int) span {
	s := span{limit: l, per: l.Per.Microseconds(), grain: 1, bound: l.Max}
	if l.Max > runs {
		s.grain = (s.per + int64(runs) - 1) / int64(runs)
		// Runs open a grain apart. All but the oldest living run opened within the
		// window, which leaves room for runs of them.
		s.bound = runs + 1
	}
	return s
}

// run stands for n requests. They count until the last of them leaves the window,
// which is why sharing a run can only admit late.
type run struct {
	last uint32 // low bits of the time of the last request, microseconds
	n    uint32
}

// window is the ring of runs admitted within one span of one key. Its memory is
// proportional to what was used. The zero value is an unused window.
type window struct {
	ring   []run
	head   int   // place of the oldest run
	size   int   // living runs
	count  int   // requests in them
	newest int64 // time of the newest request
	opened int64 // time of the first request of the newest run
}

// at is the slot of the i-th oldest run.
func (w *window) at(i int) *run {
	i += w.head
	if i >= len(w.ring) {
		i -= len(w.ring)
	}
	return &w.ring[i]
}

// leaves is the time at which the oldest run leaves. Half of the time's bits are
// enough: no living run is older than an hour before the newest (2^32
// microseconds are 71 minutes). Never called on an unused window.
func (w *window) leaves(s *span) int64 {
	age := uint32(w.newest) - w.at(0).last
	return w.newest - int64(age) + s.per
}

// expire forgets the runs that have left at now.
func (w *window) expire(s *span, now int64) {
	if w.size > 0 && w.newest+s.per <= now {
		w.head, w.size, w.count = 0, 0, 0
	}
	for w.size > 0 && w.leaves(s) <= now {
		w.count -= int(w.at(0).n)
		w.size--
		if w.head++; w.head == len(w.ring) {
			w.head = 0
		}
	}
}

// add counts one request at now, which is not before any earlier one. The window
// has been expired at now.
func (w *window) add(s *span, now int64) {
	w.count++
	w.newest = now
	// A full ring is impossible by newSpan's count; joining would still be safe.
	if w.size > 0 && (now-w.opened < s.grain || w.size == s.bound) {
		r := w.at(w.size - 1)
		r.last = uint32(now)
		r.n++
		return
	}
	if w.size == len(w.ring) {
		w.grow(s.bound)
	}
	w.opened = now
	*w.at(w.size) = run{last: uint32(now), n: 1}
	w.size++
}

func (w *window) grow(bound int) {
	ring := make([]run, min(max(4, 2*len(w.ring)), bound))
	n := copy(ring, w.ring[w.head:])
	copy(ring[n:], w.ring[:w.head])
	w.ring, w.head = ring, 0
}

// reset is how many microseconds remain until the window has more room.
func (w *window) reset(s *span, now int64) int64 {
	if w.size == 0 {
		return 0
	}
	return w.leaves(s) - now
}

// decide admits a request at now if every window has room, and then, if spend is
// set, counts it in every window. There is one window for each span.
func decide(spans []span, windows []window, now int64, spend bool) Decision {
	d := Decision{Admitted: true}
	for i := range spans {
		windows[i].expire(&spans[i], now)
		d.Admitted = d.Admitted && windows[i].count < spans[i].limit.Max
	}
	if d.Admitted && spend {
		for i := range spans {
			windows[i].add(&spans[i], now)
		}
	}
	d.describe(spans, windows, now)
	return d
}

// describe fills in the window closest to exhaustion.
func (d *Decision) describe(spans []span, windows []window, now int64) {
	var t tightest
	for i := range spans {
		s, w := &spans[i], &windows[i]
		t.weigh(s, s.limit.Max-w.count, w.reset(s, now))
	}
	*d = t.tell(*d)
}

// tightest finds the window closest to exhaustion. When refused, full windows
// come first, and of those the one that stays full the longest: its reset is
// exactly the time to wait, as every other window has room by then.
type tightest struct {
	span  *span
	room  int
	reset int64 // microseconds
}

func (t *tightest) weigh(s *span, room int, reset int64) {
	room = max(room, 0) // a limit may have been lowered below what was spent
	if t.span == nil || room < t.room || room == t.room && reset > t.reset {
		t.span, t.room, t.reset = s, room, reset
	}
}

func (t *tightest) tell(d Decision) Decision {
	if t.span == nil {
		return d
	}
	d.Limit, d.Remaining, d.Reset = t.span.limit, t.room, wholeSeconds(t.reset)
	if !d.Admitted {
		d.RetryAfter = d.Reset
	}
	return d
}

// wholeSeconds rounds microseconds up: a client that waits less is refused again.
func wholeSeconds(micros int64) time.Duration {
	const second = int64(time.Second / time.Microsecond)
	return time.Duration((micros+second-1)/second) * time.Second
}
