package main

import (
	"context"
	"fmt"

	"github.com/rollcall-id/rollcall/bench/load"
	"github.com/rollcall-id/rollcall/bench/report"
)

// mostPageRatio is how much more than the first page the last one may cost.
const mostPageRatio = 1.2

// pages compares the first, a middle and the last page of a crowd. Their runs alternate, so that whatever else the
// machine does falls on all of them.
func (s *suite) pages(ctx context.Context) error {
	if !s.wants(phasePages) {
		return nil
	}
	d, _, err := s.fill(ctx, "crowd", s.crowd)
	if err != nil {
		return err
	}
	srv, err := s.serve(ctx, d, report.Plain)
	if err != nil {
		return err
	}
	defer srv.Kill()
	c, err := newCaller(ctx, srv, d)
	if err != nil {
		return err
	}
	subjects, err := s.pageSubjects(ctx, srv, c)
	if err != nil {
		return err
	}
	for range s.runs {
		for _, m := range subjects {
			if err := m.run(ctx); err != nil {
				return err
			}
		}
	}
	for _, m := range subjects {
		m.close()
		s.report.Rows = append(s.report.Rows, m.finished())
	}
	s.concludePages(subjects[0].row, subjects[1].row, subjects[2].row)
	if err := s.notePeak(srv, "pages", d.people); err != nil {
		return err
	}
	return srv.Stop()
}

// pageSubjects prepares the first, a middle and the last page; each holds 25 people. A failure ends the process under
// them, and with it their connections.
func (s *suite) pageSubjects(ctx context.Context, srv *server, c caller) ([]*subject, error) {
	found, err := walk(ctx, srv, c)
	if err != nil {
		return nil, err
	}
	end, err := tokenBefore(ctx, srv, c, found, found.total-pageSize)
	if err != nil {
		return nil, err
	}
	middle := found.tokens[len(found.tokens)/2]
	var subjects []*subject
	for _, p := range []struct {
		name, token string
		follows     bool
	}{{"page 1", "", more}, {"middle page", middle, more}, {"last page", end, last}} {
		sc := scenario{name: p.name, script: func(c caller, _ int) load.Script {
			return c.list(pageQuery(p.token, pageSize), pageSize, p.follows)
		}}
		m, err := s.subject(ctx, srv, s.connections, sc, c)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, m)
	}
	return subjects, nil
}

// tokenBefore returns a page token that leads to the page which begins with the person of that number, from 0.
func tokenBefore(ctx context.Context, srv *server, c caller, found census, person int) (string, error) {
	token, rest := found.tokens[person/stride], person%stride
	if rest == 0 {
		return token, nil
	}
	client, err := load.Dial(ctx, srv.target)
	if err != nil {
		return "", err
	}
	defer client.Close()
	answer, err := client.Do(c.request(nil, "GET", pageQuery(token, rest)), oneRequest)
	if err != nil {
		return "", fmt.Errorf("find the last page: %w", err)
	}
	page, err := readPage(answer)
	return page.NextPageToken, err
}

func (s *suite) concludePages(first, middle, end report.Row) {
	var ratios report.Sample
	for i := range first.CPU {
		ratios = append(ratios, end.CPU[i]/first.CPU[i])
	}
	least, greatest := ratios.Range()
	s.report.Findings = append(s.report.Findings, report.Finding{
		Name: "last page / page 1", Value: ratios.Median(), Limit: mostPageRatio, Limited: true,
		Detail: fmt.Sprintf("median of %d pairs (%.2f..%.2f) on %d people: %.1f µs / %.1f µs; in the middle %.1f µs",
			len(ratios), least, greatest, s.crowd, end.CPU.Median(), first.CPU.Median(), middle.CPU.Median()),
	})
	s.say("last page / page 1: %.2f", ratios.Median())
}
