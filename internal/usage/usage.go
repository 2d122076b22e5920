// Package usage owns the counters of who uses the API: requests, errors and limit
// hits per application, User-Agent and hour.
//
// Counting happens in memory and costs a map access a request; the sums are added to
// the store every few seconds and at the end. What must always hold: what is in
// memory is bounded, whatever clients send, and no count is taken twice. Counts not
// yet added are lost if the process is killed: they are for people who look at
// trends; what happened exactly is in audit.
package usage

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// Key says what a counter counts.
type Key struct {
	Hour      time.Time // UTC, its first second
	Account   ident.AccountID
	Client    ident.ClientID
	UserAgent string
}

// Counts is what was counted.
type Counts struct {
	Requests int64
	Errors   int64 // answers of 400 and above, limit hits included
	Limited  int64 // answers of 429
}

// Row is one counter.
type Row struct {
	Key
	Counts
}

// Store keeps the sums.
type Store interface {
	// AddUsage adds the rows to what is there, all or none.
	AddUsage(ctx context.Context, rows []Row) error
	// Usage returns an account's rows from the hour of since on, by hour.
	Usage(ctx context.Context, account ident.AccountID, since time.Time) ([]Row, error)
}

// Bounds of what is kept in memory between two flushes.
const (
	maxKeys = 10_000
	// Other is the User-Agent under which those beyond the bound are counted.
	Other = "(other)"
)

// Meter counts. The zero value is ready; it is safe for concurrent use.
type Meter struct {
	mu     sync.Mutex
	counts map[Key]*Counts
}

// Observe counts one answer. status is its HTTP status; userAgent is as the client sent it.
func (m *Meter) Observe(account ident.AccountID, client ident.ClientID, userAgent string, status int, at time.Time) {
	key := Key{
		Hour: at.UTC().Truncate(time.Hour), Account: account, Client: client,
		UserAgent: audit.Clean(userAgent, audit.MaxUserAgent),
	}
	c := Counts{Requests: 1}
	if status >= 400 {
		c.Errors = 1
	}
	if status == 429 {
		c.Limited = 1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(key, c)
}

func (m *Meter) add(key Key, c Counts) {
	if m.counts == nil {
		m.counts = map[Key]*Counts{}
	}
	have := m.counts[key]
	if have == nil && len(m.counts) >= maxKeys {
		// There are as many of these as applications that are in use: few.
		key.UserAgent = Other
		have = m.counts[key]
	}
	if have == nil {
		m.counts[key] = &c
		return
	}
	have.Requests += c.Requests
	have.Errors += c.Errors
	have.Limited += c.Limited
}

// ErrUnknown means that the store can't tell whether it has added the rows: its server
// was lost while they were committed.
var ErrUnknown = errors.New("nobody knows whether the counts were added")

// Flush adds what was counted since the last flush to the store. If the store
// fails, the counts are kept for the next one; if nobody knows, they are not: they
// might be counted twice, and a little too few is the better lie.
func (m *Meter) Flush(ctx context.Context, store Store) error {
	m.mu.Lock()
	counted := m.counts
	m.counts = nil
	m.mu.Unlock()
	if len(counted) == 0 {
		return nil
	}
	rows := make([]Row, 0, len(counted))
	for key, c := range counted {
		rows = append(rows, Row{Key: key, Counts: *c})
	}
	for chunk := range slices.Chunk(rows, flushStep) {
		err := store.AddUsage(ctx, chunk)
		if err == nil || errors.Is(err, ErrUnknown) {
			for _, r := range chunk {
				delete(counted, r.Key)
			}
		}
		if err != nil {
			m.restore(counted)
			return err
		}
	}
	return nil
}

// flushStep is how many rows one transaction adds.
const flushStep = 500

func (m *Meter) restore(counted map[Key]*Counts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, c := range counted {
		m.add(key, *c)
	}
}
