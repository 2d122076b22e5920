package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// call is a request on a resource: what it asks, and what is to be minded.
type call struct {
	method, target string
	body           []byte // JSON; nil for none
	pacer          *pacer
	// once: done twice it has another effect, so it is not sent again where it may
	// have been done.
	once bool
	// ends: what it is about is gone once it is done, so that whoever repeats it is
	// told that there is nothing.
	ends bool
}

// resource makes a call that needs a token and reads the answer into a struct, or
// into nothing (nil). A token that is refused is renewed once for a call.
func (c *Client) resource(ctx context.Context, r call, into any) error {
	renewed, doubtful := false, false
	return c.persist(ctx, func() error {
		for {
			token, err := c.source.token(ctx)
			if err != nil {
				return final{err}
			}
			err = c.attempt(ctx, r, token, into)
			if r.ends && doubtful && errors.Is(err, ErrNotFound) {
				return nil // the attempt before has done it
			}
			doubtful = doubtful || mayBeDone(err)
			if renewed || !errors.Is(err, ErrUnauthenticated) {
				return err
			}
			renewed = true
			c.source.reject(token)
		}
	})
}

// attempt makes one request with the token.
func (c *Client) attempt(ctx context.Context, r call, token Secret, into any) error {
	request, err := r.request(ctx, token)
	if err != nil {
		return err
	}
	done, err := r.pacer.acquire(ctx)
	if err != nil {
		return fmt.Errorf("%w while keeping pace", err)
	}
	a, err := c.exchange(ctx, request)
	done()
	switch isDone := a.status == http.StatusOK || into == nil && a.status == http.StatusNoContent; {
	case err != nil:
	case !isDone:
		err = refusal(a, c.config.Now())
	case into != nil:
		err = decode(a, into)
	}
	if r.once && mayBeDone(err) {
		return final{fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)}
	}
	return err
}

func (r call) request(ctx context.Context, token Secret) (*http.Request, error) {
	// A reader over nothing would send "Transfer-Encoding: chunked".
	request, err := http.NewRequestWithContext(ctx, r.method, r.target, http.NoBody)
	if r.body != nil {
		request, err = http.NewRequestWithContext(ctx, r.method, r.target, bytes.NewReader(r.body))
	}
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+token.Reveal())
	return request, nil
}

// mayBeDone tells of the error of an attempt whether the server may have done what
// it was asked for. It takes a doubt for a yes: a proxy that answers 5xx, or an
// answer that is lost, says nothing of what happened behind.
func mayBeDone(err error) bool {
	var refused *Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &refused):
		return refused.Status < 300 || refused.Status >= 500 || refused.Status == http.StatusRequestTimeout
	}
	return !neverSent(err)
}

// neverSent tells of a failed request that it can't have left: there was no
// connection to send it on.
func neverSent(err error) bool {
	var connecting *net.OpError
	return errors.As(err, &connecting) && connecting.Op == "dial" || isPermanent(err)
}

// decode reads a JSON object, whatever the Content-Type says. One that ends too
// soon was cut by a peer that told no length: it may come whole another time.
func decode(a answer, into any) error {
	err := json.Unmarshal(a.body, into)
	var syntax *json.SyntaxError
	switch isObject := bytes.HasPrefix(bytes.TrimLeft(a.body, " \t\r\n"), []byte("{")); {
	case isObject && err == nil:
		return nil
	case isObject && errors.As(err, &syntax) && syntax.Offset >= int64(len(a.body)):
		return fmt.Errorf("%w: the answer was cut short: %w", ErrConnection, err)
	case isObject:
		return fmt.Errorf("%w: %w", ErrUnexpected, err)
	}
	return fmt.Errorf("%w: not a JSON object but %q: check the base URL", ErrUnexpected, printable(a.header.Get("Content-Type")))
}
