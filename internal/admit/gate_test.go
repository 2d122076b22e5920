package admit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, time.November, 27, 12, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }

// enter asks for a place and fails the test if it is not as wanted.
func enter(t *testing.T, g *Gate, l Lane, now time.Time) Place {
	t.Helper()
	p, w := g.Enter(l, now)
	if p == (Place{}) || w != nil {
		t.Fatalf("lane %d did not get a place at once", l)
	}
	return p
}

func wait(t *testing.T, g *Gate, l Lane, now time.Time) *Waiter {
	t.Helper()
	p, w := g.Enter(l, now)
	if p != (Place{}) || w == nil {
		t.Fatalf("lane %d does not wait", l)
	}
	return w
}

// leave gives a place back, and starts whose turn it is.
func leave(g *Gate, p Place, now time.Time) {
	if g.Leave(p) {
		g.Start(now)
	}
}

// come tells whether a turn has come, and with which place.
func come(w *Waiter) (p Place, ok bool) {
	select {
	case p = <-w.Turn():
		return p, true
	default:
		return p, false
	}
}

// order gives one place back again and again, and returns the names of those whose turn comes.
func order(g *Gate, p Place, now time.Time, names []string, waiters ...*Waiter) []string {
	var got []string
	for range waiters {
		leave(g, p, now)
		for i, w := range waiters {
			if next, ok := come(w); ok {
				p, got = next, append(got, names[i])
				break
			}
		}
	}
	return got
}

func TestLanesTakeTurns(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{Places: 1, Waiting: 10, Fresh: time.Second})
	p := enter(t, g, 1, at(0))
	names := []string{"loud 1", "loud 2", "loud 3", "quiet", "other 1", "other 2"}
	lanes := []Lane{1, 1, 1, 2, 3, 3}
	var waiters []*Waiter
	for _, l := range lanes {
		waiters = append(waiters, wait(t, g, l, at(0)))
	}
	want := []string{"loud 1", "quiet", "other 1", "loud 2", "other 2", "loud 3"}
	if diff := cmp.Diff(want, order(g, p, at(1), names, waiters...)); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}

// TestNewestFirstWhenLate: once the oldest has waited for long the newest goes first, where some have to make room.
func TestNewestFirstWhenLate(t *testing.T) {
	t.Parallel()
	inOrder, newestFirst := []string{"a", "b", "c"}, []string{"c", "b", "a"}
	for name, c := range map[string]struct {
		room int
		now  time.Time
		want []string
	}{
		"in time":              {3, at(5), inOrder},
		"late":                 {3, at(9), newestFirst},
		"late, but with room":  {4, at(9), inOrder},
		"long after it was so": {3, at(9 + int(crowded/time.Millisecond)), inOrder},
	} {
		g := NewGate(Limits{Places: 1, Waiting: c.room, Fresh: 5 * time.Millisecond})
		before := enter(t, g, 1, at(0))
		first := wait(t, g, 1, at(0))
		waiters := []*Waiter{wait(t, g, 1, at(0)), wait(t, g, 1, at(1)), wait(t, g, 1, at(3))}
		p := before
		if c.room > 3 { // the first has a turn, and nobody had to go
			leave(g, before, at(3))
			p, _ = come(first)
		}
		if diff := cmp.Diff(c.want, order(g, p, c.now, []string{"a", "b", "c"}, waiters...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestNoLaneHasAllPlaces: a lane whose work is stuck leaves the others some.
func TestNoLaneHasAllPlaces(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{Places: 8, Waiting: 10})
	for range 6 {
		enter(t, g, 1, at(0))
	}
	stuck := wait(t, g, 1, at(0))
	first, second := enter(t, g, 2, at(0)), enter(t, g, 3, at(0))
	quiet := wait(t, g, 2, at(0))
	leave(g, first, at(1))
	if _, ok := come(quiet); !ok {
		t.Error("the quiet lane did not get the place that came free")
	}
	leave(g, second, at(1))
	if _, ok := come(stuck); ok {
		t.Error("the stuck lane got more than three quarters")
	}
}

// TestFullQueue: the longest lane pays, by its oldest.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{Places: 1, Waiting: 3})
	p := enter(t, g, 1, at(0))
	loud := []*Waiter{wait(t, g, 1, at(0)), wait(t, g, 1, at(0)), wait(t, g, 1, at(0))}
	quiet := wait(t, g, 2, at(1))
	again := wait(t, g, 1, at(1))
	refused := func(w *Waiter) bool { p, ok := come(w); return ok && p == Place{} }
	got := []bool{refused(loud[0]), refused(loud[1]), refused(loud[2]), refused(quiet), refused(again)}
	if diff := cmp.Diff([]bool{true, true, false, false, false}, got); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if s := g.Stats(); s != (Stats{Working: 1, Waiting: 3, Waited: 5, Displaced: 2}) {
		t.Errorf("got %+v", s)
	}
	leave(g, p, at(1))
	none := NewGate(Limits{})
	enter(t, none, 1, at(0))
	if p, w := none.Enter(1, at(0)); p != (Place{}) || w != nil {
		t.Error("somebody waits where nobody may")
	}
}

func TestGivingUp(t *testing.T) {
	t.Parallel()
	g := NewGate(Limits{Places: 1, Waiting: 5})
	p := enter(t, g, 1, at(0))
	a, b, c := wait(t, g, 1, at(0)), wait(t, g, 2, at(0)), wait(t, g, 3, at(0))
	if !g.GiveUp(a, true) || !g.GiveUp(c, false) {
		t.Error("whoever waits can't give up")
	}
	leave(g, p, at(1))
	if g.GiveUp(b, true) {
		t.Error("b gave up though its turn had come")
	}
	p, ok := come(b)
	if !ok {
		t.Fatal("b's turn did not come")
	}
	leave(g, p, at(2))
	if s := g.Stats(); s != (Stats{Waited: 3, Late: 1}) || len(g.lanes) != 0 {
		t.Errorf("got %+v and %d lanes, want nobody left", s, len(g.lanes))
	}
}

// model is what a Gate is held against: who works and who waits, by lane.
type model struct {
	places  map[Lane][]Place
	waiting []*waiting
	working int
}

type waiting struct {
	lane   Lane
	w      *Waiter
	passed map[Lane]int // how many of other lanes started since the last of its own
}

// TestGateHolds: whatever comes, the bounds hold, nobody is forgotten, no place is free that
// somebody could have, and no lane is passed by twice.
func TestGateHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Places: rapid.IntRange(1, 9).Draw(t, "places"), Waiting: rapid.IntRange(0, 8).Draw(t, "waiting"), Fresh: 9 * time.Millisecond}
		g, m, now := NewGate(limits), &model{places: map[Lane][]Place{}}, noon
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "ms")) * time.Millisecond)
			lane := Lane(rapid.IntRange(1, 4).Draw(t, "lane"))
			switch {
			case rapid.IntRange(0, 2).Draw(t, "what") > 0:
				m.enter(t, g, lane, now)
			case len(m.places[lane]) > 0:
				m.leave(t, g, lane, now)
			case len(m.waiting) > 0:
				m.giveUp(t, g, rapid.IntRange(0, len(m.waiting)-1).Draw(t, "who"))
			}
			m.check(t, g, limits)
		}
		for m.working > 0 {
			for lane, places := range m.places {
				if len(places) > 0 {
					m.leave(t, g, lane, now)
				}
			}
		}
		m.check(t, g, limits)
		if len(m.waiting) > 0 || len(g.lanes) > 0 {
			t.Fatalf("%d were never served, %d lanes are left", len(m.waiting), len(g.lanes))
		}
	})
}

