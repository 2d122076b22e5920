package store

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// gatherer runs the reads of many callers together: one of them runs its own and those of whoever
// has come meanwhile. What a run costs beside the reads themselves is paid once: a transaction's
// locks, the way to a server and back; and the second of two like reads is far quicker, as the
// processor has at hand what the first needed.
//
//	callers --do--> [ waiting ] --the first that finds a run free--> run(batch)
//
// What must always hold: a read is run once, and begins after its caller has come; a caller
// leaves when its read is done, or was given up before it was run; nobody waits while a run is free.
type gatherer struct {
	run  func(batch []*read)
	most int // reads of one run

	mu      sync.Mutex
	free    int // runs that may begin
	waiting []*read
}

// newGatherer returns a gatherer of at most so many runs at once, of at most so many reads each.
func newGatherer(runs, most int, run func(batch []*read)) *gatherer {
	return &gatherer{run: run, most: most, free: runs}
}

// errBrokeOff is for the reads of a run that did not come to its end.
var errBrokeOff = errors.New("the reads broke off")

// do returns when a read is done, with its error. It waits a bounded time for its run to begin.
func (g *gatherer) do(r *read) error {
	g.mu.Lock()
	g.waiting = append(g.waiting, r)
	g.mu.Unlock()
	// Others who are ready to come do so now, before anybody's run begins. Who runs first takes
	// them along, and they find their reads done, without having slept.
	runtime.Gosched()
	for {
		g.mu.Lock()
		switch {
		case r.done:
			g.mu.Unlock()
			return r.err
		case !r.taken && g.free > 0:
			batch := g.take()
			g.mu.Unlock()
			g.serve(batch)
		default:
			r.news = make(chan struct{}, 1)
			g.mu.Unlock()
			if err := g.await(r); err != nil {
				return err
			}
		}
	}
}

// await waits for news of a read.
func (g *gatherer) await(r *read) error {
	patience := time.NewTimer(longestTurn)
	defer patience.Stop()
	select {
	case <-r.news:
		return nil
	case <-patience.C:
	}
	if g.leave(r) {
		return errBusy
	}
	<-r.news // of its run, which has its own bounds
	return nil
}

// take begins a run with those who have waited longest.
func (g *gatherer) take() []*read {
	g.free--
	n := min(len(g.waiting), g.most)
	batch := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	for _, r := range batch {
		r.taken = true
	}
	return batch
}

// leave gives up a read, unless it is being run or has been.
func (g *gatherer) leave(r *read) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.taken {
		return false
	}
	g.waiting = slices.DeleteFunc(g.waiting, func(o *read) bool { return o == r })
	g.callNext() // it may have been called just now
	return true
}

// serve runs a batch and tells everybody.
func (g *gatherer) serve(batch []*read) {
	for _, r := range batch {
		r.err = errBrokeOff // until it is run
	}
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.free++
		for _, r := range batch {
			r.done = true
			r.tell()
		}
		g.callNext()
	}()
	g.run(batch)
}

// callNext lets the one who has waited longest see for itself that a run is free. One who has not
// slept does so anyway.
func (g *gatherer) callNext() {
	if g.free > 0 && len(g.waiting) > 0 {
		g.waiting[0].tell()
	}
}
