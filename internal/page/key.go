package page

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"slices"
	"time"
)

const (
	// Lifetime is how long a page token can be used after it was issued (contract section 4).
	Lifetime = 3 * 24 * time.Hour
	// RotateAfter is the age at which a key stops sealing new tokens. A nonce is 96 random bits, which NIST SP 800-38D
	// section 8.3 allows for at most 2^32 seals under one key: a day at 49,000 pages a second.
	RotateAfter = 24 * time.Hour
	// KeyLifetime is how long a key must be kept after its CreatedAt: until the last token it may have sealed, on a
	// replica whose clock is as far off as allowed, has expired. Then it can be purged.
	KeyLifetime = RotateAfter + Lifetime + 2*maxSkew
	// maxSkew is how far the clocks of two replicas may be apart.
	maxSkew = 5 * time.Minute
)

// Key seals and opens page tokens. It never changes once it is stored.
type Key struct {
	// ID is random and stands in the clear in each token the key sealed. It is unique in a store.
	ID uint32
	// Secret is an AES-256 key.
	Secret Secret
	// CreatedAt is exact to the microsecond.
	CreatedAt time.Time
}

// Secret is 32 random bytes that show themselves to nobody: printed or encoded it is "[redacted]". Slice it to store
// it.
type Secret [32]byte

// Format writes a placeholder for every verb, %x and %#v included.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText gives a placeholder, for JSON and other encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

const redacted = "[redacted]"

// KeySet is an immutable set of keys made ready for use; it is safe for concurrent use.
type KeySet struct {
	byID map[uint32]*sealer
	// newestFirst holds the same keys by CreatedAt.
	newestFirst []*sealer
}

// sealer is a key with its cipher, which takes longer to set up than a token takes to open.
type sealer struct {
	id        uint32
	createdAt time.Time
	aead      cipher.AEAD
}

// NewKeySet makes the ciphers of keys. It refuses a Secret of zeros and two keys of one ID.
func NewKeySet(keys []Key) (*KeySet, error) {
	set := &KeySet{byID: make(map[uint32]*sealer, len(keys))}
	for _, key := range keys {
		s, err := newSealer(key)
		if err != nil {
			return nil, err
		}
		if set.byID[key.ID] != nil {
			return nil, fmt.Errorf("page: two keys have the id %d", key.ID)
		}
		set.byID[key.ID] = s
		set.newestFirst = append(set.newestFirst, s)
	}
	slices.SortStableFunc(set.newestFirst, func(a, b *sealer) int { return b.createdAt.Compare(a.createdAt) })
	return set, nil
}

func newSealer(key Key) (*sealer, error) {
	if key.Secret == (Secret{}) {
		return nil, fmt.Errorf("page: key %d has no secret", key.ID)
	}
	block, err := aes.NewCipher(key.Secret[:])
	if err != nil {
		return nil, fmt.Errorf("page: key %d: %w", key.ID, err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("page: key %d: %w", key.ID, err)
	}
	return &sealer{id: key.ID, createdAt: key.CreatedAt, aead: aead}, nil
}

// sealing is the newest key young enough to seal at now, or nil. A key from further in the future than clocks may be
// apart is passed over: it would never grow old enough to be replaced.
func (ks *KeySet) sealing(now time.Time) *sealer {
	for _, s := range ks.newestFirst {
		if age := now.Sub(s.createdAt); age >= -maxSkew {
			if age < RotateAfter {
				return s
			}
			return nil
		}
	}
	return nil
}

// newKey reads a key from rand whose ID is not in the set.
func (ks *KeySet) newKey(now time.Time, rand io.Reader) (Key, error) {
	key := Key{CreatedAt: now.UTC().Truncate(time.Microsecond)}
	if _, err := io.ReadFull(rand, key.Secret[:]); err != nil {
		return Key{}, fmt.Errorf("page: read a new key: %w", err)
	}
	for taken := true; taken; _, taken = ks.byID[key.ID] {
		var err error
		if key.ID, err = randomID(rand); err != nil {
			return Key{}, err
		}
	}
	return key, nil
}
