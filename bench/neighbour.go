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
	// quietShare of the peak is the most that the quiet ones ask for together.
	quietShare = 0.3
	// eachQuiet is how many people a quiet application asks for in a second: with it, chance takes none to the
	// published limit of 100 a minute.
	eachQuiet = 1.0
	// fewQuiet ask where there are no limits, and manyQuiet others under the published ones: limits that replicas share
	// remember what was spent before.
	fewQuiet, manyQuiet = 8, 600
	// loudConnections are of the noisy one.
	loudConnections = 256
)

// neighbour measures the p99 of applications that ask for people now and then, alone and beside one that floods. Under
// the published limits many quiet ones ask a little each; without limits a few ask for more, and nothing but turns keeps
// the noisy one down.
func (s *suite) neighbour(ctx context.Context) error {
	if !s.wants(phaseNeighbour) {
		return nil
	}
	p, err := s.account(ctx)
	if err != nil {
		return err
	}
	return s.apart(func(at sides) error {
		n := neighbours{suite: s, name: "neighbour, no limits", each: 8}
		quiet := p.database.quiet
		if err := n.measure(ctx, at, p, quiet[:fewQuiet]); err != nil {
			return err
		}
		loud := quiet[fewQuiet+manyQuiet]
		p.caller.clientID, p.caller.secret = loud.clientID, loud.secret
		s.published = true
		defer func() { s.published = false }()
		limited := neighbours{suite: s, name: "neighbour", each: 1, peak: n.peak, judged: true}
		return limited.measure(ctx, at, p, quiet[fewQuiet:fewQuiet+manyQuiet])
	})
}

// measure starts a server and takes the pairs.
func (n *neighbours) measure(ctx context.Context, at sides, p populated, quiet []credentials) (err error) {
	if n.srv, err = n.serveOn(ctx, p.database, at.server); err != nil {
		return err
	}
	defer n.srv.Kill()
	if n.loud, err = p.caller.at(ctx, n.srv.target); err != nil {
		return err
	}
	if n.peak == 0 {
		if n.peak, _, err = n.peakOf(ctx, n.srv, n.loud, "get"); err != nil {
			return err
		}
	}
	for _, own := range quiet {
		c := p.caller
		c.clientID, c.secret = own.clientID, own.secret
		if c, err = c.at(ctx, n.srv.target); err != nil {
			return err
		}
		n.quiet = append(n.quiet, c)
	}
	n.rate = quietShare * n.peak
	if n.judged {
		n.rate = min(n.rate, eachQuiet*float64(len(quiet)))
	}
	for run := -1; run < n.pairs(); run++ {
		if err := n.pair(ctx, run); err != nil {
			return err
		}
	}
	n.conclude()
	return n.srv.Stop()
}

// neighbours are pairs of runs, without noise and with it, side by side.
type neighbours struct {
	*suite

	name                           string
	judged                         bool // by the target
	each                           int  // connections of a quiet one
	srv                            *server
	peak                           float64
	quiet                          []caller
	loud                           caller
	rate                           float64 // of all quiet ones together
	before, beside, ratios, served report.Sample
	noise                          report.Sample // of the noisy one, refused a second
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
	n.noise = append(n.noise, float64(flood.Refused)/flood.For.Seconds())
	n.say("%s: p99 %.2f ms alone, %.2f ms beside %.0f served and %.0f refused a second (p50 %.2f and %.2f)", n.name, p99(before), p99(beside), flood.Goodput(), n.noise[len(n.noise)-1],
		report.Millis(report.Percentile(before.Latencies, 0.5)), report.Millis(report.Percentile(beside.Latencies, 0.5)))
	return nil
}

// listen has the quiet ones ask for as long as a run is.
func (n *neighbours) listen(ctx context.Context, run int) (load.Outcome, error) {
	all := len(n.quiet) * n.each
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

func (n *neighbours) conclude() {
	n.report.Findings = append(n.report.Findings, report.Finding{
		Name: n.name + ": p99 of the others", Value: n.ratios.Median(), Unit: "times", Limit: mostMoved, Below: true, Limited: n.judged,
		Detail: fmt.Sprintf("median of %d pairs; %.2f ms alone, %.2f ms beside one that floods over %d connections, is served %.0f a second and refused %.0f; %d others ask for %.0f a second together, of a peak of %.0f; %d of theirs refused or unsent",
			len(n.ratios), n.before.Median(), n.beside.Median(), loudConnections, n.served.Median(), n.noise.Median(), len(n.quiet), n.rate, n.peak, n.refused),
	})
}
