package httpapi

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/server"
)

// Admission says how much is served at once. Requests that only read have places of
// their own: they need a processor, while those that write mostly wait for the disk, and
// many of them share one commit.
type Admission struct {
	Reads, Writes admit.Limits
	// Patience is how long a request waits for its turn before it is refused.
	Patience time.Duration
	// LimitedPace is how the refusals of each caller who is over a limit are spread.
	LimitedPace admit.PacerOptions
}

// retryOverload is what a refused client is told to wait: longer than most peaks last.
const retryOverload = time.Second

var (
	errTooMany = errors.New("too many requests wait")
	errTooLate = errors.New("its turn did not come in time")
	errGone    = errors.New("the client has gone")
)

// door is where requests are admitted, before anything is asked of the database.
type door struct {
	Admission

	reads, writes *admit.Gate
	known         admit.Known
	pacer         *admit.Pacer  // of refusals because of overload
	limited       *admit.Pacers // of refusals because of a limit
	seed          maphash.Seed
	logger        *slog.Logger
	told          atomic.Int64 // when refusals were last logged, Unix nanoseconds

	bell  *server.Bell // rung when a place is free for somebody who waits
	begun sync.Once    // start runs from when somebody first waits
	ended chan struct{}
}

func newDoor(o Admission, l *slog.Logger, r prometheus.Registerer) (*door, error) {
	bell, err := server.NewBell()
	if err != nil {
		return nil, err
	}
	d := &door{
		Admission: o, reads: admit.NewGate(o.Reads), writes: admit.NewGate(o.Writes),
		pacer: admit.NewPacer(busyPace), limited: admit.NewPacers(o.LimitedPace), seed: maphash.MakeSeed(), logger: l, bell: bell, ended: make(chan struct{}),
	}
	d.register(r)
	return d, nil
}

// start gives out the places that come free, until the bell is closed. It comes by way of
// the network's poller, so that whoever has arrived meanwhile is at the gate by then:
// otherwise each would wait unseen until all before have been served.
func (d *door) start() {
	defer close(d.ended)
	for d.bell.Wait() {
		now := time.Now()
		d.reads.Start(now)
		d.writes.Start(now)
	}
}

// close ends start; nobody is at the door any more.
func (d *door) close() error {
	d.begun.Do(func() { close(d.ended) })
	err := d.bell.Close()
	<-d.ended
	return err
}

// enter waits until a request may be worked on; then it must leave. A body is read
// before: whoever sends one slowly must not hold a place meanwhile.
func (d *door) enter(ctx context.Context, c *call) (err error) {
	_, _ = c.body() // an error is told by whoever needs the body
	c.lane = d.lane(c)
	place, waiter := d.gate(c).Enter(c.lane, c.began)
	if waiter != nil {
		place, err = d.wait(ctx, d.gate(c), waiter)
	} else {
		// Whoever is ready to come in comes as far as this before anybody's work begins. Work that
		// never waits would otherwise be done one after the other as requests come, and those
		// that wait would wait unseen, for a processor.
		runtime.Gosched()
	}
	if place == (admit.Place{}) {
		return d.refuse(ctx, err)
	}
	c.place = place
	return nil
}

func (d *door) leave(c *call) {
	if d.gate(c).Leave(c.place) {
		d.bell.Ring()
	}
}

func (d *door) gate(c *call) *admit.Gate {
	if c.op.Method == http.MethodGet {
		return d.reads
	}
	return d.writes
}

// wait waits for a turn. Without an error and a place, too many wait. If the time was over
// long before that could be noticed, this process has not run meanwhile (it shares its
// processors, or has used up its quota): that is no overload, and nobody is refused for it.
func (d *door) wait(ctx context.Context, gate *admit.Gate, w *admit.Waiter) (admit.Place, error) {
	d.begun.Do(func() { go d.start() })
	due := time.Now().Add(d.Patience)
	patience := time.NewTimer(d.Patience)
	defer patience.Stop()
	for again := false; ; again = true {
		select {
		case p := <-w.Turn():
			return p, nil
		case <-patience.C:
			if !again && time.Since(due) > d.Patience/2 {
				patience.Reset(d.Patience)
				continue
			}
			if gate.GiveUp(w, true) {
				return admit.Place{}, errTooLate
			}
		case <-ctx.Done():
			if gate.GiveUp(w, false) {
				return admit.Place{}, errGone
			}
		}
		return <-w.Turn(), nil // it came first
	}
}

// refuse returns what a refused client is told, after a moment if many are refused.
func (d *door) refuse(ctx context.Context, cause error) error {
	if cause == nil {
		cause = errTooMany
	}
	now := time.Now()
	d.tell(ctx, now, cause)
	hold(ctx, d.pacer, now)
	f := fault.Unavailable(retryOverload, cause, "the server is busy: try again shortly")
	f.Reason = reasonBusy
	return f
}

// tellEvery is how often refusals are logged: a line for each would be work of its own.
const tellEvery = 10 * time.Second

func (d *door) tell(ctx context.Context, now time.Time, cause error) {
	last := d.told.Load()
	if now.UnixNano()-last < int64(tellEvery) || !d.told.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	d.logger.WarnContext(ctx, "requests are refused because there are more than can be served",
		"reason", cause.Error(), "reads", d.reads.Stats(), "writes", d.writes.Stats())
}

// lane is where a request waits: with those of its application if its credentials have
// counted before, or else with those of its address.
func (d *door) lane(c *call) admit.Lane {
	if headers := c.request.Header["Authorization"]; len(headers) == 1 {
		c.credentials = d.hash(credentialsOf(headers[0]))
		if l, ok := d.known.Lane(c.credentials); ok {
			return l
		}
		c.unknown = true
	}
	a := c.caller.Address.Unmap()
	if a.Is6() {
		a = netip.PrefixFrom(a, 64).Masked().Addr() // what one subscriber gets
	}
	return admit.Stranger(maphash.Comparable(d.seed, a))
}

// learn remembers whose credentials are that have counted. A token belongs to its
// application's lane with all others: having many wins nothing.
func (d *door) learn(c *call) {
	if d == nil || !c.unknown || c.caller.Client == "" {
		return
	}
	d.known.Learn(c.credentials, d.laneOf(c))
}

// learnToken remembers a token that was just given out.
func (d *door) learnToken(c *call, token string) {
	if d != nil {
		d.known.Learn(d.hash(token), d.laneOf(c))
	}
}

func (d *door) laneOf(c *call) admit.Lane { return admit.LaneOf(d.hash(string(c.caller.Client))) }

func (d *door) hash(s string) uint64 { return maphash.String(d.seed, s) }

// credentialsOf is what stands behind the scheme.
func credentialsOf(header string) string {
	_, rest, _ := strings.Cut(header, " ")
	return strings.Trim(rest, " ")
}
