package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/process"
	"github.com/rollcall-id/rollcall/bench/report"
)

// mostReplicas is how many replicas share one database at the end.
const mostReplicas = 3

// replicas measures how much more replicas on one database do than one, and what the cores of the machine do then: on few
// cores, which the database and this client use too, there is an end soon.
func (s *suite) replicas(ctx context.Context) error {
	if !s.wants(phaseReplicas) {
		return nil
	}
	p, err := s.account(ctx)
	if err != nil {
		return err
	}
	var servers []*server
	defer func() {
		for _, srv := range servers {
			srv.Kill()
		}
	}()
	for len(servers) < mostReplicas {
		srv, err := s.serve(ctx, p.database, report.Plain)
		if err != nil {
			return err
		}
		servers = append(servers, srv)
		for _, sc := range scenarios() {
			if sc.name != "get" && sc.name != "suspend" {
				continue // one that only reads and one that commits
			}
			if err := s.together(ctx, servers, sc, p.caller); err != nil {
				return fmt.Errorf("%s with %d replicas: %w", sc.name, len(servers), err)
			}
		}
	}
	var errs []error
	for _, srv := range servers {
		errs = append(errs, srv.Stop())
	}
	return errors.Join(errs...)
}

// shares is the CPU time that each side has used so far.
type shares struct{ replicas, database, client time.Duration }

func (s *suite) sharesOf(servers []*server) (shares, error) {
	var now shares
	for _, srv := range servers {
		cpu, err := process.CPU(srv.PID())
		if err != nil {
			return now, err
		}
		now.replicas += cpu
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return now, fmt.Errorf("read CPU time: %w", err)
	}
	now.client = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	var err error
	now.database, err = s.serverCPU()
	return now, err
}

// together spreads the connections evenly over the replicas.
func (s *suite) together(ctx context.Context, servers []*server, sc scenario, c caller) error {
	c, err := c.at(ctx, servers[0].target)
	if err != nil {
		return err
	}
	var clients []*load.Client
	defer func() { load.CloseAll(clients) }()
	for i := range s.connections {
		client, err := load.Dial(ctx, servers[i%len(servers)].target)
		if err != nil {
			return err
		}
		clients = append(clients, client)
	}
	perClient := s.perConnection(s.connections)
	warm := max(perClient/4&^1, 2)
	if _, err := load.Run(ctx, clients, warm, sc.script(c, warm)); err != nil {
		return err
	}
	var rate, replica, database, client report.Sample
	for range s.runs {
		before, err := s.sharesOf(servers)
		if err != nil {
			return err
		}
		result, err := load.Run(ctx, clients, perClient, sc.script(c, perClient))
		if err != nil {
			return err
		}
		after, err := s.sharesOf(servers)
		if err != nil {
			return err
		}
		n := float64(result.Requests)
		rate = append(rate, n/result.Elapsed.Seconds())
		replica = append(replica, report.Micros(after.replicas-before.replicas)/n)
		database = append(database, report.Micros(after.database-before.database)/n)
		client = append(client, report.Micros(after.client-before.client)/n)
	}
	all := replica.Median() + database.Median() + client.Median()
	s.report.Findings = append(s.report.Findings, report.Finding{
		Name: fmt.Sprintf("%s, %s", sc.name, plural(len(servers))), Value: rate.Median(), Unit: "requests/s",
		Detail: fmt.Sprintf("CPU a request: replicas %.0f µs, PostgreSQL %.0f µs, together %.0f µs; this client %.0f µs; %.2f of %d cores are busy with it",
			replica.Median(), database.Median(), replica.Median()+database.Median(), client.Median(), all*rate.Median()/1e6, runtime.NumCPU()),
	})
	s.say("%s, %s: %.0f requests/s", sc.name, plural(len(servers)), rate.Median())
	return nil
}

func plural(replicas int) string {
	return strings.TrimSuffix(fmt.Sprintf("%d replicas", replicas), map[bool]string{true: "s"}[replicas == 1])
}
