// Package history knows what may be true of things that change under failures, and says when an answer is not.
//
// A thing (a person's state, a token's life) is changed by one client only, which waits for each answer. A change that
// was acknowledged has happened. One that was not (503, a cut connection, no answer) may have happened, may not have,
// and may still happen while whoever carries it out is frozen or hangs: until it has had time to, nothing else is changed and both
// values are possible. What is read must be possible; once the time is over, what is read is what is true.
//
// It owns that reasoning and nothing else: it reads no clock and calls nobody.
package history

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Thing is what is known of one thing. Its zero value knows nothing; begin with New.
type Thing[V comparable] struct {
	name     string
	possible []V
	open     time.Time // until then, a change that was not acknowledged may happen
	record   []string  // the last events, for whoever looks for the reason
}

// maxRecord bounds the events that are kept.
const maxRecord = 12

// New returns a thing whose value is known.
func New[V comparable](name string, value V) *Thing[V] {
	return &Thing[V]{name: name, possible: []V{value}}
}

func (t *Thing[V]) note(at time.Time, format string, args ...any) {
	t.record = append(t.record, at.UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	if len(t.record) > maxRecord {
		t.record = slices.Delete(t.record, 0, 1)
	}
}

// Acknowledged says that a change to a value was acknowledged.
func (t *Thing[V]) Acknowledged(value V, at time.Time) {
	t.note(at, "acknowledged: %v", value)
	t.possible = []V{value}
}

// Unknown says that a change to a value was sent and not acknowledged, and may happen until a moment.
func (t *Thing[V]) Unknown(value V, at, until time.Time) {
	t.note(at, "not acknowledged: %v", value)
	if !slices.Contains(t.possible, value) {
		t.possible = append(t.possible, value)
	}
	if until.After(t.open) {
		t.open = until
	}
}

// Refused says that a change was refused for a reason that leaves no doubt; it needs no memory but for the record.
func (t *Thing[V]) Refused(value V, at time.Time) { t.note(at, "refused: %v", value) }

// Seen says that a value was read by a request that began at a moment; the error is that it can't be.
func (t *Thing[V]) Seen(value V, began time.Time) error {
	if !slices.Contains(t.possible, value) {
		return fmt.Errorf("%s: read %v, possible is %v. Before it:\n  %s", t.name, value, t.possible, strings.Join(t.record, "\n  "))
	}
	t.note(began, "read: %v", value)
	if !began.Before(t.open) {
		t.possible = []V{value}
	}
	return nil
}

// Settled tells whether a change may be made: nothing is under way.
func (t *Thing[V]) Settled(now time.Time) bool { return len(t.possible) == 1 || !now.Before(t.open) }

// Certain returns the value, if there is only one that is possible.
func (t *Thing[V]) Certain() (value V, certain bool) {
	return t.possible[0], len(t.possible) == 1
}
