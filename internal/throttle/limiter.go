// Package throttle owns how often something may be asked for: the limits, the
// sliding windows that enforce them, and the answer a caller gets.
//
// It leaves to the HTTP edge which request spends which key, and the words and
// headers of a 429; to the server the clock and the regular call of Sweep; to
// other implementations of Limiter how counts are shared between replicas.
//
// What must always hold:
//
//   - In any interval as long as a limit's window at most Max requests are
//     admitted: not on average, and not per calendar minute.
//   - A refused request is not counted, in no window.
//   - All windows of a key are spent together or not at all.
//   - RetryAfter is enough if nobody else spends the key meanwhile, and no longer
//     than needed by more than a second.
//
// Times are counted in whole microseconds, the finest that every store keeps. A
// clock that goes back is read as standing still until it has caught up, so a
// step back never admits more; a step forward only empties windows.
package throttle

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// Limiter meters keys. Implementations are safe for concurrent use and pass
// throttletest.Run. An error means that nothing is known and nothing was counted:
// the key is malformed or of a class without a policy, or the store failed.
type Limiter interface {
	// Spend admits and counts one request, or refuses it and counts nothing.
	Spend(ctx context.Context, key Key, now time.Time) (Decision, error)

	// Peek tells what Spend would decide at now, without counting. Between the two
	// others may spend: who counts only failures must look at Spend's decision too
	// and answer as over the limit when it refuses, so that guesses sent in parallel
	// learn no more than guesses sent one by one.
	Peek(ctx context.Context, key Key, now time.Time) (Decision, error)

	// SpendBehind is Peek of guard, and Spend of key if that admits, in one question. If the
	// guard refuses, the decision is its own and nothing is counted.
	SpendBehind(ctx context.Context, guard, key Key, now time.Time) (d Decision, guarded bool, err error)

	// Glance is a Peek that need not ask others: it may admit where Peek refuses, but not the
	// other way round. Whoever goes on because of it must look at SpendBehind's or Spend's
	// decision about the same key before they tell anybody anything.
	Glance(ctx context.Context, key Key, now time.Time) (Decision, error)
}

// maxSubject bounds the length of a subject in bytes, as every key seen recently
// is held in memory.
const maxSubject = 256

// Key names one allowance. But for addresses the subject must have been
// authenticated, or strangers could spend it.
type Key struct {
	Class   Class
	Subject string // client id, principal, or AddressSubject; 1 to 256 bytes
}

func (k Key) check() error {
	if len(k.Subject) == 0 || len(k.Subject) > maxSubject {
		return fmt.Errorf("throttle: key of class %s: subject has %d bytes, want 1 to %d",
			k.Class, len(k.Subject), maxSubject)
	}
	return nil
}

// AddressSubject gives the subject under which a network address is counted. An
// IPv4 address written as IPv6 is that IPv4 address. IPv6 is counted by /64, the
// smallest network a site is given (RFC 6177 section 2): one host has 2^64
// addresses to choose from. Zones are dropped. All invalid addresses are one subject.
func AddressSubject(addr netip.Addr) string {
	addr = addr.Unmap()
	if !addr.Is6() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}

// Decision is the answer to one request.
//
// Limit, Remaining and Reset describe the window closest to exhaustion: the one
// that admits the fewest further requests, and of equals the one that stays so the
// longest. On a refusal that is the window to wait for. They are the RateLimit-*
// headers of contract section 2.
type Decision struct {
	Admitted   bool
	RetryAfter time.Duration // whole seconds, at least 1, when refused; else 0
	Limit      Limit         // zero when nothing limits the key
	Remaining  int           // requests that window still admits now
	Reset      time.Duration // whole seconds, rounded up, until that window has more room; 0 when it is unused
}

// Unlimited reports that no limit applies to the key: there is nothing to tell in headers.
func (d Decision) Unlimited() bool { return d.Limit.Max == 0 }
