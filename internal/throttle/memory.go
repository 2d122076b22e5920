package throttle

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

const (
	shardCount = 64

	// sweepBatch is how many keys are dropped under one hold of a shard's lock: tens
	// of microseconds.
	sweepBatch = 128

	// DefaultKeysPerClass holds 65,536 subjects of each class. A key costs about
	// 300 bytes and 8 more for each request admitted in each window: an application
	// that uses its 6,000 an hour up costs 50 kB, and 65,536 addresses that each
	// failed once cost under 20 MB.
	DefaultKeysPerClass = 1 << 16
)

// Memory is the Limiter of a single process. Its counts begin anew with it.
//
// A class holds at most a fixed number of keys. At that bound a new key displaces
// the key of its own class that was counted longest ago: one that has become idle,
// if there is one, so that nothing is forgotten. Otherwise what that key had spent
// is forgotten, which Stats counts. So a flood of addresses can only displace
// addresses, never an application, and memory stays bounded. The bound is divided
// evenly between shards, so displacing may begin somewhat below it.
type Memory struct {
	start    time.Time
	capacity int // keys per class and shard
	rules    *Rules
	seed     maphash.Seed // decides only which lock a key is under
	shards   [shardCount]shard
}

// shard is a part of the keys of every class under one lock.
type shard struct {
	mu     sync.Mutex
	now    int64 // latest time seen, microseconds since start; never goes back
	tables [classEnd]table
}

// NewMemory makes an empty limiter. Times are measured from start: if it and every
// later now come from time.Now unaltered, Go compares their monotonic readings, and
// steps of the wall clock go unnoticed. A now before start counts as start. keysPerClass bounds the keys of each class;
// 0 means DefaultKeysPerClass, and there is at least room for one per shard (64).
func NewMemory(policies []Policy, start time.Time, keysPerClass int) (*Memory, error) {
	if keysPerClass < 0 {
		return nil, fmt.Errorf("throttle: keys per class: %d, want 0 (the default) or more", keysPerClass)
	}
	if keysPerClass == 0 {
		keysPerClass = DefaultKeysPerClass
	}
	rules, err := NewRules(policies)
	if err != nil {
		return nil, err
	}
	return &Memory{
		start: start, capacity: max(1, keysPerClass/shardCount), rules: rules, seed: maphash.MakeSeed(),
	}, nil
}

// Spend implements Limiter. It neither blocks nor looks at the context.
func (m *Memory) Spend(_ context.Context, key Key, now time.Time) (Decision, error) {
	r, err := m.rules.find(key)
	if err != nil || len(r.spans) == 0 {
		return Decision{Admitted: err == nil}, err
	}
	s := m.lock(key.Subject, now)
	defer s.mu.Unlock()
	t := &s.tables[key.Class]
	e := t.entries[key.Subject]
	if e == nil {
		e = t.add(key.Subject, r, m.capacity, s.now)
	}
	d := decide(r.spans, e.windows, s.now, true)
	if d.Admitted {
		t.touch(e, s.now)
	}
	return d, nil
}

// Peek implements Limiter. It neither blocks nor looks at the context, and asking
// about a key does not make the limiter hold it.
func (m *Memory) Peek(_ context.Context, key Key, now time.Time) (Decision, error) {
	r, err := m.rules.find(key)
	if err != nil || len(r.spans) == 0 {
		return Decision{Admitted: err == nil}, err
	}
	s := m.lock(key.Subject, now)
	defer s.mu.Unlock()
	windows := r.unused
	if e := s.tables[key.Class].entries[key.Subject]; e != nil {
		windows = e.windows
	}
	return decide(r.spans, windows, s.now, false), nil
}

// SpendBehind implements Limiter.
func (m *Memory) SpendBehind(ctx context.Context, guard, key Key, now time.Time) (d Decision, guarded bool, err error) {
	if _, err = m.rules.find(key); err != nil {
		return d, false, err
	}
	if d, err = m.Peek(ctx, guard, now); err != nil || !d.Admitted {
		return d, err == nil, err
	}
	d, err = m.Spend(ctx, key, now)
	return d, false, err
}

// Glance implements Limiter: it is Peek.
func (m *Memory) Glance(ctx context.Context, key Key, now time.Time) (Decision, error) {
	return m.Peek(ctx, key, now)
}

// lock takes the subject's shard and brings its clock up to now. The caller unlocks.
func (m *Memory) lock(subject string, now time.Time) *shard {
	s := &m.shards[maphash.String(m.seed, subject)%shardCount]
	s.mu.Lock()
	s.advance(m.micros(now))
	return s
}

func (m *Memory) micros(now time.Time) int64 { return now.Sub(m.start).Microseconds() }

func (s *shard) advance(now int64) { s.now = max(s.now, now) }

// Sweep drops the keys whose windows are empty at now and returns how many. The
// server calls it about once a minute. It costs what it drops, holds one shard at a
// time, and none for long.
func (m *Memory) Sweep(now time.Time) int {
	dropped, at := 0, m.micros(now)
	for i := range m.shards {
		for class := range m.rules.rules {
			for more := true; more; {
				n := m.shards[i].sweep(class, &m.rules.rules[class], at)
				dropped += n
				more = n == sweepBatch
			}
		}
	}
	return dropped
}

func (s *shard) sweep(class int, r *rule, now int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	return s.tables[class].sweep(r, s.now, sweepBatch)
}

// Stats tells how full a class is.
type Stats struct {
	Keys    int    // held now, idle ones not yet swept included
	Evicted uint64 // displaced since the start though not idle: counts were forgotten
}

// Stats is for metrics. An unknown class has none.
func (m *Memory) Stats(class Class) Stats {
	var sum Stats
	if !class.known() {
		return sum
	}
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		sum.Keys += len(s.tables[class].entries)
		sum.Evicted += s.tables[class].evicted
		s.mu.Unlock()
	}
	return sum
}
