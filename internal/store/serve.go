package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// How a batch is served:
//
//	nil       all are told
//	clashed   the batch runs again, in a moment
//	cut       the same, for a shorter time: whoever waits can do nothing better
//	unknown   each runs again alone, and first looks for its own traces
//	blamed    each runs again alone, if they were several
//	final     all are told
//
// A piece of work leaves traces: the ids of the audit entries it writes, drawn once for
// all its runs, or a mark. What leaves neither may happen twice: it sets what it sets again,
// or deletes what is over. After a commit whose outcome nobody knows they tell whether it
// happened. Work on an account takes hold of the account before it looks, and so
// waits until the lost transaction, if it still lives, is over; other work meets it at
// a key that is taken already. So nothing happens twice, and nothing is reported that did not.

// runs is what a piece of work remembers of its runs.
type runs struct {
	entries []entryTrace // that it wrote, in their order
	at      int          // how many of them in this run
	unsure  bool         // an earlier run may have been committed
	// mark is set for work that leaves no entry and must not happen twice.
	mark string
}

type entryTrace struct {
	account ident.AccountID
	id      ident.EntryID
	time    time.Time
}

// errUnknown is what a caller is told if nobody knows whether its work was committed.
var errUnknown = errors.New("the connection was lost while committing")

// errDone ends the run of work that turns out to be committed already.
var errDone = errors.New("an earlier run was committed")

// lateError is the failure of a statement that was put off: somebody's work is to blame,
// and not the database.
type lateError struct{ error }

// Unwrap implements the interface that errors.As looks for.
func (e *lateError) Unwrap() error { return e.error }

// Bounds of retrying. Transactions that clash are sure to get on; a server that is away
// may be away for long.
const (
	clashPatience = 5 * time.Second
	cutPatience   = 1 * time.Second
	firstPause    = 2 * time.Millisecond
	longestPause  = 250 * time.Millisecond
)

// retries counts the time of one piece of work that is tried again.
type retries struct {
	began time.Time
	until time.Time // zero = no further bound
	pause time.Duration
}

func newRetries() *retries { return &retries{began: time.Now(), pause: firstPause} }

// retriesOf is newRetries for work whose callers have so much time.
func retriesOf(batch ...*job) *retries {
	r := newRetries()
	r.until = untilOf(batch)
	return r
}

// untilOf is when the time of the first of those callers is over who have a bound; zero
// if none has.
func untilOf(batch []*job) (first time.Time) {
	for _, j := range batch {
		first = sooner(first, j.until)
	}
	return first
}

// sooner is the earlier of two times; zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// contextOf is what work is done in. It is not the callers' contexts: one caller who
// leaves must not undo the others' work. Statements are bounded by the busy timeout, or
// the deadlines of their connection, which know of the callers' time.
func contextOf(batch ...*job) context.Context {
	return contextUntil(untilOf(batch))
}

// contextUntil is a context of nobody's, with a bound unless that is zero.
func contextUntil(at time.Time) context.Context {
	if at.IsZero() {
		return context.Background()
	}
	return admit.WithUntil(context.Background(), at)
}

// after tells whether to try again after a failure with that meaning; if so it has
// waited, a little longer each time, and not as long as others do.
func (r *retries) after(m meaning) bool {
	patience := clashPatience
	switch m {
	case cut:
		patience = cutPatience
	case final, unknown:
		return false
	}
	if time.Since(r.began)+r.pause > patience || !r.until.IsZero() && time.Until(r.until) < r.pause {
		return false
	}
	time.Sleep(r.pause/2 + rand.N(r.pause/2+1)) //nolint:gosec // G404: spreading, not secrecy
	r.pause = min(2*r.pause, longestPause)
	return true
}

func (w *writer) serve(batch []*job) {
	blamed, err := w.attempt(batch)
	lost := w.engine.meaning(err) == unknown
	for _, j := range batch {
		j.err = err
		switch {
		case lost:
			j.err = w.settle(j, err)
		case blamed && len(batch) > 1:
			j.err = w.alone(j)
		}
		close(j.done)
	}
}

// attempt runs a batch until it is committed or there is no point in going on.
func (w *writer) attempt(batch []*job) (blamed bool, err error) {
	for again := retriesOf(batch...); ; {
		blamed, err = w.transact(batch)
		if err == nil || !again.after(w.engine.meaning(err)) {
			return blamed, err
		}
	}
}

// alone runs one piece of work by itself.
func (w *writer) alone(j *job) error {
	_, err := w.attempt([]*job{j})
	if err != nil && w.engine.meaning(err) == unknown {
		err = w.settle(j, err)
	}
	return err
}

// settle finds out whether a piece of work was committed, and does it if it was not.
// It takes its time: the caller could only do the same.
func (w *writer) settle(j *job, lost error) error {
	if !j.take() {
		return lost // nobody waits
	}
	j.unsure = true
	for again := retriesOf(j); ; {
		_, err := w.transact([]*job{j})
		if err != nil && !errors.Is(err, errDone) && w.wasCommitted(j) {
			err = nil
		}
		m := w.engine.meaning(err)
		switch {
		case err == nil || errors.Is(err, errDone):
			return nil
		case m == unknown:
			m = clashed // unsure it was before
		case m == cut:
			m = clashed
		}
		if !again.after(m) {
			if m == final {
				return err
			}
			return errors.Join(errUnknown, err)
		}
	}
}

// wasCommitted looks for the traces of work whose run has failed.
func (w *writer) wasCommitted(j *job) bool {
	ctx := contextOf(j)
	t, err := w.engine.begin(ctx)
	if err != nil {
		return false
	}
	defer t.session.rollback()
	found, err := t.traced(ctx, j)
	return err == nil && found
}

// traced tells whether what the work wrote in an earlier run is there. Everything it
// wrote was in one transaction: one entry stands for all.
func (t *tx) traced(ctx context.Context, j *job) (bool, error) {
	if j.mark != "" {
		return t.MarkExists(ctx, j.mark)
	}
	if len(j.entries) == 0 {
		return false, nil
	}
	first := j.entries[0]
	return t.EntryExists(ctx, string(first.account), string(first.id))
}

// transact runs the batch in one transaction. The error is that of the first piece
// of work that failed, which is then blamed, or of the database; either way nothing
// is written, unless the error means that nobody knows.
func (w *writer) transact(batch []*job) (blamed bool, err error) {
	ctx := contextOf(batch...)
	t, err := w.engine.begin(ctx)
	if err != nil {
		return false, err
	}
	if err = t.runAll(ctx, batch); err != nil {
		err = t.session.cause(err)
		t.session.rollback()
		return w.engine.meaning(err) == final, err
	}
	if err = t.commit(ctx); err != nil {
		t.session.rollback()
		var late *lateError
		return errors.As(err, &late) && w.engine.meaning(err) == final, err
	}
	return false, nil
}

func (t *tx) runAll(ctx context.Context, batch []*job) error {
	if err := t.foresee(ctx, batch); err != nil {
		return err
	}
	for _, j := range batch {
		if !j.take() {
			continue // its caller has left
		}
		if err := t.runOne(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) runOne(ctx context.Context, j *job) error {
	t.job, j.at = j, 0
	if j.account != "" {
		if _, err := t.lock(ctx, j.account); err != nil {
			return err
		}
	}
	if j.unsure {
		switch found, err := t.traced(ctx, j); {
		case err != nil:
			return err
		case found:
			return errDone
		}
	}
	if j.mark != "" {
		if err := t.Later.InsertMark(ctx, j.mark, micros(time.Now())); err != nil {
			return err
		}
	}
	return j.run(ctx, t)
}
