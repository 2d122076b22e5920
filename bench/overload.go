package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/process"
	"github.com/rollcall-id/rollcall/bench/report"
)

// The targets of an overload, and what makes one.
const (
	overloadFactor = 10
	mostLost       = 10.0 // percent of the peak
	mostP99        = 50.0 // milliseconds, of admitted requests
	// crowdOfClients is how many connections an overload comes over: as many as one address may have.
	crowdOfClients = 1000
	// mostCrowded is the target for the peak of resident memory with that many connections, in MiB.
	mostCrowded = 150
)

// sides are the cores of the server, which its database shares, and of the clients, who must not take its time.
type sides struct{ server, client int }

// apart puts this process on a core of its own while fn runs, and gives the other one to the server. A second core could
// be used by either side; two processes that share two cores would measure the scheduler.
func (s *suite) apart(fn func(sides) error) (err error) {
	cores, err := process.Cores()
	if err != nil {
		return err
	}
	if len(cores) < 2 {
		return errors.New("overload and neighbour need two cores: one for the server and one for the clients")
	}
	at := sides{server: cores[0], client: cores[1]}
	pid := os.Getpid()
	if err := process.Pin(pid, at.client); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, process.Pin(pid, cores...)) }()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if s.server != nil {
		if err := process.PinTree(s.server.Pid(), at.server); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, process.PinTree(s.server.Pid(), cores...)) }()
	}
	return fn(at)
}

// serveOn is serve on one core.
func (s *suite) serveOn(ctx context.Context, d database, core int) (srv *server, err error) {
	err = process.OnCores(func() error {
		srv, err = s.serve(ctx, d, report.Plain)
		return err
	}, core)
	return srv, err
}

// length is how long one figure of an open loop is taken.
func (s *suite) length() time.Duration {
	if s.quick {
		return time.Second / 2
	}
	return 8 * time.Second
}

// pairs is how many pairs of figures of an open loop are taken.
func (s *suite) pairs() int { return min(s.runs, 3) }

// overload measures what is left of the peak when ten times as much is asked.
func (s *suite) overload(ctx context.Context) error {
	if !s.wants(phaseOverload) {
		return nil
	}
	p, err := s.account(ctx)
	if err != nil {
		return err
	}
	return s.apart(func(at sides) error {
		for _, name := range s.overloaded() {
			if err := s.overloadOf(ctx, at, p, name); err != nil {
				return fmt.Errorf("overload, %s: %w", name, err)
			}
		}
		return nil
	})
}

// overloads are pairs of runs, at the peak and beyond it, side by side.
type overloads struct {
	*suite

	name                    string
	srv                     *server
	c                       caller
	peak, goodput, kept     report.Sample // the last in percent
	cpu                     report.Sample // goodput for a second of the server's CPU, in percent of the same at the peak
	p50, p99, refused       report.Sample
	offered, unsent, served int
	connections             int
}

// overloaded are the scenarios to try: those that -only names besides, or else all.
func (s *suite) overloaded() []string {
	all := []string{"get", "list", "suspend", "token"}
	if named := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return !slices.Contains(s.only, n) }); len(named) > 0 {
		return named
	}
	return all
}

func (s *suite) overloadOf(ctx context.Context, at sides, p populated, name string) error {
	srv, err := s.serveOn(ctx, p.database, at.server)
	if err != nil {
		return err
	}
	defer srv.Kill()
	o := &overloads{suite: s, name: name, srv: srv, connections: min(crowdOfClients, len(p.caller.people)/4)}
	if o.c, err = p.caller.at(ctx, srv.target); err != nil {
		return err
	}
	for run := -1; run < s.pairs(); run++ {
		if err := o.pair(ctx, run); err != nil {
			return err
		}
	}
	memory, err := process.MemoryOf(srv.PID())
	if err != nil {
		return err
	}
	o.conclude(memory)
	return srv.Stop()
}

// spending runs fn and returns the CPU that the server's side spent meanwhile, in seconds.
func (o *overloads) spending(fn func() error) (float64, error) {
	m := subject{srv: o.srv}
	before, _, err := m.spent()
	if err != nil {
		return 0, err
	}
	if err := fn(); err != nil {
		return 0, err
	}
	after, _, err := m.spent()
	return (after - before).Seconds(), err
}

func (o *overloads) pair(ctx context.Context, run int) (err error) {
	var peak, atPeak float64
	if peak, atPeak, err = o.peakOf(ctx, o.srv, o.c, o.name); err != nil {
		return err
	}
	clients, err := load.DialAll(ctx, o.srv.target, o.connections)
	if err != nil {
		return err
	}
	defer load.CloseAll(clients)
	var outcome load.Outcome
	offer := load.Offer{Rate: overloadFactor * peak, For: o.length(), Seed: uint64(run + 10)}
	cpu, err := o.spending(func() error {
		outcome, err = load.Open(ctx, clients, offer, endless(o.name, o.c, o.connections))
		return err
	})
	if err != nil || run < 0 {
		return err // the first is a warm-up
	}
	o.note(peak, atPeak, cpu, outcome)
	return nil
}

