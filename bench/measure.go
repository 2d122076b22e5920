package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/process"
	"github.com/rollcall-id/rollcall/bench/report"
)

// subject is one script ready to run against one server, and its figures so far.
type subject struct {
	srv       *server
	clients   []*load.Client
	perClient int
	script    load.Script
	row       report.Row
	split     process.Times // of all runs
}

// subject opens the connections of a scenario and warms it up with a run of a quarter, which does not count.
func (s *suite) subject(ctx context.Context, srv *server, connections int, sc scenario, c caller) (*subject, error) {
	transport := report.Plain
	if srv.target.TLS != nil {
		transport = report.TLS
	}
	clients, err := load.DialAll(ctx, srv.target, connections)
	if err != nil {
		return nil, err
	}
	perClient := s.perConnection(connections)
	warm := max(perClient/4&^1, 2)
	m := &subject{
		srv: srv, clients: clients, perClient: perClient, script: sc.script(c, perClient),
		row: report.Row{Scenario: sc.name, Transport: transport, Connections: connections, Target: sc.target,
			Bare: sc.bare, BareTarget: sc.bareTarget},
	}
	if _, err := load.Run(ctx, clients, warm, sc.script(c, warm)); err != nil {
		m.close()
		return nil, fmt.Errorf("%s, warming up: %w", sc.name, err)
	}
	return m, nil
}

func (m *subject) close() { load.CloseAll(m.clients) }

// run adds the figures of one run.
func (m *subject) run(ctx context.Context) error {
	cpu, split, err := m.spent()
	if err != nil {
		return err
	}
	result, err := load.Run(ctx, m.clients, m.perClient, m.script)
	if err != nil {
		return fmt.Errorf("%s: %w", m.row.Scenario, err)
	}
	cpuAfter, splitAfter, err := m.spent()
	if err != nil {
		return err
	}
	m.split.User += splitAfter.User - split.User
	m.split.Kernel += splitAfter.Kernel - split.Kernel
	m.note(cpuAfter-cpu, result)
	return nil
}

func (m *subject) spent() (cpu time.Duration, split process.Times, err error) {
	if cpu, err = process.CPU(m.srv.PID()); err != nil {
		return 0, split, err
	}
	if m.srv.database != 0 {
		beside, err := process.TreeCPU(m.srv.database)
		if err != nil {
			return 0, split, err
		}
		cpu += beside
	}
	split, err = process.TimesOf(m.srv.PID())
	return cpu, split, err
}

func (m *subject) note(cpu time.Duration, result load.Result) {
	m.row.CPU = append(m.row.CPU, report.Micros(cpu)/float64(result.Requests))
	m.row.Rate = append(m.row.Rate, float64(result.Requests)/result.Elapsed.Seconds())
	m.row.P50 = append(m.row.P50, report.Micros(report.Percentile(result.Latencies, 0.50)))
	m.row.P99 = append(m.row.P99, report.Micros(report.Percentile(result.Latencies, 0.99)))
}

// finished returns the row of all runs.
func (m *subject) finished() report.Row {
	if all := m.split.User + m.split.Kernel; all > 0 {
		m.row.Kernel = float64(m.split.Kernel) / float64(all)
	}
	return m.row
}

// runsFor returns how often a scenario is run: comparisons are no headline, and get by with three.
func (s *suite) runsFor(connections int) int {
	if connections < s.connections {
		return min(s.runs, 3)
	}
	return s.runs
}

// measure runs one scenario and adds its row to the report.
func (s *suite) measure(ctx context.Context, srv *server, connections int, sc scenario, c caller) error {
	c, err := c.at(ctx, srv.target)
	if err != nil {
		return err
	}
	m, err := s.subject(ctx, srv, connections, sc, c)
	if err != nil {
		return err
	}
	defer m.close()
	for range s.runsFor(connections) {
		if err := m.run(ctx); err != nil {
			return err
		}
	}
	row := m.finished()
	s.report.Rows = append(s.report.Rows, row)
	s.say("%-16s %-5s %2d connections: %6.1f µs", row.Scenario, row.Transport, connections, row.CPU.Median())
	return nil
}
