package store

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
)

// The writer is the only one in this process who writes. Callers hand it work and
// wait. It takes whatever has gathered while the last commit was on its way to the
// disk, runs it in one transaction, one piece after the other, and answers everybody
// after the commit: under load one sync of the disk serves dozens of callers.
//
//	callers --jobs--> [ BEGIN  job job job ...  COMMIT ] --> answers
//
// A piece of work sees what those before it wrote, as if each had its own
// transaction. If one fails, all is rolled back and each runs again alone, so
// that nobody pays for another's failure: work must be fit to run twice. If the
// database itself fails, at BEGIN or COMMIT, everybody is told at once: to try one
// after the other would make the last wait a busy timeout for each before it.
type writer struct {
	db   *sql.DB
	conn *sql.Conn
	q    *sqlgen.Queries
	stmt *prepared
	jobs chan *job

	quit chan struct{}
	done chan struct{}
	once sync.Once
}

type job struct {
	run  func(context.Context, *tx) error
	err  error
	done chan struct{}
	// state goes from waiting to taken or to abandoned, never further: the work of a
	// caller who has left must not run, for it writes to that caller's variables.
	state atomic.Int32
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

// tx is one open transaction: the statements, and the ends of the audit chains
// that it has touched, which are written once before the commit.
type tx struct {
	*sqlgen.Queries
	heads map[ident.AccountID]*head
}

type head struct {
	audit.Head
	moved bool
}

const (
	// maxBatch bounds how much one commit carries, and so how long the first caller waits for the last.
	maxBatch = 128
	// queueLength bounds how many callers wait before more are turned away.
	queueLength = 4096
	// longestWait bounds how long a caller waits for its work to begin.
	longestWait = 20 * time.Second
)

func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	stmt := newPrepared(conn)
	w := &writer{
		db: db, conn: conn, q: sqlgen.New(stmt), stmt: stmt,
		jobs: make(chan *job, queueLength), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go w.loop()
	return w, nil
}

var errClosed = errors.New("the store is closed")

// do hands fn to the writer and waits until it is committed. If ctx ends before fn
// has begun, fn never runs; once it has, do waits for the outcome, which is then as
// near as the disk: nobody is left not knowing, and fn never writes to variables of a
// caller who has gone.
func (w *writer) do(ctx context.Context, fn func(context.Context, *tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	j := &job{run: fn, done: make(chan struct{})}
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

func (w *writer) close() error {
	w.once.Do(func() { close(w.quit) })
	<-w.done
	return errors.Join(w.stmt.close(), w.conn.Close(), w.db.Close())
}

func (w *writer) loop() {
	defer close(w.done)
	batch := make([]*job, 0, maxBatch)
	idle := time.NewTimer(idleAfter)
	defer idle.Stop()
	for {
		select {
		case j := <-w.jobs:
			batch = w.gather(append(batch[:0], j))
			w.serve(batch)
			idle.Reset(idleAfter)
		case <-idle.C:
			w.fold()
		case <-w.quit:
			if batch = w.gather(batch[:0]); len(batch) == 0 {
				return
			}
			w.serve(batch)
		}
	}
}

// idleAfter is how long nobody has written before the log is folded into the database.
const idleAfter = 200 * time.Millisecond

// fold copies the log into the database while nobody waits. Until then every reader
// looks for each page in the log first, which makes a read half as dear again. A
// failure is of no consequence: the next commit meets it, and tells somebody.
func (w *writer) fold() {
	_, _ = w.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
}

// gather takes what is waiting. It lets those who are about to hand something over go
// first, for as long as that brings more: a commit costs the same for one as for
// many. Alone, it waits for nobody.
func (w *writer) gather(batch []*job) []*job {
	for {
		runtime.Gosched()
		before := len(batch)
		batch = w.take(batch)
		if len(batch) == before || len(batch) == maxBatch {
			return batch
		}
	}
}

// take takes what is waiting now.
func (w *writer) take(batch []*job) []*job {
	for len(batch) < maxBatch {
		select {
		case j := <-w.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

func (w *writer) serve(batch []*job) {
	blamed, err := w.transact(batch)
	for _, j := range batch {
		j.err = err
		if blamed && len(batch) > 1 {
			_, j.err = w.transact([]*job{j})
		}
		close(j.done)
	}
}

// transact runs the batch in one transaction. The error is that of the first piece
// of work that failed, which is then blamed, or of the database; either way nothing
// is written.
func (w *writer) transact(batch []*job) (blamed bool, err error) {
	// Not the callers' contexts: one caller who leaves must not undo the others' work.
	// Statements are bounded by the busy timeout.
	ctx := context.Background()
	if _, err := w.stmt.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false, err
	}
	t := &tx{Queries: w.q, heads: map[ident.AccountID]*head{}}
	err = t.runAll(ctx, batch)
	blamed = err != nil
	if err == nil {
		err = t.writeHeads(ctx)
	}
	if err == nil {
		_, err = w.stmt.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		// Fails where SQLite has rolled back by itself, as on a full disk: then all is well.
		_, _ = w.stmt.ExecContext(ctx, "ROLLBACK")
	}
	return blamed, err
}

func (t *tx) runAll(ctx context.Context, batch []*job) error {
	for _, j := range batch {
		if !j.take() {
			continue // its caller has left
		}
		if err := j.run(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeHeads(ctx context.Context) error {
	for account, h := range t.heads {
		if !h.moved {
			continue
		}
		if err := t.SetHead(ctx, string(account), h.Seq, h.Hash[:]); err != nil {
			return err
		}
	}
	return nil
}
