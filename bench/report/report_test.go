package report

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSample(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		sample                  Sample
		median, least, greatest float64
	}{
		"one":  {Sample{3}, 3, 3, 3},
		"odd":  {Sample{9, 1, 4}, 4, 1, 9},
		"even": {Sample{8, 1, 2, 4}, 3, 1, 8},
		"none": {nil, math.NaN(), math.NaN(), math.NaN()},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(tt.sample)
			median := tt.sample.Median()
			least, greatest := tt.sample.Range()
			equal := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
			if !equal(median, tt.median) || !equal(least, tt.least) || !equal(greatest, tt.greatest) {
				t.Errorf("got %v (%v..%v), want %v (%v..%v)", median, least, greatest, tt.median, tt.least, tt.greatest)
			}
			if !slices.Equal(before, tt.sample) {
				t.Errorf("the sample was reordered: %v", tt.sample)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	tests := map[string]struct {
		ascending []time.Duration
		share     float64
		want      time.Duration
	}{
		"none":    {nil, 0.5, 0},
		"one":     {hundred[:1], 0.99, 1},
		"two":     {hundred[:2], 0.5, 1},
		"three":   {hundred[:3], 0.5, 2},
		"p50":     {hundred, 0.50, 50},
		"p99":     {hundred, 0.99, 99},
		"p100":    {hundred, 1, 100},
		"least":   {hundred, 0.001, 1},
		"p99 ten": {hundred[:10], 0.99, 10},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Percentile(tt.ascending, tt.share); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestPercentileMeaning: the share that does not exceed the percentile is as large as asked, and no smaller value has that.
func TestPercentileMeaning(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 50), 1, 200).Draw(t, "values")
		percent := rapid.IntRange(1, 100).Draw(t, "percent")
		slices.Sort(values)
		ascending := make([]time.Duration, len(values))
		for i, v := range values {
			ascending[i] = time.Duration(v)
		}
		got := Percentile(ascending, float64(percent)/100)
		var below, upTo int
		for _, d := range ascending {
			if d < got {
				below++
			}
			if d <= got {
				upTo++
			}
		}
		if upTo*100 < percent*len(ascending) || below*100 > percent*len(ascending) {
			t.Errorf("p%d of %v is %d: %d below, %d up to it", percent, ascending, got, below, upTo)
		}
	})
}

