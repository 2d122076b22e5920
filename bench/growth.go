package main

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/bench/report"
)

// fewForPages is the account whose pages those of a crowd are compared with.
const fewForPages = 10_000

// growth compares pages of an account of some thousands with those of a crowd, on a database's server. The runs of both
// alternate, so that whatever else the machine does falls on all of them.
func (s *suite) growth(ctx context.Context) error {
	if !s.wants(phasePages) {
		return nil
	}
	fewPeople, _, err := s.fill(ctx, "few", min(fewForPages, s.crowd))
	if err != nil {
		return err
	}
	manyPeople, _, err := s.fill(ctx, "crowd", s.crowd) // before connections to the others are opened: they would idle too long
	if err != nil {
		return err
	}
	few, err := s.pagesOf(ctx, fewPeople)
	if err != nil {
		return err
	}
	defer few.srv.Kill()
	crowd, err := s.pagesOf(ctx, manyPeople)
	if err != nil {
		return err
	}
	defer crowd.srv.Kill()
	for range s.runs {
		for i := range crowd.subjects {
			for _, m := range []*subject{few.subjects[i], crowd.subjects[i]} {
				if err := m.run(ctx); err != nil {
					return err
				}
			}
		}
	}
	s.concludeGrowth(few, crowd)
	if err := s.notePeak(crowd.srv, "pages", crowd.people); err != nil {
		return err
	}
	if err := few.srv.Stop(); err != nil {
		return err
	}
	return crowd.srv.Stop()
}

// paged is a server whose pages are measured: the first, one in the middle, the last.
type paged struct {
	srv      *server
	people   int
	subjects []*subject
}

func (s *suite) pagesOf(ctx context.Context, d database) (paged, error) {
	srv, err := s.serve(ctx, d, report.Plain)
	if err != nil {
		return paged{}, err
	}
	c, err := newCaller(ctx, srv, d)
	if err != nil {
		srv.Kill()
		return paged{}, err
	}
	subjects, err := s.pageSubjects(ctx, srv, c)
	if err != nil {
		srv.Kill()
		return paged{}, err
	}
	for _, m := range subjects {
		m.row.Scenario = fmt.Sprintf("%s of %d", m.row.Scenario, d.people)
	}
	return paged{srv: srv, people: d.people, subjects: subjects}, nil
}

func (s *suite) concludeGrowth(few, crowd paged) {
	for i, m := range crowd.subjects {
		small := few.subjects[i]
		small.close()
		m.close()
		s.report.Rows = append(s.report.Rows, small.finished(), m.finished())
		var ratios report.Sample
		for run := range m.row.CPU {
			ratios = append(ratios, m.row.CPU[run]/small.row.CPU[run])
		}
		least, greatest := ratios.Range()
		s.report.Findings = append(s.report.Findings, report.Finding{
			Name: fmt.Sprintf("%s / of %d", m.row.Scenario, few.people), Value: ratios.Median(), Limit: mostPageRatio, Limited: true,
			Detail: fmt.Sprintf("median of %d pairs (%.2f..%.2f): %.1f µs / %.1f µs, PostgreSQL included",
				len(ratios), least, greatest, m.row.CPU.Median(), small.row.CPU.Median()),
		})
		s.say("%s / of %d: %.2f", m.row.Scenario, few.people, ratios.Median())
	}
}
