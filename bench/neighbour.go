package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/report"
)

// What a noisy neighbour is, and how far it may move the others' p99.
const (
	mostMoved = 1.2
	// quietShare of the peak is what the quiet ones ask for together.
	quietShare = 0.3
	// quietConnections are of each quiet application, loudConnections of the noisy one.
	quietConnections = 8
	loudConnections  = 256
)

// neighbour measures the p99 of eight applications that ask for people now and then, alone and beside one that floods.
func (s *suite) neighbour(ctx context.Context) error {
	if !s.wants(phaseNeighbour) {
		return nil
	}
	p, err := s.account(ctx)
	if err != nil {
		return err
	}
	return s.apart(func(at sides) error { return s.neighbourOf(ctx, at, p) })
}

func (s *suite) neighbourOf(ctx context.Context, at sides, p populated) error {
	srv, err := s.serveOn(ctx, p.database, at.server)
	if err != nil {
		return err
	}
	defer srv.Kill()
	loud, err := p.caller.at(ctx, srv.target)
	if err != nil {
		return err
	}
	peak, _, err := s.peakOf(ctx, srv, loud, "get")
	if err != nil {
		return err
	}
	quiet := make([]caller, len(p.database.quiet))
	for i, own := range p.database.quiet {
		quiet[i] = p.caller
		quiet[i].clientID, quiet[i].secret = own.clientID, own.secret
		if quiet[i], err = quiet[i].at(ctx, srv.target); err != nil {
			return err
		}
	}
	n := neighbours{suite: s, srv: srv, quiet: quiet, loud: loud, rate: quietShare * peak}
	for run := -1; run < n.pairs(); run++ {
		if err := n.pair(ctx, run); err != nil {
			return err
		}
	}
	n.conclude(peak)
	return srv.Stop()
}

// neighbours are pairs of runs, without noise and with it, side by side.
type neighbours struct {
	*suite

	srv                            *server
	quiet                          []caller
	loud                           caller
	rate                           float64 // of all quiet ones together
	before, beside, ratios, served report.Sample
	refused                        int
}

func (n *neighbours) pair(ctx context.Context, run int) error {
	before, err := n.listen(ctx, run)
	if err != nil {
		return err
	}
	clients, err := load.DialAll(ctx, n.srv.target, loudConnections)
	if err != nil {
		return err
	}
	defer load.CloseAll(clients)
	ctx, quiet := context.WithCancel(ctx)
	defer quiet()
	var flood load.Outcome
	var failed error
	var noise sync.WaitGroup
	noise.Go(func() { flood, failed = load.Flood(ctx, clients, endless("get", n.loud, loudConnections)) })
	beside, err := n.listen(ctx, run)
	quiet()
	noise.Wait()
	if err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("the noisy one: %w", failed)
	}
	if run < 0 {
		return nil // a warm-up
	}
	p99 := func(o load.Outcome) float64 { return report.Millis(report.Percentile(o.Latencies, 0.99)) }
	n.before, n.beside = append(n.before, p99(before)), append(n.beside, p99(beside))
	n.ratios = append(n.ratios, p99(beside)/p99(before))
	n.served = append(n.served, flood.Goodput())
	n.refused += before.Refused + beside.Refused + before.Unsent + beside.Unsent
	n.say("neighbour: p99 %.2f ms alone, %.2f ms beside %.0f a second (p50 %.2f and %.2f)", p99(before), p99(beside), flood.Goodput(),
		report.Millis(report.Percentile(before.Latencies, 0.5)), report.Millis(report.Percentile(beside.Latencies, 0.5)))
	return nil
}

// listen has the quiet ones ask for as long as a run is.
func (n *neighbours) listen(ctx context.Context, run int) (load.Outcome, error) {
	all := len(n.quiet) * quietConnections
	clients, err := load.DialAll(ctx, n.srv.target, all)
	if err != nil {
		return load.Outcome{}, err
	}
	defer load.CloseAll(clients)
	scripts := make([]load.Script, len(n.quiet))
	for i, c := range n.quiet {
		scripts[i] = endless("get", c, all)
	}
	of := func(client int) load.Script { return scripts[client%len(scripts)] }
	return load.Open(ctx, clients, load.Offer{Rate: n.rate, For: n.length(), Seed: uint64(run + 10)}, load.Script{
		Append: func(wire []byte, client, i int) []byte { return of(client).Append(wire, client, i) },
		Check:  func(client, i int, answer load.Answer) error { return of(client).Check(client, i, answer) },
	})
}

func (n *neighbours) conclude(peak float64) {
	n.report.Findings = append(n.report.Findings, report.Finding{
		Name: "neighbour: p99 of the others", Value: n.ratios.Median(), Unit: "times", Limit: mostMoved, Below: true, Limited: true,
		Detail: fmt.Sprintf("median of %d pairs; %.2f ms alone, %.2f ms beside one that floods over %d connections and gets %.0f a second; %d others ask for %.0f a second together, of a peak of %.0f; %d of theirs refused or unsent",
			len(n.ratios), n.before.Median(), n.beside.Median(), loudConnections, n.served.Median(), len(n.quiet), n.rate, peak, n.refused),
	})
}
