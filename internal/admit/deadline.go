package admit

import (
	"context"
	"time"
)

// RequestTime is how long all that a request waits for may take together, its turn and the
// database's silences and repetitions included. What notices late that it is over adds less
// than two seconds: a request is answered within ten.
const RequestTime = 8 * time.Second

// until is until when a request may take. It is a value of the context, and not the
// context's own deadline: that costs a timer for each request, and a goroutine for each
// statement that watches it. Whoever waits for something asks for it and bounds the wait.
type until struct {
	context.Context

	at time.Time
}

type untilKey struct{}

// Value implements context.Context.
func (u *until) Value(key any) any {
	if key == (untilKey{}) {
		return u
	}
	return u.Context.Value(key)
}

// WithUntil returns a context in which work may take until a time, or until the one of
// the parent if that is sooner.
func WithUntil(parent context.Context, at time.Time) context.Context {
	if sooner, ok := Until(parent); ok && sooner.Before(at) {
		return parent
	}
	return &until{parent, at}
}

// Until returns until when work may take; ok is false if nobody has said so.
func Until(ctx context.Context) (at time.Time, ok bool) {
	u, ok := ctx.Value(untilKey{}).(*until)
	if !ok {
		return at, false
	}
	return u.at, true
}
