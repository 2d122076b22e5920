package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/page"
)

func openDir(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openTemp opens a new database that the test need not close.
func openTemp(t *testing.T) *Store {
	t.Helper()
	s := openDir(t, t.TempDir())
	t.Cleanup(func() { _ = s.Close() }) // some tests close it themselves
	return s
}

// hold makes the writer busy until the returned function is called: what is handed over
// meanwhile is committed together.
func hold(s *Store) (release func()) {
	begun, gate := make(chan struct{}), make(chan struct{})
	s.writer.jobs <- &job{done: make(chan struct{}), run: func(context.Context, *tx) error {
		close(begun)
		<-gate
		return nil
	}}
	<-begun
	return sync.OnceFunc(func() { close(gate) })
}

// put is a piece of work that leaves a trace, and tells in which transaction it last ran.
func put(id uint32, ran **tx) *job {
	return &job{done: make(chan struct{}), run: func(ctx context.Context, t *tx) error {
		*ran = t
		return t.InsertPageKey(ctx, int64(id), []byte{1}, 1)
	}}
}

func traces(t *testing.T, s *Store) []uint32 {
	t.Helper()
	keys, err := s.PageKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []uint32
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestWaitingWorkIsCommittedTogether(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	release := hold(s)
	ran := make([]*tx, maxBatch+1)
	var jobs []*job
	for i := range ran {
		jobs = append(jobs, put(uint32(i), &ran[i]))
		s.writer.jobs <- jobs[i]
	}
	release()
	for i, j := range jobs {
		if <-j.done; j.err != nil {
			t.Fatalf("job %d: %v", i, j.err)
		}
	}
	if first := ran[0]; slices.ContainsFunc(ran[:maxBatch], func(t *tx) bool { return t != first }) || ran[maxBatch] == first {
		t.Errorf("want one transaction for the first %d pieces of work and another for the last", maxBatch)
	}
	if got := len(traces(t, s)); got != len(jobs) {
		t.Errorf("got %d traces, want %d", got, len(jobs))
	}
}

func TestFailingWorkHarmsNobodyElse(t *testing.T) {
	t.Parallel()
	for at := range 3 {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			s := openTemp(t)
			release := hold(s)
			spoilt := errors.New("spoilt")
			var ran *tx
			jobs := []*job{put(0, &ran), put(1, &ran), put(2, &ran)}
			work := jobs[at].run
			jobs[at].run = func(ctx context.Context, tx *tx) error { return errors.Join(work(ctx, tx), spoilt) }
			for _, j := range jobs {
				s.writer.jobs <- j
			}
			release()
			var want []uint32
			for i, j := range jobs {
				<-j.done
				if errors.Is(j.err, spoilt) != (i == at) || (i != at && j.err != nil) {
					t.Errorf("job %d: got error %v", i, j.err)
				}
				if i != at {
					want = append(want, uint32(i))
				}
			}
			if diff := cmp.Diff(want, traces(t, s)); diff != "" {
				t.Errorf("traces (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWorkOfACallerWhoLeftIsSkipped(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	defer hold(s)()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// The writer is held: the work can't have begun.
	err := s.writer.do(ctx, &job{run: func(context.Context, *tx) error {
		t.Error("it ran all the same")
		return nil
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}

func TestCallerWaitsForWorkThatHasBegun(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	ctx, cancel := context.WithCancel(t.Context())
	gone := false // a caller who returned early would read this while it is written
	err := s.writer.do(ctx, &job{run: func(context.Context, *tx) error {
		cancel()
		gone = true
		return nil
	}})
	if err != nil || !gone {
		t.Errorf("got error %v and ran = %t, want the outcome of what ran", err, gone)
	}
}

func TestQueueTurnsAwayWhenFull(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	release := hold(s)
	last := &job{done: make(chan struct{}), run: func(context.Context, *tx) error { return nil }}
	for len(s.writer.jobs) < queueLength-1 {
		s.writer.jobs <- &job{done: make(chan struct{}), run: last.run}
	}
	s.writer.jobs <- last
	f := fault.As(s.Append(t.Context(), nil))
	if f == nil || f.Kind != fault.KindUnavailable || f.RetryAfter != retryBusy {
		t.Errorf("got %#v, want Unavailable with RetryAfter %v", f, retryBusy)
	}
	release()
	<-last.done
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("after the queue is served: %v", err)
	}
}

func TestCloseServesWhatItHasTaken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openDir(t, dir)
	release := hold(s)
	var ran *tx
	var want []uint32
	jobs := make([]*job, 2*maxBatch)
	for i := range jobs {
		jobs[i] = put(uint32(i), &ran)
		s.writer.jobs <- jobs[i]
		want = append(want, uint32(i))
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-s.writer.quit
	release()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	for i, j := range jobs {
		if <-j.done; j.err != nil {
			t.Errorf("job %d: %v", i, j.err)
		}
	}
	if err := s.AddPageKey(t.Context(), page.Key{}); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("after Close: got error %v, want Unavailable", err)
	}
	again := openDir(t, dir)
	if diff := cmp.Diff(want, traces(t, again)); diff != "" {
		t.Errorf("traces (-want +got):\n%s", diff)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestCloseLeavesNobodyWaiting closes under load: everybody is answered, and whoever was
// told it is done finds it done.
func TestCloseLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openDir(t, dir)
	answers := make([]error, 200)
	var callers sync.WaitGroup
	for i := range answers {
		callers.Go(func() {
			answers[i] = s.AddPageKey(t.Context(), page.Key{ID: uint32(i), CreatedAt: time.Unix(1, 0)})
		})
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	callers.Wait()
	var want []uint32
	for i, err := range answers {
		switch {
		case err == nil:
			want = append(want, uint32(i))
		case fault.KindOf(err) != fault.KindUnavailable:
			t.Errorf("caller %d: got error %v, want Unavailable", i, err)
		}
	}
	again := openDir(t, dir)
	if diff := cmp.Diff(want, traces(t, again)); diff != "" {
		t.Errorf("traces (-want +got):\n%s", diff)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestSequenceThatIsSpent: work may run twice, and a sequence that gives nothing the
// second time must not pass for an import of nobody.
func TestSequenceThatIsSpent(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	account := newAccount(t, s)
	release := hold(s)
	failing := &job{done: make(chan struct{}), run: func(context.Context, *tx) error { return errors.New("spoilt") }}
	answer := make(chan error)
	go func() { answer <- addOnce(t.Context(), s, account) }()
	for len(s.writer.jobs) < 1 {
		runtime.Gosched() // the goroutine above is about to hand its work over
	}
	s.writer.jobs <- failing
	release()
	if err := <-answer; err == nil {
		t.Error("got no error, want one that says that the sequence changed")
	}
	n := 0
	if err := s.EachUser(t.Context(), account, func(directory.User) bool { n++; return true }); err != nil || n != 0 {
		t.Errorf("got %d people and error %v, want none", n, err)
	}
}
