package report

import (
	"fmt"
	"strings"
	"time"
)

// Text draws the report for a terminal.
func (r Report) Text() string {
	var b strings.Builder
	b.WriteString(r.Machine.String() + "\n")
	for _, t := range r.tables() {
		b.WriteString(t.text())
	}
	return b.String()
}

// Markdown draws the report for docs/performance.md.
func (r Report) Markdown() string {
	var b strings.Builder
	b.WriteString(r.Machine.String() + "\n")
	for _, t := range r.tables() {
		b.WriteString(t.markdown())
	}
	return b.String()
}

// String describes the machine in one line.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, Linux %s, %s, data on %s (a forced write of 4 KiB takes %s), load average before: %.2f",
		m.CPU, m.Cores, m.Kernel, m.Go, m.Filesystem, m.Sync.Round(10*time.Microsecond), m.Load)
}

func (r Report) tables() []table {
	var tables []table
	for _, t := range []table{r.headlines(), r.findings(), r.details()} {
		if len(t.rows) > 0 {
			tables = append(tables, t)
		}
	}
	return tables
}

func (r Report) headlines() table {
	t := table{
		title: fmt.Sprintf("CPU of the server process per request, in µs, with %d connections", r.Connections),
		note: "Median of the runs (least..greatest). Targets are for plain HTTP, and for a machine on which the bare handler costs what\n" +
			"stands there; on a slower one they are higher by as much.",
		head:  []string{"scenario", "HTTP", "HTTPS", "x bare", "target", "on this machine", "verdict"},
		words: map[int]bool{6: true},
	}
	for _, row := range r.Rows {
		if !r.headline(row) {
			continue
		}
		verdict := r.verdict(row.Target > 0, r.met(row))
		t.rows = append(t.rows, append([]string{row.Scenario, row.CPU.spread(), r.overTLS(row).spread()}, append(r.besides(row), verdict)...))
	}
	return t
}

// besides writes how a row stands beside the bare handler, its target, and the target for this machine.
func (r Report) besides(row Row) []string {
	ratio, target, here := "", "", ""
	if bare := r.bare(row); len(bare) > 0 {
		ratio = fmt.Sprintf("%.1f", row.CPU.Median()/bare.Median())
	}
	if row.Target > 0 {
		target = fmt.Sprintf("<= %.0f", row.Target)
		if row.BareTarget > 0 {
			target += fmt.Sprintf(" (bare %.0f)", row.BareTarget)
		}
		if slowness := r.slowness(row); slowness > 0 {
			here = fmt.Sprintf("<= %.0f", row.Target*max(1, slowness))
		}
	}
	return []string{ratio, target, here}
}

// overTLS returns the CPU of the same scenario over TLS.
func (r Report) overTLS(plain Row) Sample {
	for _, row := range r.Rows {
		if row.Scenario == plain.Scenario && row.Connections == plain.Connections && row.Transport == TLS {
			return row.CPU
		}
	}
	return nil
}

func (r Report) verdict(limited, met bool) string {
	switch {
	case !limited:
		return ""
	case !r.Judged:
		return "not judged"
	case met:
		return "met"
	default:
		return "MISSED"
	}
}

func (r Report) findings() table {
	t := table{
		title: "Other targets",
		head:  []string{"what", "measured", "target", "verdict", "how"},
		words: map[int]bool{3: true, 4: true},
	}
	for _, f := range r.Findings {
		target := ""
		if f.Limited {
			target = strings.TrimSpace(map[bool]string{false: "<= ", true: "< "}[f.Below] + figure(f.Limit) + " " + f.Unit)
		}
		measured := strings.TrimSpace(figure(f.Value) + " " + f.Unit)
		t.rows = append(t.rows, []string{f.Name, measured, target, r.verdict(f.Limited, f.Met()), f.Detail})
	}
	return t
}

func (r Report) details() table {
	t := table{
		title: "All runs, with speed as side information",
		note:  "The client shares the machine's cores with the server, so requests per second are less than the server could do.",
		head:  []string{"scenario", "transport", "connections", "CPU µs", "in kernel", "requests/s", "p50 ms", "p99 ms"},
		words: map[int]bool{1: true},
	}
	for _, row := range r.Rows {
		t.rows = append(t.rows, []string{
			row.Scenario, string(row.Transport), fmt.Sprint(row.Connections), row.CPU.spread(),
			fmt.Sprintf("%.0f %%", 100*row.Kernel), fmt.Sprintf("%.0f", row.Rate.Median()),
			fmt.Sprintf("%.2f", row.P50.Median()/1000), fmt.Sprintf("%.2f", row.P99.Median()/1000),
		})
	}
	return t
}

// spread writes "median (least..greatest)", or a dash where nothing was run.
func (s Sample) spread() string {
	if len(s) == 0 {
		return "-"
	}
	least, greatest := s.Range()
	return fmt.Sprintf("%.1f (%.1f..%.1f)", s.Median(), least, greatest)
}

// figure writes a number with as many decimals as its size deserves.
func figure(v float64) string {
	switch {
	case v == float64(int64(v)):
		return fmt.Sprintf("%.0f", v)
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.1f", v)
	}
}
