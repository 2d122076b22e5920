package node

import (
	"net/http"
	"runtime"
	"time"

	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/httpapi"
)

// Admission says how much is served at once. Zero fields take the defaults below.
type Admission struct {
	Reads, Writes int           // requests in work
	Waiting       *int          // requests that wait for their turn, of either kind
	Patience      time.Duration // how long one waits before it is refused
	// LimitedPace is how the refusals of each caller who is over a limit are spread.
	LimitedPace admit.PacerOptions
}

// What is served at once unless the operator says otherwise.
const (
	// readsForEach processor keep it busy on an embedded database, where reading is
	// processor time; more would only make each of them slower. On a server each of its
	// connections may be waited for besides; more would wait for one another there, where
	// nobody sees to it that applications take turns.
	readsForEach = 4
	// writesAtOnce share commits; with fewer each commit would carry less. On a server a
	// commit takes longer, and who shares it waits as long.
	writesAtOnce         = 48
	writesAtOnceOnServer = 32
	// waitingForEach processor, of either kind: what is served in some twenty milliseconds. A longer
	// queue would not be served more, but later.
	waitingForEach = 64
	// requestPatience matters when next to nothing is served for a moment, as when the disk
	// stalls: otherwise it is the queue's length that bounds the wait.
	requestPatience = time.Second
	// freshFor is how long the order of arrival is kept to. In a standing queue of more than that, whoever comes last
	// is served first.
	freshFor = 10 * time.Millisecond
)

// limitedPace lets everybody be told at once a hundred times, and then a hundred times a second: who minds what
// Retry-After says is never slowed, and a program that asks on and on costs the others next to nothing.
var limitedPace = admit.PacerOptions{Every: 10 * time.Millisecond, Burst: 100, Longest: 2 * time.Second, Held: 1024}

// Patient is for servers of tests: on a busy machine everybody waits, and nobody is refused for it.
func Patient() Admission {
	many := 10_000
	return Admission{Waiting: &many, Patience: 5 * time.Second}
}

// admission fills in the defaults.
func (c *Core) admission(o Admission) httpapi.Admission {
	if o.Reads == 0 {
		o.Reads = readsForEach * runtime.GOMAXPROCS(0)
		if c.database != "" {
			o.Reads += c.connections
		}
	}
	if o.Writes == 0 {
		o.Writes = writesAtOnce
		if c.database != "" {
			o.Writes = writesAtOnceOnServer
		}
	}
	if o.Patience == 0 {
		o.Patience = requestPatience
	}
	if o.LimitedPace == (admit.PacerOptions{}) {
		o.LimitedPace = limitedPace
	}
	waiting := waitingForEach * runtime.GOMAXPROCS(0)
	if o.Waiting != nil && *o.Waiting >= 0 {
		waiting = *o.Waiting
	}
	fresh := min(freshFor, o.Patience/2)
	return httpapi.Admission{
		Reads:    admit.Limits{Places: o.Reads, Waiting: waiting, Fresh: fresh},
		Writes:   admit.Limits{Places: o.Writes, Waiting: waiting, Fresh: fresh},
		Patience: o.Patience, LimitedPace: o.LimitedPace,
	}
}

// inTime bounds what a request of the console may wait for; the API does it by itself.
func inTime(r *http.Request) *http.Request {
	return r.WithContext(admit.WithUntil(r.Context(), time.Now().Add(admit.RequestTime)))
}
