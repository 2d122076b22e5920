package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/bench/process"
	"github.com/rollcall-id/rollcall/bench/report"
)

// mostMemory is the target for the peak of resident memory, in MiB.
const mostMemory = 80

// chosen returns the scenarios of load that are wanted.
func (s *suite) chosen() []scenario {
	list := slices.DeleteFunc(scenarios(), func(sc scenario) bool { return !s.wants(sc.name) })
	if s.server == nil {
		return list
	}
	for i := range list {
		goal := postgresTargets[list[i].name]
		list[i].target, list[i].bare, list[i].bareTarget = goal.target, pgxBare+list[i].name, goal.bare
	}
	return list
}

// load measures every scenario, over plain HTTP and over TLS, each on a server that has done nothing else.
func (s *suite) load(ctx context.Context) error {
	if len(s.chosen()) == 0 || s.wants(phaseOverload) && len(s.only) > 0 {
		return nil
	}
	p, err := s.account(ctx)
	if err != nil {
		return err
	}
	if s.profile != "" {
		return s.takeProfile(ctx, p.database, p.caller)
	}
	transports := []report.Transport{report.Plain, report.TLS}
	if s.server != nil {
		transports = transports[:1] // what TLS costs is seen without a server
	}
	for _, transport := range transports {
		if err := s.loadOver(ctx, transport, p.database, p.caller); err != nil {
			return err
		}
	}
	return nil
}

// loadOver measures on one server. Fewer connections are tried over plain HTTP only: what they show is the price of
// commits that nobody shares, and TLS does not change that.
func (s *suite) loadOver(ctx context.Context, transport report.Transport, d database, c caller) error {
	srv, err := s.serve(ctx, d, transport)
	if err != nil {
		return err
	}
	defer srv.Kill()
	counts := []int{s.connections}
	if transport == report.Plain {
		counts = append(counts, s.fewer...)
	}
	for _, connections := range counts {
		for _, sc := range s.chosen() {
			if err := s.measure(ctx, srv, connections, sc, c); err != nil {
				return err
			}
		}
	}
	if err := s.notePeak(srv, string(transport), d.people); err != nil {
		return err
	}
	return srv.Stop()
}

func (s *suite) notePeak(srv *server, of string, people int) error {
	memory, err := process.MemoryOf(srv.PID())
	s.peaks = append(s.peaks, peak{of: of, people: people, memory: memory})
	return err
}

// concludeMemory judges the servers that were under load; the one with a crowd is shown beside them.
func (s *suite) concludeMemory() {
	const mib = 1 << 20
	worst := 0.0
	var parts []string
	for _, p := range s.peaks {
		worst = max(worst, float64(p.memory.Peak)/mib)
		parts = append(parts, fmt.Sprintf("%s %d people %.1f (at the end %.1f, not backed by files %.1f)", p.of, p.people,
			float64(p.memory.Peak)/mib, float64(p.memory.Resident)/mib, float64(p.memory.Anonymous)/mib))
	}
	if len(s.peaks) == 0 {
		return
	}
	s.report.Findings = append(s.report.Findings, report.Finding{
		Name: "resident memory", Value: worst, Unit: "MiB", Limit: mostMemory, Below: true, Limited: true,
		Detail: "largest peak of all servers under load: " + strings.Join(parts, "; "),
	})
}

// concludeBinary judges how the binary is linked.
func (s *suite) concludeBinary() error {
	linkage, err := process.LinkageOf(s.binary)
	if err != nil {
		return err
	}
	s.report.Findings = append(s.report.Findings, report.Finding{
		Name: "dynamic linking", Value: float64(linkage.Dynamic), Unit: "segments", Limit: 0, Limited: true,
		Detail: fmt.Sprintf("segments that name an interpreter or libraries; a static binary has none; %.1f MB", float64(linkage.Size)/1e6),
	})
	return nil
}
