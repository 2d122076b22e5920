package throttle

import "strings"

// entry is one key's windows, and its place in the order of last counted requests.
type entry struct {
	subject      string
	windows      []window
	counted      int64 // time of the last counted request
	older, newer *entry
}

// table holds the keys of one class, ordered by their last counted request. As
// they all have the same windows, the oldest is also the first to become idle:
// nothing is ever searched for.
type table struct {
	entries        map[string]*entry
	oldest, newest *entry
	evicted        uint64
}

// rule is a policy made ready: only limits that limit, and how long after its last
// counted request a key has nothing left to remember.
type rule struct {
	spans  []span
	unused []window // what a key that is not held looks like; never written
	idle   int64    // microseconds
	known  bool
}

func newRule(p Policy) rule {
	r := rule{known: true}
	for _, l := range p.Limits {
		if l.Max > 0 {
			r.spans = append(r.spans, newSpan(l, exactRuns))
			r.idle = max(r.idle, l.Per.Microseconds())
		}
	}
	r.unused = make([]window, len(r.spans))
	return r
}

// add makes room if the table is full and holds a new key. The subject is copied,
// since it may be a piece of a whole request.
func (t *table) add(subject string, r *rule, capacity int, now int64) *entry {
	if t.entries == nil {
		t.entries = make(map[string]*entry)
	}
	if len(t.entries) >= capacity {
		if !t.oldestIdle(r, now) {
			t.evicted++
		}
		t.drop(t.oldest)
	}
	e := &entry{subject: strings.Clone(subject), windows: make([]window, len(r.spans)), counted: now}
	t.entries[e.subject] = e
	t.link(e)
	return e
}

// touch makes the key the newest. now is not before any earlier touch.
func (t *table) touch(e *entry, now int64) {
	e.counted = now
	if t.newest != e {
		t.unlink(e)
		t.link(e)
	}
}

// sweep drops at most batch idle keys and returns how many.
func (t *table) sweep(r *rule, now int64, batch int) int {
	n := 0
	for ; n < batch && t.oldestIdle(r, now); n++ {
		t.drop(t.oldest)
	}
	if n > 0 && len(t.entries) == 0 {
		t.entries = nil // a map keeps its room when emptied
	}
	return n
}

func (t *table) oldestIdle(r *rule, now int64) bool {
	return t.oldest != nil && t.oldest.counted+r.idle <= now
}

func (t *table) drop(e *entry) {
	t.unlink(e)
	delete(t.entries, e.subject)
}

func (t *table) link(e *entry) {
	e.older, e.newer = t.newest, nil
	if t.newest != nil {
		t.newest.newer = e
	} else {
		t.oldest = e
	}
	t.newest = e
}

func (t *table) unlink(e *entry) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		t.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		t.newest = e.older
	}
}
