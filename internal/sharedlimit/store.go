package sharedlimit

import (
	"context"
	"strconv"
	"time"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// Order asks a store for one key.
type Order struct {
	Key   string         // class and subject; not always valid UTF-8
	Meter throttle.Meter // at least one window
	N     int            // requests to count at once, as far as Meter admits them; 0 = only look

	// Guards say of some of the N requests that they count only if another key has room. The
	// orders of those keys have no guards.
	Guards []Guard
	// Counts is what is left of N without the requests whose guards have no room; see Settle.
	Counts int

	// At is the time to count at, if it is given: microseconds since 1970. Otherwise it is
	// 0, and the store's own clock tells. Either way a key's time never goes back.
	At int64

	// The answer: each window's use before counting, or why nothing is known.
	Used []throttle.Use
	Err  error
}

// Guard is another key that must have room for a request to count.
type Guard struct {
	Order  int               // number of that key's order in the same call
	Answer throttle.Decision // what Peek says of that key; Settle fills it in
}

// Settle fills in Guards and Counts once the guards' orders are answered. Stores call it
// for every order before they count it, and again whenever they read it again.
func (o *Order) Settle(orders []Order) {
	o.Counts = o.N
	for i := range o.Guards {
		g := &o.Guards[i]
		guard := &orders[g.Order]
		g.Answer = throttle.Decision{}
		if guard.Err == nil {
			g.Answer = guard.Meter.Peek(guard.Used)
		}
		if !g.Answer.Admitted {
			o.Counts--
		}
	}
}

// Store keeps counts for many replicas. It may be called again only when it has returned.
type Store interface {
	// Spend answers every order; no two are for the same key. Each key is counted at one
	// instant, all of its windows together or not at all, and after its guards were
	// answered (see Order.Settle). After an error it is not known whether anything was counted.
	Spend(ctx context.Context, orders []Order)

	// Sweep forgets keys whose windows are empty, where the store does not by itself.
	Sweep(ctx context.Context) error

	// Close gives connections back.
	Close()
}

// storeKey is how every store names a key. Classes have no colon in their names.
func storeKey(k throttle.Key) string { return k.Class.String() + ":" + k.Subject }

// windowName names the i-th window by its length, so that a store finds it again when
// the figures of a policy have changed; of equal lengths the later ones are numbered.
func windowName(m throttle.Meter, i int) string {
	per := m.Window(i).Per
	name := strconv.FormatInt(per, 10)
	same := 0
	for j := range i {
		if m.Window(j).Per == per {
			same++
		}
	}
	if same > 0 {
		name += "." + strconv.Itoa(same)
	}
	return name
}

// fail answers every order with an error.
func fail(orders []Order, err error) {
	for i := range orders {
		orders[i].Used, orders[i].Err = nil, err
	}
}

// micros is t as stores know it.
func micros(t time.Time) int64 { return t.UnixMicro() }
