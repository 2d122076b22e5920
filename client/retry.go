package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// Retry says how stubborn a call is.
type Retry struct {
	// MaxAttempts bounds the requests of a call; 1 never retries, 0 = 5. A token
	// that is fetched on the way has as many of its own.
	MaxAttempts int
	// MaxWait is the longest wait between two attempts; 0 = 2 minutes. Where the
	// server asks for more, or the context ends sooner, the error comes at once.
	MaxWait time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.MaxAttempts == 0 {
		r.MaxAttempts = 5
	}
	if r.MaxWait == 0 {
		r.MaxWait = 2 * time.Minute
	}
	return r
}

// Waits where the server names none: 0.25 s, doubled with each attempt up to 10 s,
// of which a random half is dropped.
const (
	firstWait = 250 * time.Millisecond
	lastWait  = 10 * time.Second
)

// final is an error that is not retried, whatever it wraps: what made it was
// retried already.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// persist calls attempt until it succeeds, fails for good, or may not be repeated.
func (c *Client) persist(ctx context.Context, attempt func() error) error {
	for n := 1; ; n++ {
		err := attempt()
		if err == nil || ctx.Err() != nil || !retryable(err) {
			return err
		}
		wait := c.wait(err, n)
		if n >= c.config.Retry.MaxAttempts || wait > c.config.Retry.MaxWait || outlasts(ctx, wait) {
			return after(n, err)
		}
		if waitErr := c.config.Sleep(ctx, wait); waitErr != nil {
			return fmt.Errorf("%w while waiting to retry: %w", waitErr, err)
		}
	}
}

func after(attempts int, err error) error {
	if attempts == 1 {
		return err
	}
	return fmt.Errorf("after %d attempts: %w", attempts, err)
}

// outlasts tells whether waiting is pointless, because the context ends before.
func outlasts(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) < wait
}

// wait is how long to wait after the nth attempt. What the server asks for is the
// least; up to a second more keeps those who were refused together from returning
// together.
func (c *Client) wait(err error, n int) time.Duration {
	var e *Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		return e.RetryAfter + time.Duration(c.config.Rand()*float64(min(time.Second, e.RetryAfter)))
	}
	wait := min(firstWait<<min(n-1, 10), lastWait)
	return wait/2 + time.Duration(c.config.Rand()*float64(wait/2))
}

// retryable tells whether the same request may succeed later.
func retryable(err error) bool {
	var done final
	switch {
	case errors.As(err, &done):
		return false
	case errors.Is(err, ErrRateLimited), errors.Is(err, ErrUnavailable):
		return true
	}
	return errors.Is(err, ErrConnection) && !isPermanent(err)
}

// isPermanent tells of a failed connection that it will fail again: who answers is
// not trusted, does not speak TLS, or has no address.
func isPermanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var name *net.DNSError
	return errors.As(err, &certificate) || errors.As(err, &notTLS) || errors.As(err, &name) && name.IsNotFound
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
