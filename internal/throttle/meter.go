package throttle

import "fmt"

// Rules are policies made ready for use, one for each class. They never change and are
// safe for concurrent use.
type Rules struct {
	rules [classEnd]rule
}

// NewRules checks the policies: each valid, each class once.
func NewRules(policies []Policy) (*Rules, error) {
	r := &Rules{}
	for _, p := range policies {
		if err := p.Validate(); err != nil {
			return nil, err
		}
		if r.rules[p.Class].known {
			return nil, fmt.Errorf("throttle: policy %s is given twice, want once", p.Class)
		}
		r.rules[p.Class] = newRule(p)
	}
	return r, nil
}

// find gives what applies to the key. A class without a policy is an error, not
// free: a forgotten line must not lift a limit.
func (r *Rules) find(key Key) (*rule, error) {
	if !key.Class.known() || !r.rules[key.Class].known {
		return nil, fmt.Errorf("throttle: no policy for class %s: give it one, with 0 for no limit", key.Class)
	}
	return &r.rules[key.Class], key.check()
}

// Meter gives the windows that meter the key. The error is the one every Limiter
// gives: the key is malformed or of a class without a policy.
func (r *Rules) Meter(key Key) (Meter, error) {
	found, err := r.find(key)
	if err != nil {
		return Meter{}, err
	}
	return Meter{found.spans}, nil
}

// Meter is the windows of one class, for limiters that keep the counts elsewhere. It
// turns what such a store tells about a key into the decisions that Memory would give.
// The zero Meter limits nothing.
type Meter struct {
	spans []span
}

// Window is what a store must keep one limit's counts by. Times are microseconds.
type Window struct {
	Per   int64 // its length: a request counts until so long after the last one of its run
	Max   int   // requests it admits, at least 1
	Grain int64 // requests less than this after the first of a run join it; 1 = only those at one instant
	Runs  int   // most runs that count at once
}

// Use is what counts in one window of a key at one instant. The zero value is an
// unused window.
type Use struct {
	Count int // requests
	// Frees is how many microseconds remain until the window has more room: until the
	// oldest run leaves. If it counts more than Max, as after a limit was lowered, until
	// it counts less. Above 0 if Count is.
	Frees int64
}

// Unlimited tells that nothing is to be counted.
func (m Meter) Unlimited() bool { return len(m.spans) == 0 }

// Len is how many windows there are.
func (m Meter) Len() int { return len(m.spans) }

// Window is the i-th of them.
func (m Meter) Window(i int) Window {
	s := &m.spans[i]
	return Window{Per: s.per, Max: s.limit.Max, Grain: s.grain, Runs: s.bound}
}

// Admits tells how many of n requests made at one instant have room in all windows.
// used is each window's use before them.
func (m Meter) Admits(used []Use, n int) int {
	for i := range m.spans {
		n = min(n, max(0, m.spans[i].limit.Max-used[i].Count))
	}
	return n
}

// Peek is what Limiter.Peek decides where so much is used.
func (m Meter) Peek(used []Use) Decision {
	d := Decision{Admitted: m.Admits(used, 1) == 1}
	return m.describe(d, used, 0)
}

// Spend is what Limiter.Spend decides about the i-th, from 0, of the requests that are
// counted at one instant. used is each window's use before all of them, and admitted
// what Admits tells.
func (m Meter) Spend(used []Use, admitted, i int) Decision {
	d := Decision{Admitted: i < admitted}
	return m.describe(d, used, min(i+1, admitted))
}

// describe fills in the window closest to exhaustion, more requests being counted.
func (m Meter) describe(d Decision, used []Use, more int) Decision {
	var t tightest
	for i := range m.spans {
		s, reset := &m.spans[i], used[i].Frees
		if used[i].Count == 0 && more > 0 {
			reset = s.per
		}
		t.weigh(s, s.limit.Max-used[i].Count-more, reset)
	}
	return t.tell(d)
}
