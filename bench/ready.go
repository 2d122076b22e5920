package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/report"
)

// mostReady is the target for the start on an existing database, in milliseconds.
const mostReady = 300

// ready measures how long a start takes on an existing database, after a clean end and after a crash.
func (s *suite) ready(ctx context.Context) error {
	if !s.wants(phaseReady) {
		return nil
	}
	p, err := s.account(ctx)
	if err != nil {
		return err
	}
	d := p.database
	c, err := s.renewed(ctx, d, p.caller)
	if err != nil {
		return err
	}
	for _, end := range []struct {
		name string
		by   func(*server) error
	}{
		{"ready after a clean end", func(srv *server) error { return srv.Stop() }},
		{"ready after SIGKILL", func(srv *server) error { srv.Kill(); return nil }},
	} {
		var times report.Sample
		for restart := -1; restart < s.restarts; restart++ {
			took, err := s.restart(ctx, d, c, end.by)
			if err != nil {
				return fmt.Errorf("%s: %w", end.name, err)
			}
			if restart >= 0 { // the one before ended in another way
				times = append(times, report.Millis(took))
			}
		}
		s.concludeReady(end.name, times, d)
	}
	return nil
}

// renewed returns the caller with a fresh token, from a server of which nothing remains but the database.
func (s *suite) renewed(ctx context.Context, d database, c caller) (caller, error) {
	srv, err := s.serve(ctx, d, report.Plain)
	if err != nil {
		return c, err
	}
	defer srv.Kill()
	if c, err = c.at(ctx, srv.target); err != nil {
		return c, err
	}
	return c, srv.Stop()
}

// restart starts a server, takes the time until a person was read from its database with a token of an earlier
// process, leaves work in its log of writes, and ends it.
func (s *suite) restart(ctx context.Context, d database, c caller, end func(*server) error) (time.Duration, error) {
	begun := time.Now()
	srv, _, err := s.launch(ctx, d, report.Plain)
	if err != nil {
		return 0, err
	}
	defer srv.Kill()
	c.host = srv.target.Address
	if err := srv.connectable(ctx); err != nil {
		return 0, err
	}
	if err := firstAnswer(ctx, srv, c); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	clients, err := load.DialAll(ctx, srv.target, 1)
	if err != nil {
		return 0, err
	}
	defer load.CloseAll(clients)
	const writes = 40
	if _, err := load.Run(ctx, clients, writes, c.change(writes)); err != nil {
		return 0, err
	}
	return took, end(srv)
}

func firstAnswer(ctx context.Context, srv *server, c caller) error {
	client, err := load.Dial(ctx, srv.target)
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := client.Do(c.request(nil, "GET", "/"+c.people[0]), oneRequest)
	if err != nil {
		return fmt.Errorf("first request: %w", err)
	}
	return checkUser(answer, c.account, c.people[0], api.StateActive)
}

func (s *suite) concludeReady(name string, times report.Sample, d database) {
	_, worst := times.Range()
	s.report.Findings = append(s.report.Findings, report.Finding{
		Name: name, Value: worst, Unit: "ms", Limit: mostReady, Below: true, Limited: true,
		Detail: fmt.Sprintf("worst of %d starts, median %.0f ms; from exec to the first person read, %d people", len(times), times.Median(), d.people),
	})
	s.say("%s: worst %.0f ms, median %.0f ms", name, worst, times.Median())
}
