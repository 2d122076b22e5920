package signin

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
)

// Bounds of a password, in characters. There are no other rules of composition
// (NIST SP 800-63B section 3.1.1.2), but what is easily guessed is refused.
const (
	MinPassword = 12
	MaxPassword = 128
	// minGuesses is what a password must take, zxcvbn's score 3 of 4: "safely
	// unguessable". The 5 keeps what is built of one pattern of exactly 10^8 below.
	minGuesses = 1e8 + 5
	// guessedPart is how many characters are looked at for what is guessable: the search is
	// quadratic.
	guessedPart = 64
)

// Cost is what hashing a password with argon2id takes (RFC 9106), in one lane.
type Cost struct {
	Memory uint32 // KiB
	Passes uint32
}

// DefaultCost is the second choice of OWASP's password storage cheat sheet. Anything less is
// for tests.
var DefaultCost = Cost{Memory: 19 * 1024, Passes: 2}

const (
	argonLanes = 1
	argonSalt  = 16
	argonKey   = 32
	// maxArgonMemory bounds what a stored hash can make us spend.
	maxArgonMemory = 256 * 1024
)

// Hasher hashes passwords, a bounded number at once: each takes 19 MiB.
type Hasher struct {
	cost  Cost
	turns chan struct{}
	// nobody is the hash against which a password is checked where there is none, so that both
	// cost the same.
	nobody string
}

// NewHasher makes a Hasher that hashes so many passwords at once, at least one.
func NewHasher(atOnce int, c Cost) *Hasher {
	return &Hasher{
		cost: c, turns: make(chan struct{}, max(1, atOnce)), nobody: c.encode(make([]byte, argonSalt), make([]byte, argonKey)),
	}
}

// encode gives the PHC string format.
func (c Cost) encode(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Passes, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// turn waits for a turn and returns how to give it back.
func (h *Hasher) turn(ctx context.Context) (func(), error) {
	ctx, cancel := context.WithTimeout(ctx, hashingDeadline)
	defer cancel()
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-ctx.Done():
		return nil, fault.Unavailable(hashingDeadline, ctx.Err(), "too many people are signing in at once: try again shortly")
	}
}

// Hash encodes a password, with a salt read from rand, in the PHC string format.
func (h *Hasher) Hash(ctx context.Context, rand io.Reader, password string) (string, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", fmt.Errorf("signin: read a salt: %w", err)
	}
	return h.cost.encode(salt, argon2.IDKey([]byte(password), salt, h.cost.Passes, h.cost.Memory, argonLanes, argonKey)), nil
}

// Check tells whether this is the password; without one (encoded is empty) it takes as
// long and says no. The error is a stored hash that can't be read, or no turn in time.
func (h *Hasher) Check(ctx context.Context, encoded, password string) (bool, error) {
	missing := encoded == ""
	if missing {
		encoded = h.nobody
	}
	stored, err := decodeHash(encoded)
	if err != nil {
		return false, err
	}
	done, err := h.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	key := argon2.IDKey([]byte(password), stored.salt, stored.time, stored.memory, stored.threads, uint32(len(stored.key)))
	return subtle.ConstantTimeCompare(key, stored.key) == 1 && !missing, nil
}

type decodedHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

var errHash = errors.New("signin: a stored password hash can't be read")

// decodeHash reads what Hash wrote, now or with other costs.
func decodeHash(encoded string) (d decodedHash, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return d, errHash
	}
	n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &d.memory, &d.time, &d.threads)
	if err != nil || n != 3 {
		return d, errHash
	}
	d.salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err == nil {
		d.key, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || !d.sane() {
		return d, errHash
	}
	return d, nil
}

// sane tells whether the figures are such as we may have written, and bounded.
func (d decodedHash) sane() bool {
	within := func(n, least, most int) bool { return n >= least && n <= most }
	return within(int(d.memory), 8, maxArgonMemory) && within(int(d.time), 1, 16) && within(int(d.threads), 1, 16) &&
		within(len(d.salt), 8, 64) && within(len(d.key), 16, 64)
}

// productWords are guessed first on a server of ours.
var productWords = []string{"rollcall", "1password", "console", "users", "administrator", "owner"}

// ValidatePassword refuses a password that is too short or too long, or easily guessed by
// who knows the person and the account: lists of common passwords, words, names, dates,
// keyboard rows and repetitions are looked for. The error is a fault of kind Invalid.
func ValidatePassword(password string, u directory.User, a directory.Account) error {
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return fault.Invalid("the password is not valid UTF-8")
	case n < MinPassword:
		return fault.Invalid("the password is too short: use at least %d characters; a few unrelated words do well", MinPassword)
	case n > MaxPassword:
		return fault.Invalid("the password is too long: at most %d characters are allowed", MaxPassword)
	}
	words := append(directory.SearchWords(u), strings.ToLower(string(u.Email)), strings.ToLower(u.DisplayName))
	words = append(append(words, strings.Fields(strings.ToLower(a.Name))...), productWords...)
	if guessable(password, words) {
		return fault.Invalid("the password is easily guessed: use something less common, such as a few unrelated words")
	}
	return nil
}

func guessable(password string, words []string) bool {
	part := []rune(password)
	if len(part) > guessedPart {
		part = part[:guessedPart]
	}
	return guesses(string(part), words) < minGuesses
}
