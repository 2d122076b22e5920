package page

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/rollcall-id/rollcall/internal/ident"
)

// Store keeps the keys of all replicas. Keys are added and, after KeyLifetime, purged; none ever changes.
type Store interface {
	// PageKeys returns every key, in any order.
	PageKeys(ctx context.Context) ([]Key, error)
	// AddPageKey stores key durably, so that every replica's PageKeys returns it from then on.
	AddPageKey(ctx context.Context, key Key) error
}

const (
	// A token under an unknown key makes the store be read again: another replica may have made the key. Made-up
	// tokens must not make a read each, hence one read a reloadEvery. A few are ahead of that pace, for replicas
	// that start together and each make a key.
	reloadEvery = time.Second
	reloadAhead = 4
)

// Keyring seals and opens page tokens under keys that it reads from a Store, makes, replaces daily and shares with
// other replicas through the Store. It keeps keys in memory, which is safe because they never change. It is safe for
// concurrent use; calls that find their key in memory wait for nobody.
type Keyring struct {
	store Store
	now   func() time.Time
	rand  io.Reader

	keys atomic.Pointer[KeySet]
	// turn holds one value while a call talks to the store, and guards paidUntil. It is a channel so that a caller
	// who waits can still give up.
	turn chan struct{}
	// paidUntil is the moment up to which reads for unknown keys are used up; a few lie ahead of now.
	paidUntil time.Time
}

// NewKeyring makes a keyring; it reads the store at first use. Both now and rand must be safe for concurrent use, and
// rand must be fit for secrets.
func NewKeyring(store Store, now func() time.Time, rand io.Reader) *Keyring {
	return &Keyring{store: store, now: now, rand: rand, turn: make(chan struct{}, 1)}
}

// Seal writes the token that lets account go on at c in its list of users. It fails when the store or the source of
// randomness does.
func (k *Keyring) Seal(ctx context.Context, account ident.AccountID, c Cursor) (string, error) {
	return k.SealList(ctx, Users, account, c)
}

// SealList is Seal for any list.
func (k *Keyring) SealList(ctx context.Context, list List, account ident.AccountID, c Cursor) (string, error) {
	now := k.now()
	s, err := k.sealing(ctx, now)
	if err != nil {
		return "", err
	}
	return s.seal(list.of(account), c, now, k.rand)
}

// Open reads a token sealed for account's list of users by any replica. The error is the fault that the function Open
// describes, or the store's.
func (k *Keyring) Open(ctx context.Context, account ident.AccountID, token string) (Cursor, error) {
	return k.OpenList(ctx, Users, account, token)
}

// OpenList is Open for any list.
func (k *Keyring) OpenList(ctx context.Context, list List, account ident.AccountID, token string) (Cursor, error) {
	raw, err := decode(token)
	if err != nil {
		return Cursor{}, err
	}
	now := k.now()
	s, err := k.opening(ctx, keyID(raw), now)
	if err != nil {
		return Cursor{}, err
	}
	return s.open(list.of(account), raw, now)
}

// sealing returns a key young enough to seal with, and makes one if the store has none.
func (k *Keyring) sealing(ctx context.Context, now time.Time) (*sealer, error) {
	young := func(keys *KeySet) *sealer { return keys.sealing(now) }
	if s := k.find(young); s != nil {
		return s, nil
	}
	if err := k.take(ctx); err != nil {
		return nil, err
	}
	defer k.release()
	if s := k.find(young); s != nil {
		return s, nil
	}
	stored, err := k.load(ctx, now)
	if err != nil {
		return nil, err
	}
	if s := k.find(young); s != nil {
		return s, nil
	}
	return k.add(ctx, stored, now)
}

// opening returns the key of that id, and reads the store for one it does not know.
func (k *Keyring) opening(ctx context.Context, id uint32, now time.Time) (*sealer, error) {
	known := func(keys *KeySet) *sealer { return keys.byID[id] }
	if s := k.find(known); s != nil {
		return s, nil
	}
	if err := k.take(ctx); err != nil {
		return nil, err
	}
	defer k.release()
	if s := k.find(known); s != nil {
		return s, nil
	}
	// The first read of all is not held against the pace.
	if k.keys.Load() != nil && !k.mayReload(now) {
		return nil, refuse(errUnknownKey)
	}
	if _, err := k.load(ctx, now); err != nil {
		return nil, err
	}
	if s := k.find(known); s != nil {
		return s, nil
	}
	return nil, refuse(errUnknownKey)
}

// find picks a key out of memory; it is nil before the store was first read.
func (k *Keyring) find(pick func(*KeySet) *sealer) *sealer {
	if keys := k.keys.Load(); keys != nil {
		return pick(keys)
	}
	return nil
}

// load replaces the keys in memory by the store's that can still open a token. The caller has the turn.
func (k *Keyring) load(ctx context.Context, now time.Time) ([]Key, error) {
	all, err := k.store.PageKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("page: load keys: %w", err)
	}
	live := make([]Key, 0, len(all)+1)
	for _, key := range all {
		if now.Sub(key.CreatedAt) < KeyLifetime {
			live = append(live, key)
		}
	}
	keys, err := NewKeySet(live)
	if err != nil {
		return nil, err
	}
	k.keys.Store(keys)
	return live, nil
}

// add makes a key beside stored. It seals nothing before the store has it: no token may outlive its key with us. The
// caller has the turn. Another replica may add one at the same moment; both serve.
func (k *Keyring) add(ctx context.Context, stored []Key, now time.Time) (*sealer, error) {
	key, err := k.keys.Load().newKey(now, k.rand)
	if err != nil {
		return nil, err
	}
	if err := k.store.AddPageKey(ctx, key); err != nil {
		return nil, fmt.Errorf("page: add key %d: %w", key.ID, err)
	}
	keys, err := NewKeySet(append(stored, key))
	if err != nil {
		return nil, err
	}
	k.keys.Store(keys)
	return keys.byID[key.ID], nil
}

// mayReload spends one read for an unknown key, if the pace allows one. The caller has the turn.
func (k *Keyring) mayReload(now time.Time) bool {
	if k.paidUntil.Before(now) {
		k.paidUntil = now
	}
	if k.paidUntil.Sub(now) >= reloadAhead*reloadEvery {
		return false
	}
	k.paidUntil = k.paidUntil.Add(reloadEvery)
	return true
}

func (k *Keyring) take(ctx context.Context) error {
	select {
	case k.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("page: wait for keys: %w", ctx.Err())
	}
}

func (k *Keyring) release() { <-k.turn }