func (m *model) enter(t *rapid.T, g *Gate, lane Lane, now time.Time) {
	p, w := g.Enter(lane, now)
	m.collect(t)
	switch {
	case w != nil:
		m.waiting = append(m.waiting, &waiting{lane, w, map[Lane]int{}})
	case p != (Place{}):
		m.places[lane] = append(m.places[lane], p)
		m.working++
	}
}

func (m *model) leave(t *rapid.T, g *Gate, lane Lane, now time.Time) {
	p := m.places[lane]
	m.places[lane] = p[:len(p)-1]
	m.working--
	leave(g, p[len(p)-1], now)
	m.collect(t)
}

func (m *model) giveUp(t *rapid.T, g *Gate, i int) {
	if !g.GiveUp(m.waiting[i].w, true) {
		t.Fatal("whoever waits could not give up")
	}
	m.waiting = append(m.waiting[:i], m.waiting[i+1:]...)
}

// collect takes the turns that have come. One lane must not start twice while another that
// may have a place waits.
func (m *model) collect(t *rapid.T) {
	var left []*waiting
	var started []Lane
	for _, w := range m.waiting {
		p, ok := come(w.w)
		switch {
		case !ok:
			left = append(left, w)
		case p != (Place{}):
			m.places[w.lane] = append(m.places[w.lane], p)
			m.working++
			started = append(started, w.lane)
		}
	}
	m.waiting = left
	for _, w := range m.waiting {
		for _, lane := range started {
			if lane == w.lane {
				clear(w.passed)
				continue
			}
			if w.passed[lane]++; w.passed[lane] > 1 && len(m.places[w.lane]) == 0 {
				t.Fatalf("lane %d was served twice while lane %d waited", lane, w.lane)
			}
		}
	}
}

func (m *model) check(t *rapid.T, g *Gate, l Limits) {
	s := g.Stats()
	if s.Working != m.working || s.Waiting != len(m.waiting) || s.Working > l.Places || s.Waiting > l.Waiting {
		t.Fatalf("got %+v, want %d working of %d and %d waiting of %d", s, m.working, l.Places, len(m.waiting), l.Waiting)
	}
	most := l.Places - l.Places/4
	for _, w := range m.waiting {
		if m.working < l.Places && len(m.places[w.lane]) < most {
			t.Fatalf("lane %d waits though a place is free", w.lane)
		}
	}
	for lane, places := range m.places {
		if len(places) > most {
			t.Fatalf("lane %d has %d places, want at most %d", lane, len(places), most)
		}
	}
}

func BenchmarkPassing(b *testing.B) {
	g := NewGate(Limits{Places: 64, Waiting: 64})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p, _ := g.Enter(7, noon)
			leave(g, p, noon)
		}
	})
}
