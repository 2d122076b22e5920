package audit

import (
	"context"
	"sync"
	"time"
)

// Store appends entries. Append links each into its account's chain and commits
// them together; when it returns nil they are on disk.
type Store interface {
	Append(ctx context.Context, entries []Entry) error
}

// Bounds of the journal: from FoldAbove waiting entries on, equal ones are folded
// into one with a Count; past MaxWaiting distinct ones, the rest of a flood is
// folded under a single entry an action and outcome.
const (
	FoldAbove  = 1024
	MaxWaiting = 8192
	batchSize  = 256
)

// Journal takes entries that must not make anybody wait: failed authentication and
// limit hits, which an attacker can cause at will. It writes them in the order they
// came, a batch at a time, as fast as the store takes them. In a flood, equal
// entries (same account, actor, action, outcome, address) become one with a count,
// so nothing is lost and nothing grows without bound. Entries not yet written are
// lost only if the process is killed; Close writes them.
type Journal struct {
	store Store
	fail  func(err error, dropped int64)

	once    sync.Once
	mu      sync.Mutex
	waiting []Entry
	folded  map[foldKey]int // index into waiting

	wake chan struct{} // holds one token: something is waiting
	quit chan struct{}
	done chan struct{}
}

type foldKey struct {
	account, actor, action, outcome, address string
}

// NewJournal starts a journal that ends with Close. fail is told of batches the
// store would not take; it must not block.
func NewJournal(store Store, fail func(err error, dropped int64)) *Journal {
	j := &Journal{
		store: store, fail: fail, folded: map[foldKey]int{},
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go j.run()
	return j
}

// Note hands an entry over; it never blocks and is safe for concurrent use.
func (j *Journal) Note(e Entry) {
	j.mu.Lock()
	j.add(e)
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *Journal) add(e Entry) {
	if len(j.waiting) < FoldAbove {
		j.waiting = append(j.waiting, e)
		return
	}
	key := foldKey{string(e.Account), e.Actor, string(e.Action), string(e.Outcome), AddressText(e.Address)}
	_, known := j.folded[key]
	if !known && len(j.waiting) >= MaxWaiting {
		key = foldKey{action: key.action, outcome: key.outcome}
		e = Entry{At: e.At, ActorKind: e.ActorKind, Action: e.Action, Outcome: e.Outcome, Count: e.Count}.
			With("more callers than can be told apart at once: only counted")
	}
	if at, ok := j.folded[key]; ok {
		j.waiting[at].Count += e.Count
		return
	}
	j.folded[key] = len(j.waiting)
	j.waiting = append(j.waiting, e)
}

// Close writes what is waiting and ends the journal; ctx bounds the wait. Entries
// noted after Close are not written.
func (j *Journal) Close(ctx context.Context) error {
	j.once.Do(func() { close(j.quit) })
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (j *Journal) run() {
	defer close(j.done)
	for {
		select {
		case <-j.wake:
			j.flush()
		case <-j.quit:
			j.flush()
			return
		}
	}
}

// writeTimeout bounds one batch: longer than a busy database's longest wait.
const writeTimeout = 15 * time.Second

func (j *Journal) flush() {
	j.mu.Lock()
	all := j.waiting
	j.waiting = nil
	clear(j.folded)
	j.mu.Unlock()
	for len(all) > 0 {
		n := min(batchSize, len(all))
		j.write(all[:n])
		all = all[n:]
	}
}

func (j *Journal) write(batch []Entry) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	if err := j.store.Append(ctx, batch); err != nil {
		var lost int64
		for _, e := range batch {
			lost += e.Count
		}
		j.fail(err, lost)
	}
}
