package audit

import (
	"context"
	"net/netip"
	"slices"
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
	// RepeatEvery is how often limit hits that came again are written.
	RepeatEvery = 10 * time.Second
)

// Journal takes entries that must not make anybody wait: failed authentication and
// limit hits, which an attacker can cause at will. It writes them in the order they
// came, a batch at a time, as fast as the store takes them. In a flood, equal
// entries (same account, actor, action, outcome, address) become one with a count,
// so nothing is lost and nothing grows without bound. Limit hits are folded always:
// nothing limits how often a caller who is refused already comes again, so the first
// one is written at once and the others as one entry every RepeatEvery. Entries not
// yet written are lost only if the process is killed; Close writes them.
type Journal struct {
	store Store
	fail  func(err error, dropped int64)

	once    sync.Once
	mu      sync.Mutex
	waiting []Entry
	folded  map[foldKey]int // index into waiting
	// limited holds who was limited since the last round, with what came after the
	// entry that told of it first: Count 0 = nothing.
	limited map[foldKey]Entry

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
		store: store, fail: fail, folded: map[foldKey]int{}, limited: map[foldKey]Entry{},
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go j.run()
	return j
}

// Note hands an entry over; it never blocks and is safe for concurrent use.
func (j *Journal) Note(e Entry) {
	j.mu.Lock()
	repeated := e.Outcome == Limited && j.repeated(e)
	if !repeated {
		j.add(e)
	}
	j.mu.Unlock()
	if repeated {
		return
	}
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// repeated tells whether an entry has told of this limit hit already in this round, and
// then counts it. IPv6 is taken by /64, as it is limited.
func (j *Journal) repeated(e Entry) bool {
	key := keyOf(e)
	if e.Address.Is6() && !e.Address.Is4In6() {
		key.address = netip.PrefixFrom(e.Address, 64).Masked().String()
	}
	have, known := j.limited[key]
	if !known && len(j.limited) >= MaxWaiting {
		key, e = anonymous(e)
		have, known = j.limited[key]
	}
	if have.Count > 0 {
		e, e.Count = have, have.Count+e.Count
	}
	if !known {
		e = Entry{}
	}
	j.limited[key] = e
	return known
}

// endRound hands over what was limited again.
func (j *Journal) endRound() {
	j.mu.Lock()
	defer j.mu.Unlock()
	var again []Entry
	for _, e := range j.limited {
		if e.Count > 0 {
			again = append(again, e)
		}
	}
	clear(j.limited)
	slices.SortFunc(again, func(a, b Entry) int { return a.At.Compare(b.At) })
	for _, e := range again {
		j.add(e)
	}
}

func keyOf(e Entry) foldKey {
	return foldKey{string(e.Account), e.Actor, string(e.Action), string(e.Outcome), AddressText(e.Address)}
}

// anonymous is what is left of an entry when there are too many callers to hold.
func anonymous(e Entry) (foldKey, Entry) {
	left := Entry{At: e.At, ActorKind: e.ActorKind, Action: e.Action, Outcome: e.Outcome, Count: e.Count}
	return foldKey{action: string(e.Action), outcome: string(e.Outcome)},
		left.With("more callers than can be told apart at once: only counted")
}

func (j *Journal) add(e Entry) {
	if len(j.waiting) < FoldAbove {
		j.waiting = append(j.waiting, e)
		return
	}
	key := keyOf(e)
	_, known := j.folded[key]
	if !known && len(j.waiting) >= MaxWaiting {
		key, e = anonymous(e)
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
	round := time.NewTicker(RepeatEvery)
	defer round.Stop()
	for {
		select {
		case <-j.wake:
			j.flush()
		case <-round.C:
			j.endRound()
			j.flush()
		case <-j.quit:
			j.endRound()
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
