package store

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// The writer is the only one in this process who writes. Callers hand it work and
// wait. It takes whatever has gathered while the last commit was on its way to the
// disk, runs it in one transaction, one piece after the other, and answers everybody
// after the commit: under load one sync of the disk serves dozens of callers.
//
//	callers --jobs--> [ BEGIN  job job job ...  COMMIT ] --> answers
//
// On SQLite there is one transaction at a time. On a server there are a few: work that
// changes an account goes with other work on the same account only, one transaction
// at a time for each account, so that a transaction holds one account and none waits for
// another that waits for it; all other work waits for nobody.
//
// A piece of work sees what those before it wrote, as if each had its own
// transaction. If one fails, all is rolled back and each runs again alone, so
// that nobody pays for another's failure: work must be fit to run twice. If the
// database itself fails, at BEGIN or COMMIT, everybody is told at once: to try one
// after the other would make the last wait a busy timeout for each before it.
type writer struct {
	engine engine
	limits engineLimits
	jobs   chan *job

	// Of the loop alone.
	waiting map[ident.AccountID][]*job // taken out of jobs, "" being work that is free
	order   []ident.AccountID          // keys of waiting, whose turn it is first
	running map[ident.AccountID]int    // transactions
	count   int                        // of running
	sorted  int                        // of waiting

	ended chan ident.AccountID
	quit  chan struct{}
	done  chan struct{}
	once  sync.Once
}

type job struct {
	run     func(context.Context, *tx) error
	account ident.AccountID // that it changes, and holds from its beginning; "" = none
	person  ident.UserID    // whom it reads first; "" = nobody
	until   time.Time       // when its caller's time is over; zero = never
	err     error
	done    chan struct{}
	// state goes from waiting to taken or to abandoned, never further: the work of a
	// caller who has left must not run, for it writes to that caller's variables.
	state atomic.Int32

	runs
}

const (
	waiting int32 = iota
	taken
	abandoned
)

// take tells whether the work may run, now and again.
func (j *job) take() bool {
	return j.state.CompareAndSwap(waiting, taken) || j.state.Load() == taken
}

const (
	// maxBatch bounds how much one commit carries, and so how long the first caller waits for the last.
	maxBatch = 128
	// queueLength bounds how many callers wait before more are turned away.
	queueLength = 4096
	// longestWait bounds how long a caller waits for its work to begin.
	longestWait = 20 * time.Second
	// leastWork is how much of a request's time must be left when its work begins. What
	// begins shares its transaction, which must not be short of time because of one.
	leastWork = 3 * time.Second
)

func newWriter(e engine) *writer {
	w := &writer{
		engine: e, limits: e.limits(), jobs: make(chan *job, queueLength),
		waiting: map[ident.AccountID][]*job{}, running: map[ident.AccountID]int{},
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	w.ended = make(chan ident.AccountID, w.limits.transactions)
	go w.loop()
	return w
}

var errClosed = errors.New("the store is closed")

// do hands work to the writer and waits until it is committed. If ctx ends before it
// has begun, it never runs; once it has, do waits for the outcome, which is then as
// near as the disk: nobody is left not knowing, and work never writes to variables of a
// caller who has gone.
func (w *writer) do(ctx context.Context, j *job) error {
	patience := longestWait
	if at, ok := admit.Until(ctx); ok {
		j.until = at
		patience = min(patience, time.Until(at)-leastWork)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	j.done = make(chan struct{})
	select {
	case w.jobs <- j:
	case <-w.quit:
		return errClosed
	default:
		return fault.Unavailable(retryBusy, errors.New("the writer's queue is full"), "storage is busy: try again shortly")
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		if j.state.CompareAndSwap(waiting, abandoned) {
			return ctx.Err()
		}
		<-j.done // taken by the loop, which answers all it has taken
		return j.err
	case <-w.done:
		// The loop may have answered just before it ended.
		select {
		case <-j.done:
			return j.err
		default:
			return errClosed
		}
	}
}

// close ends the loop after the work that was taken.
func (w *writer) close() {
	w.once.Do(func() { close(w.quit) })
	<-w.done
}

// idleAfter is how long nobody has written before the engine is told.
const idleAfter = 200 * time.Millisecond

func (w *writer) loop() {
	defer close(w.done)
	idle := time.NewTimer(idleAfter)
	defer idle.Stop()
	for {
		select {
		case j := <-w.intake():
			w.gather(j)
			w.start()
			idle.Reset(idleAfter)
		case key := <-w.ended:
			w.end(key)
			w.start()
			idle.Reset(idleAfter)
		case <-idle.C:
			if w.count == 0 {
				w.engine.idle()
			}
		case <-w.quit:
			w.finish()
			return
		}
	}
}

// intake is the queue, unless all hands are full: then callers wait in the queue itself,
// whose length is bounded.
func (w *writer) intake() <-chan *job {
	if w.count >= w.limits.transactions || w.sorted >= queueLength {
		return nil
	}
	return w.jobs
}

// gather takes what is waiting. It lets those who are about to hand something over go
// first, until twice that has brought nothing: a commit costs the same for one as for
// many. (Once is not enough: who comes is often still on the way from another processor.)
// Alone, it waits for nobody.
func (w *writer) gather(j *job) {
	w.sort(j)
	for quiet := 0; quiet < 2 && w.sorted < maxBatch; quiet++ {
		runtime.Gosched()
		if w.take() {
			quiet = -1
		}
	}
}

// take takes what is waiting now, and tells whether that was anything.
func (w *writer) take() (more bool) {
	for w.sorted < maxBatch {
		select {
		case j := <-w.jobs:
			w.sort(j)
			more = true
		default:
			return more
		}
	}
	return more
}

// sort puts work with other work that may be in one transaction with it.
func (w *writer) sort(j *job) {
	key := j.account
	if w.limits.transactions == 1 {
		key = "" // all goes together
	}
	if len(w.waiting[key]) == 0 {
		w.order = append(w.order, key)
	}
	w.waiting[key] = append(w.waiting[key], j)
	w.sorted++
}

// start begins what may begin.
func (w *writer) start() {
	for i := 0; i < len(w.order) && w.count < w.limits.transactions; {
		key := w.order[i]
		if w.running[key] >= w.most(key) {
			i++
			continue
		}
		batch := w.next(key, i)
		if w.limits.transactions == 1 {
			w.serve(batch)
			continue
		}
		w.running[key]++
		w.count++
		go func() {
			w.serve(batch)
			w.ended <- key
		}()
	}
}

// most is how many transactions of a key may run at once.
func (w *writer) most(key ident.AccountID) int {
	if key == "" {
		return w.limits.free
	}
	return 1
}

// next takes a batch of the key that is i-th in order, which then is last if it has more.
func (w *writer) next(key ident.AccountID, i int) []*job {
	w.order = append(w.order[:i], w.order[i+1:]...)
	all := w.waiting[key]
	n := min(len(all), maxBatch)
	if n == len(all) {
		delete(w.waiting, key)
	} else {
		w.waiting[key] = all[n:]
		w.order = append(w.order, key)
	}
	w.sorted -= n
	return all[:n]
}

func (w *writer) end(key ident.AccountID) {
	w.count--
	if w.running[key]--; w.running[key] == 0 {
		delete(w.running, key)
	}
}

// finish serves all that was taken and all that is in the queue.
func (w *writer) finish() {
	for {
		select {
		case j := <-w.jobs:
			w.sort(j)
			continue
		default:
		}
		w.start()
		if w.count == 0 && len(w.order) == 0 && len(w.jobs) == 0 {
			return
		}
		if w.count > 0 {
			w.end(<-w.ended)
		}
	}
}
