package oauth

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/internal/ident"
)

// Use says when a secret was last used.
type Use struct {
	Secret ident.EntryID
	Time   time.Time
}

// UseStore keeps when secrets were last used.
type UseStore interface {
	// SetSecretsUsed writes the time of each use that is later than the one it has; a
	// secret that is gone is passed over.
	SetSecretsUsed(ctx context.Context, uses []Use) error
}

// Uses remembers when secrets were last used, so that asking for a token writes nothing
// but the token: it is read by people who wait for an old secret to fall idle. What
// it holds is bounded by the secrets there are: only those that were right are noted.
// A nil Uses remembers nothing. It is safe for concurrent use.
type Uses struct {
	mu      sync.Mutex
	pending map[ident.EntryID]time.Time
}

// note remembers a use.
func (u *Uses) note(id ident.EntryID, at time.Time) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.add(id, at)
}

func (u *Uses) add(id ident.EntryID, at time.Time) {
	if u.pending == nil {
		u.pending = map[ident.EntryID]time.Time{}
	}
	if at.After(u.pending[id]) {
		u.pending[id] = at
	}
}

// latest returns the later of what is stored and what is not written yet.
func (u *Uses) latest(id ident.EntryID, stored time.Time) time.Time {
	if u == nil {
		return stored
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if at := u.pending[id]; at.After(stored) {
		return at
	}
	return stored
}

// usesStep is how many uses one transaction writes.
const usesStep = 500

// Flush writes what was noted since the last flush. What the store does not take is kept
// for the next one.
func (u *Uses) Flush(ctx context.Context, store UseStore) error {
	u.mu.Lock()
	uses := make([]Use, 0, len(u.pending))
	for id, at := range u.pending {
		uses = append(uses, Use{id, at})
	}
	u.mu.Unlock()
	for chunk := range slices.Chunk(uses, usesStep) {
		if err := store.SetSecretsUsed(ctx, chunk); err != nil {
			return err
		}
		u.drop(chunk)
	}
	return nil
}

// drop forgets uses that are written, unless there has been a later one.
func (u *Uses) drop(written []Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, use := range written {
		if u.pending[use.Secret].Equal(use.Time) {
			delete(u.pending, use.Secret)
		}
	}
}