func TestFindingMet(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		finding Finding
		want    bool
	}{
		"unlimited":        {Finding{Value: 9}, true},
		"under":            {Finding{Value: 1, Limit: 2, Limited: true}, true},
		"at":               {Finding{Value: 2, Limit: 2, Limited: true}, true},
		"at, to be below":  {Finding{Value: 2, Limit: 2, Limited: true, Below: true}, false},
		"over":             {Finding{Value: 3, Limit: 2, Limited: true}, false},
		"zero is a limit":  {Finding{Value: 1, Limited: true}, false},
		"nothing measured": {Finding{Value: math.NaN(), Limit: 2, Limited: true}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.finding.Met(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func row(scenario string, transport Transport, connections int, target float64, cpu ...float64) Row {
	return Row{Scenario: scenario, Transport: transport, Connections: connections, Target: target, CPU: cpu,
		Kernel: 0.5, Rate: Sample{5000}, P50: Sample{1500}, P99: Sample{4000}}
}

func besideBare(r Row, target float64) Row {
	r.Bare, r.BareTarget = "bare", target
	return r
}

// TestSlowMachine: a target is higher where the bare handler costs more than on the target's machine, and never lower.
func TestSlowMachine(t *testing.T) {
	t.Parallel()
	for bareTarget, missed := range map[float64][]string{28: nil, 29: {"get"}, 300: {"get"}, 0: {"get"}} {
		r := example()
		r.Findings = nil
		r.Rows[3].BareTarget = bareTarget
		if diff := cmp.Diff(missed, r.Missed()); diff != "" {
			t.Errorf("target set where bare costs %v (-want +got)\n%s", bareTarget, diff)
		}
	}
}

func example() Report {
	return Report{
		Machine: Machine{CPU: "A chip", Cores: 2, Kernel: "6.1", Go: "go1.26", Filesystem: "ext4", Sync: 1234 * time.Microsecond, Load: 0.1},
		Judged:  true, Connections: 32,
		Rows: []Row{
			row("token", Plain, 32, 150, 140, 160, 145),
			row("token", TLS, 32, 150, 170),
			row("token", Plain, 1, 150, 400),
			besideBare(row("get", Plain, 32, 80, 81), 29),
			row("bare", Plain, 32, 0, 29),
		},
		Findings: []Finding{
			{Name: "memory", Value: 80.04, Unit: "MiB", Limit: 80, Below: true, Limited: true, Detail: "peak"},
			{Name: "ratio", Value: 1.2, Limit: 1.2, Limited: true},
			{Name: "size", Value: 22, Unit: "MB"},
		},
	}
}

func TestMissed(t *testing.T) {
	t.Parallel()
	r := example()
	if diff := cmp.Diff([]string{"get", "memory"}, r.Missed()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	r.Rows[0].CPU = nil
	if diff := cmp.Diff([]string{"token", "get", "memory"}, r.Missed()); diff != "" {
		t.Errorf("with a row never run (-want +got)\n%s", diff)
	}
	r.Judged = false
	if got := r.Missed(); got != nil {
		t.Errorf("not judged: got %v, want none", got)
	}
}

const wantText = `A chip, 2 cores, Linux 6.1, go1.26, data on ext4 (a forced write of 4 KiB takes 1.23ms), load average before: 0.10

CPU of the server process per request, in µs, with 32 connections
Median of the runs (least..greatest). Targets are for plain HTTP, and for a machine on which the bare handler costs what
stands there; on a slower one they are higher by as much.
  scenario                  HTTP                 HTTPS  x bare           target  on this machine  verdict
  token     145.0 (140.0..160.0)  170.0 (170.0..170.0)                   <= 150                   met
  get          81.0 (81.0..81.0)                     -     2.8  <= 80 (bare 29)            <= 80  MISSED
  bare         29.0 (29.0..29.0)                     -

Other targets
  what    measured    target  verdict  how
  memory  80.0 MiB  < 80 MiB  MISSED   peak
  ratio       1.20   <= 1.20  met
  size       22 MB

All runs, with speed as side information
The client shares the machine's cores with the server, so requests per second are less than the server could do.
  scenario  transport  connections                CPU µs  in kernel  requests/s  p50 ms  p99 ms
  token     http                32  145.0 (140.0..160.0)       50 %        5000    1.50    4.00
  token     https               32  170.0 (170.0..170.0)       50 %        5000    1.50    4.00
  token     http                 1  400.0 (400.0..400.0)       50 %        5000    1.50    4.00
  get       http                32     81.0 (81.0..81.0)       50 %        5000    1.50    4.00
  bare      http                32     29.0 (29.0..29.0)       50 %        5000    1.50    4.00
`

func TestText(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(wantText, example().Text()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

const wantMarkdown = `A chip, 2 cores, Linux 6.1, go1.26, data on ext4 (a forced write of 4 KiB takes 1.23ms), load average before: 0.10

### Other targets

| what | measured | target | verdict | how |
| --- | ---: | ---: | --- | --- |
| memory | 80.0 MiB | < 80 MiB | not judged | peak |
| ratio | 1.20 | <= 1.20 | not judged |  |
| size | 22 MB |  |  |  |
`

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := example()
	r.Rows, r.Judged = nil, false
	if diff := cmp.Diff(wantMarkdown, r.Markdown()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(map[string]Sample{"some": {3, 1}, "none": nil})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"none":null,"some":{"median":2,"min":1,"max":3,"runs":[3,1]}}`, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