func (o *overloads) note(peak, atPeak, cpu float64, outcome load.Outcome) {
	share := func(of []time.Duration, p float64) float64 { return report.Millis(report.Percentile(of, p)) }
	o.peak, o.goodput = append(o.peak, peak), append(o.goodput, outcome.Goodput())
	o.kept = append(o.kept, 100*outcome.Goodput()/peak)
	o.cpu = append(o.cpu, 100*float64(outcome.Served)/cpu/atPeak)
	o.p50, o.p99 = append(o.p50, share(outcome.Latencies, 0.5)), append(o.p99, share(outcome.Latencies, 0.99))
	o.refused = append(o.refused, float64(outcome.Refused)/outcome.For.Seconds())
	o.offered, o.unsent, o.served = o.offered+outcome.Offered, o.unsent+outcome.Unsent, o.served+outcome.Served
	o.say("overload, %s: %.0f of %.0f a second (%.0f %%; by CPU %.0f %%), p50 %.1f ms, p99 %.1f ms (client's own lag %.1f ms), %.0f refused a second, %d of %d unsent",
		o.name, outcome.Goodput(), peak, o.kept[len(o.kept)-1], o.cpu[len(o.cpu)-1], o.p50[len(o.p50)-1], o.p99[len(o.p99)-1], share(outcome.Lags, 0.99),
		o.refused[len(o.refused)-1], outcome.Unsent, outcome.Offered)
}

// peakOf is how many right answers a second a closed loop gets, and how many for a second of the server's CPU.
func (s *suite) peakOf(ctx context.Context, srv *server, c caller, name string) (peak, byCPU float64, err error) {
	clients, err := load.DialAll(ctx, srv.target, s.connections)
	if err != nil {
		return 0, 0, err
	}
	defer load.CloseAll(clients)
	o := overloads{suite: s, srv: srv}
	var result load.Outcome
	cpu, err := o.spending(func() error {
		timed, cancel := context.WithTimeout(ctx, s.length()/2)
		defer cancel()
		result, err = load.Flood(timed, clients, endless(name, c, s.connections))
		return err
	})
	return result.Goodput(), float64(result.Served) / cpu, err
}

// endless is the script of a scenario that goes on for ever: a connection changes people of its own.
func endless(name string, c caller, connections int) load.Script {
	own := len(c.people) / connections * 2
	script := c.anybody(own)
	for _, sc := range scenarios() {
		if sc.name == name && name != "get" {
			script = sc.script(c, own)
		}
	}
	return load.Script{
		Append: func(wire []byte, client, i int) []byte { return script.Append(wire, client, i%own) },
		Check:  func(client, i int, answer load.Answer) error { return script.Check(client, i%own, answer) },
	}
}

// anybody is get of people some of whom an overload has left suspended.
func (c caller) anybody(perClient int) load.Script {
	script := c.get(perClient)
	script.Check = func(client, i int, answer load.Answer) error {
		var user api.User
		if err := read(answer, &user); err != nil {
			return err
		}
		if want := c.people[(client*perClient+i)%len(c.people)]; user.ID != want || user.Email == "" {
			return fmt.Errorf("got %s, want %s", user.ID, want)
		}
		return nil
	}
	return script
}

func (o *overloads) conclude(m process.Memory) {
	of := "overload, " + o.name + ": "
	o.report.Findings = append(o.report.Findings,
		report.Finding{
			Name: of + "goodput lost", Value: 100 - o.kept.Median(), Unit: "%", Limit: mostLost, Limited: true,
			Detail: fmt.Sprintf("median of %d pairs; %.0f right answers a second of a peak of %.0f, server and clients on a core each; for a second of CPU the server gave %.0f %% of what it gives at the peak; of %d requests due over %d connections %d were answered in time and %d never sent for want of a free connection",
				len(o.kept), o.goodput.Median(), o.peak.Median(), o.cpu.Median(), o.offered, o.connections, o.served, o.unsent),
		},
		report.Finding{
			Name: of + "p99 of admitted", Value: o.p99.Median(), Unit: "ms", Limit: mostP99, Below: true, Limited: true,
			Detail: fmt.Sprintf("from when a request was due; p50 %.1f ms; %.0f refused a second", o.p50.Median(), o.refused.Median()),
		},
		report.Finding{
			Name: of + "resident memory", Value: float64(m.Peak) / (1 << 20), Unit: "MiB", Limit: mostCrowded, Below: true, Limited: true,
			Detail: fmt.Sprintf("peak of the server's process with %d connections", o.connections),
		})
}
