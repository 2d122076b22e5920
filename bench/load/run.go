package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// stuck is how long one run may take before it counts as hanging.
const stuck = 2 * time.Minute

// Script says what clients send, and judges what they get. Both functions are called by many clients at a time, each
// with its own number from 0 and the number i, from 0, of the request within the client's run.
type Script struct {
	// Append appends the whole message of a request to wire.
	Append func(wire []byte, client, i int) []byte
	// Check returns an error where the answer is not the right one. It must not keep the answer's body.
	Check func(client, i int, answer Answer) error
}

// Result is a run in which every answer was right.
type Result struct {
	Requests  int
	Elapsed   time.Duration
	Latencies []time.Duration // one for each request, ascending; from the first byte sent to the last byte received
}

// Run has every client send perClient requests, each as soon as it has the answer to the one before. After an error,
// which names the first thing that went wrong, all clients are closed; otherwise they stay open for the next run.
func Run(ctx context.Context, clients []*Client, perClient int, script Script) (Result, error) {
	ctx, fail := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(ctx, func() { CloseAll(clients) })
	latencies := make([]time.Duration, len(clients)*perClient)
	begun := time.Now()

	var all sync.WaitGroup
	for n, client := range clients {
		all.Go(func() {
			if err := client.loop(n, latencies[n*perClient:(n+1)*perClient], script); err != nil {
				fail(err)
			}
		})
	}
	all.Wait()

	elapsed := time.Since(begun)
	unhook()
	err := context.Cause(ctx)
	fail(nil)
	if err != nil {
		return Result{}, err
	}
	slices.Sort(latencies)
	return Result{Requests: len(latencies), Elapsed: elapsed, Latencies: latencies}, nil
}

// loop sends one request for each place in latencies, and fills it.
func (c *Client) loop(n int, latencies []time.Duration, script Script) error {
	if err := c.conn.SetDeadline(time.Now().Add(stuck)); err != nil {
		return fmt.Errorf("client %d: set deadline: %w", n, err)
	}
	for i := range latencies {
		c.wire = script.Append(c.wire[:0], n, i)
		begun := time.Now()
		answer, err := c.exchange(c.wire)
		latencies[i] = time.Since(begun)
		if err == nil {
			err = script.Check(n, i, answer)
		}
		if err == nil && answer.Close {
			err = errors.New("the server closes the connection")
		}
		if err != nil {
			return fmt.Errorf("client %d, request %d: %w", n, i, err)
		}
	}
	return nil
}
