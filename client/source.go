package client

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// source holds the access token that the calls of a client share.
//
// It stands in the place of package oauth2's own reuse of tokens, which can
// neither be told that a token was refused nor what to revoke at the end, fetches
// under a lock that no context interrupts, and renews only once nothing works
// without. The fetch itself is package oauth2's.
//
//	(none) --token--> fetching --> current --renewAt--> current, fetching --> current
//	   ^                              |
//	   +------- reject (a 401) -------+
type source struct {
	now   func() time.Time
	issue func(context.Context) (Token, error)

	// Of the fetches: they serve all callers, so no caller's context ends them.
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	current  Token
	replaced Token // the one before: calls under way may still use it
	fetching *fetch
	notUntil time.Time // when renewing ahead of time may be tried again
	closed   bool
}

// fetch is a token request that is under way.
type fetch struct {
	done  chan struct{} // closed when token and err are there
	token Token
	err   error
}

// renewAgain is how long a live token is used after its renewal has failed. A
// server counts failed authentication; we must not lock ourselves out.
const renewAgain = 10 * time.Second

func newSource(now func() time.Time, issue func(context.Context) (Token, error)) *source {
	s := &source{now: now, issue: issue}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// token returns the shared token and renews it when it is time. It waits only when
// there is none to use meanwhile.
func (s *source) token(ctx context.Context) (Secret, error) {
	usable, f, err := s.look()
	if err != nil || f == nil {
		return usable, err
	}
	select {
	case <-f.done:
		return f.token.Value, f.err
	case <-ctx.Done():
		return Secret{}, fmt.Errorf("%w while waiting for an access token", ctx.Err())
	}
}

// look returns the token to use, or the fetch to wait for.
func (s *source) look() (Secret, *fetch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Secret{}, nil, ErrClosed
	}
	now := s.now()
	if !s.current.usable(now) {
		return Secret{}, s.fetch(), nil
	}
	if !now.Before(s.current.renewAt()) && !now.Before(s.notUntil) {
		s.fetch()
	}
	return s.current.Value, nil, nil
}

// fetch starts a fetch unless one is under way. The caller holds mu.
func (s *source) fetch() *fetch {
	if s.fetching != nil {
		return s.fetching
	}
	f := &fetch{done: make(chan struct{})}
	s.fetching = f
	s.wg.Go(func() {
		f.token, f.err = s.issue(s.ctx)
		s.finish(f)
		close(f.done)
	})
	return f
}

func (s *source) finish(f *fetch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetching = nil
	switch {
	case f.err == nil:
		s.replaced, s.current = s.current, f.token
	case s.closed:
		f.err = ErrClosed
	default:
		s.notUntil = s.now().Add(renewAgain)
	}
}

// reject forgets a token that the server refused, unless it has been replaced
// already: of many callers refused at once, one fetch serves all.
func (s *source) reject(token Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current.Value.Reveal() == token.Reveal() {
		s.current = Token{}
	}
}

// close ends the source and returns the tokens that still live. Only the first call
// returns any.
func (s *source) close() []Secret {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var live []Secret
	for _, t := range []Token{s.current, s.replaced} {
		if t.Value != (Secret{}) && s.now().Before(t.Expiry) {
			live = append(live, t.Value)
		}
	}
	s.current, s.replaced = Token{}, Token{}
	return live
}
