package sharedlimit

import (
	"context"
	"errors"
	"sync"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// question is what a request wants to know.
type question struct {
	key   throttle.Key
	meter throttle.Meter
	spend bool
	at    int64 // microseconds since 1970, by the caller's clock

	// behind asks to count only if the guard has room.
	behind bool
	guard  throttle.Key
	guards throttle.Meter // the guard's
}

// request is a question that waits for its answer.
type request struct {
	question
	order int  // which order of the round answers it
	shut  int  // which of the order's guards is its own, -1 = none
	gone  bool // nobody waits any more; guarded by Limiter.mu

	answer answer
	done   chan struct{} // gets one value when answer stands
}

// answer is what a request is told.
type answer struct {
	decision throttle.Decision
	refused  bool // by the guard, whose decision it is
	err      error
}

var requests = sync.Pool{New: func() any { return &request{done: make(chan struct{}, 1)} }}

// errAway answers those who need not wait.
var errAway = errors.New("the store of limits is away")

// wait asks with the next round trip. An error means that the store gave no answer, or
// that ctx ended.
func (l *Limiter) wait(ctx context.Context, q question) answer {
	r := requests.Get().(*request) //nolint:errcheck,forcetypeassert // the pool makes nothing else
	r.question, r.gone, r.answer = q, false, answer{}
	if !l.join(r) {
		requests.Put(r)
		return answer{err: errAway}
	}
	select {
	case <-r.done:
		a := r.answer
		requests.Put(r)
		return a
	case <-ctx.Done():
		l.mu.Lock()
		r.gone = true // and not back into the pool: it may be in the round under way
		l.mu.Unlock()
		return answer{err: context.Cause(ctx)}
	}
}

// join puts the request into the next round, unless the store is away.
func (l *Limiter) join(r *request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return false
	}
	l.waiting = append(l.waiting, r)
	select {
	case l.kick <- struct{}{}:
	default:
	}
	return true
}

// maxRound bounds the requests of one round trip; the others wait for the next.
const maxRound = 1024

// take moves those that wait into the round, as many as it holds.
func (l *Limiter) take(into []*request) []*request {
	l.mu.Lock()
	defer l.mu.Unlock()
	into = into[:0]
	taken := 0
	for ; taken < len(l.waiting) && len(into) < maxRound; taken++ {
		if r := l.waiting[taken]; !r.gone {
			into = append(into, r)
		}
	}
	rest := copy(l.waiting, l.waiting[taken:])
	clear(l.waiting[rest:])
	l.waiting = l.waiting[:rest]
	return into
}

// release answers all that wait with an error and lets nobody wait from now on.
func (l *Limiter) release(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = true
	for i, r := range l.waiting {
		r.answer.err = err
		r.done <- struct{}{}
		l.waiting[i] = nil
	}
	l.waiting = l.waiting[:0]
}

// admit lets requests wait for the store again.
func (l *Limiter) admit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = false
}
