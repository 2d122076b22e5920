// Package report turns what was measured into figures and verdicts, and writes them as text, Markdown or JSON.
//
// It owns the statistics (medians, ranges, percentiles), the comparison with targets, and the layout. What is measured,
// how often, and which targets apply is said by the caller.
//
// What must always hold: a figure that has a target is never shown without its verdict, unless the whole report is
// declared unjudged; a report without a figure for a target does not count as having met it.
package report

import (
	"encoding/json"
	"fmt"
	"time"
)

// Report is one benchmark run.
type Report struct {
	Machine Machine `json:"machine"`
	// Judged says whether targets are compared: a run too short to be of use is printed without verdicts.
	Judged bool `json:"judged"`
	// Connections is how many the headline figures use.
	Connections int       `json:"connections"`
	Rows        []Row     `json:"rows"`
	Findings    []Finding `json:"findings"`
}

// Machine is where the figures come from, as far as it moves them.
type Machine struct {
	CPU        string        `json:"cpu"`
	Cores      int           `json:"cores"`
	Kernel     string        `json:"kernel"`
	Go         string        `json:"go"`
	Filesystem string        `json:"filesystem"` // of the data folder
	Sync       time.Duration `json:"sync_ns"`    // median of writing 4 KiB and forcing them to the disk
	Load       float64       `json:"load"`       // load average of the last minute before the start: what else is running
}

// Transport is how requests travel.
type Transport string

// The transports measured; both carry HTTP/1.1 on kept connections.
const (
	Plain Transport = "http"
	TLS   Transport = "https"
)

// Row is one scenario on one transport with one number of connections.
type Row struct {
	Scenario    string    `json:"scenario"`
	Transport   Transport `json:"transport"`
	Connections int       `json:"connections"`
	// Target is the most CPU a request may cost, in microseconds; 0 is no target.
	Target float64 `json:"target_us,omitempty"`
	// Bare is the row of the bare handler beside which this one stands, and BareTarget what that one cost on
	// the machine for which the target was set. They tell how much slower this machine is.
	Bare       string  `json:"bare,omitempty"`
	BareTarget float64 `json:"bare_target_us,omitempty"`
	// CPU is the server's per request, in microseconds, a figure for each run.
	CPU Sample `json:"cpu_us"`
	// Kernel is the share of that CPU spent in the kernel, 0 to 1.
	Kernel float64 `json:"kernel_share"`
	// Rate is requests per second, a figure for each run.
	Rate Sample `json:"requests_per_second"`
	// P50 and P99 are latencies in microseconds, a figure for each run.
	P50 Sample `json:"p50_us"`
	P99 Sample `json:"p99_us"`
}

// Finding is a figure that is no CPU per request: a ratio, a time, a size.
type Finding struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Limit is the bound that Value must not exceed, or must stay below where Below is set. It applies where Limited.
	Limit   float64 `json:"limit"`
	Below   bool    `json:"below,omitempty"`
	Limited bool    `json:"limited"`
	Detail  string  `json:"detail"`
}

// Met tells whether the figure keeps its limit, and true where it has none.
func (f Finding) Met() bool {
	return !f.Limited || f.Value < f.Limit || (!f.Below && f.Value == f.Limit)
}

// headline tells whether the row is one that targets are for: plain HTTP with the headline number of connections.
func (r Report) headline(row Row) bool {
	return row.Transport == Plain && row.Connections == r.Connections
}

// Missed names every target that was not met. It is empty for a report that is not judged.
func (r Report) Missed() []string {
	if !r.Judged {
		return nil
	}
	var missed []string
	for _, row := range r.Rows {
		if r.headline(row) && !r.met(row) {
			missed = append(missed, row.Scenario)
		}
	}
	for _, f := range r.Findings {
		if !f.Met() {
			missed = append(missed, f.Name)
		}
	}
	return missed
}

// met tells whether the median keeps the target; that of a row which was never run, being NaN, does not. Where the bare
// handler costs more than on the machine for which the target was set, the target is so much higher. It is never lower.
func (r Report) met(row Row) bool {
	return row.Target == 0 || row.CPU.Median() <= row.Target*max(1, r.slowness(row))
}

// slowness is how many times what it cost on the target's machine the bare handler costs here; 0 = nobody knows.
func (r Report) slowness(row Row) float64 {
	bare := r.bare(row)
	if row.BareTarget == 0 || len(bare) == 0 {
		return 0
	}
	return bare.Median() / row.BareTarget
}

// bare returns the CPU of the bare handler that got the same requests in the same way.
func (r Report) bare(row Row) Sample {
	for _, other := range r.Rows {
		if row.Bare != "" && other.Scenario == row.Bare && other.Transport == row.Transport && other.Connections == row.Connections {
			return other.CPU
		}
	}
	return nil
}

// JSON encodes every figure, indented. It fails where a figure is not a number.
func (r Report) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the report: %w", err)
	}
	return append(text, '\n'), nil
}
