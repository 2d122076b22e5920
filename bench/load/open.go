package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Offer is an open loop: requests are due at times that do not depend on how fast answers come.
type Offer struct {
	Rate float64       // requests a second, on average; they are due at random (a Poisson process)
	For  time.Duration // how long
	Seed uint64        // of the schedule: the same one makes the same
}

// Outcome is what became of an offer, or of a flood. Latencies count from when a request was due, not from when it was
// sent: a client that is late makes the server look worse, never better.
type Outcome struct {
	Offered int // due
	Unsent  int // due while every connection was waiting for an answer: that client gives up
	Served  int // answered rightly, within the time of the offer
	Refused int // answered 503, or 429
	For     time.Duration
	// Latencies of right answers, ascending, those after the end included; Refusals of the others.
	Latencies, Refusals []time.Duration
	// Lags are how late requests were sent, ascending: the client's own share of the latencies.
	Lags []time.Duration
}

// Goodput is right answers a second.
func (o Outcome) Goodput() float64 { return float64(o.Served) / o.For.Seconds() }

// refused tells of a status that the request may be sent again later.
func refused(status int) bool { return status == 503 || status == 429 }

// drained is how long answers may take after the end of an offer.
const drained = 30 * time.Second

// line is one connection of an open loop.
type line struct {
	*Client

	number   int
	due      chan time.Time
	rightly  int // right answers so far; the number of the next request in the script
	late     int // of them, after the end
	right    []time.Duration
	refusals []time.Duration
	lags     []time.Duration
}

// Open offers requests over the clients: each is sent when it is due by a connection that waits for no answer, and is
// lost if there is none. A request that is refused is sent again, in its script's order, when the connection is next used.
// Any other answer than a right one, 503 or 429 ends the run, as an error; all clients are then closed.
func Open(ctx context.Context, clients []*Client, o Offer, script Script) (Outcome, error) {
	begun := time.Now()
	end := begun.Add(o.For)
	result := Outcome{For: o.For}
	free := make(chan *line, len(clients))
	lines, finish := startLines(ctx, clients, end, func(_ context.Context, l *line) error {
		free <- l
		for due := range l.due {
			if err := l.send(due, end, script); err != nil {
				return err
			}
			free <- l
		}
		return nil
	})
	random := rand.New(rand.NewPCG(o.Seed, 1)) //nolint:gosec // G404: a schedule, not a secret
	gap := func() time.Duration { return time.Duration(random.ExpFloat64() / o.Rate * float64(time.Second)) }
	for due := begun.Add(gap()); due.Before(end) && ctx.Err() == nil; due = due.Add(gap()) {
		time.Sleep(time.Until(due)) // not at all if it is late
		result.Offered++
		select {
		case l := <-free:
			l.due <- due
		default:
			result.Unsent++
		}
	}
	for _, l := range lines {
		close(l.due)
	}
	return finish(result)
}

// Flood has every client ask again as soon as it has its answer, refused or not, until the context ends.
func Flood(ctx context.Context, clients []*Client, script Script) (Outcome, error) {
	begun := time.Now()
	_, finish := startLines(context.WithoutCancel(ctx), clients, begun.Add(time.Hour), func(_ context.Context, l *line) error {
		for ctx.Err() == nil {
			if err := l.send(time.Now(), begun.Add(time.Hour), script); err != nil {
				return err
			}
		}
		return nil
	})
	result, err := finish(Outcome{})
	result.For = time.Since(begun)
	return result, err
}

// startLines runs every client by itself until its work is done, and returns how to wait for that and add it up.
func startLines(ctx context.Context, clients []*Client, end time.Time, work func(context.Context, *line) error) ([]*line, func(Outcome) (Outcome, error)) {
	ctx, fail := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(ctx, func() { CloseAll(clients) })
	lines := make([]*line, len(clients))
	var all sync.WaitGroup
	for n, c := range clients {
		l := &line{Client: c, number: n, due: make(chan time.Time, 1)}
		lines[n] = l
		all.Go(func() {
			err := c.conn.SetDeadline(end.Add(drained))
			if err == nil {
				err = work(ctx, l)
			}
			if err != nil {
				fail(fmt.Errorf("connection %d: %w", l.number, err))
			}
		})
	}
	return lines, func(o Outcome) (Outcome, error) {
		all.Wait()
		unhook()
		err := context.Cause(ctx)
		fail(nil)
		for _, l := range lines {
			o.Served += len(l.right) - l.late
			o.Refused += len(l.refusals)
			o.Latencies = append(o.Latencies, l.right...)
			o.Refusals = append(o.Refusals, l.refusals...)
			o.Lags = append(o.Lags, l.lags...)
		}
		slices.Sort(o.Latencies)
		slices.Sort(o.Refusals)
		slices.Sort(o.Lags)
		return o, err
	}
}

func (l *line) send(due, end time.Time, script Script) error {
	l.wire = script.Append(l.wire[:0], l.number, l.rightly)
	l.lags = append(l.lags, time.Since(due))
	answer, err := l.exchange(l.wire)
	now := time.Now()
	if err == nil && answer.Close {
		err = errors.New("the server closes the connection")
	}
	if err != nil {
		return err
	}
	if refused(answer.Status) {
		l.refusals = append(l.refusals, now.Sub(due))
		return nil
	}
	if err := script.Check(l.number, l.rightly, answer); err != nil {
		return err
	}
	l.rightly++
	l.right = append(l.right, now.Sub(due))
	if now.After(end) {
		l.late++
	}
	return nil
}
