package views

import (
	"fmt"
	"time"
)

// Overview is the first page.
type Overview struct {
	Frame
	Now          time.Time
	Tally        []Count // people by state; empty where the reader may not see people
	Attention    []Attention
	Integrations []Use // nil where the reader may not see integrations
	Total        Series
	HasUsage     bool
	// MoreIntegrations tells that there are more than are shown.
	MoreIntegrations bool
	NewHref          string // where an integration is set up; empty where the reader may not
}

// Count is a number with a name, and where it leads.
type Count struct {
	Label, Tone, Href string
	N                 int64
}

// Attention is something that somebody should look at.
type Attention struct {
	Tone, Icon        string
	Title, Text       string
	Href, ButtonLabel string
}

// Use is how much one integration was used.
type Use struct {
	Name, Sub, Href string
	State           Badge
	Series          Series
}

// Hour is what was counted in one hour (or, for a longer view, one slot).
type Hour struct {
	Start                     time.Time
	Requests, Errors, Limited int64 // errors include what was limited
}

func (h Hour) ok() int64     { return max(0, h.Requests-h.Errors) }
func (h Hour) failed() int64 { return max(0, h.Errors-h.Limited) }

// Series is what was counted, slot by slot.
type Series struct {
	ID    string // for the elements' ids
	Hours []Hour
}

// Sum is the whole series.
func (s Series) Sum() Hour {
	var sum Hour
	for _, h := range s.Hours {
		sum.Requests += h.Requests
		sum.Errors += h.Errors
		sum.Limited += h.Limited
	}
	return sum
}

// Words is the series for whoever does not see the picture.
func (s Series) Words() string {
	sum := s.Sum()
	return fmt.Sprintf("%s in %s: %s, %s of them over the limit",
		plural(sum.Requests, "request", "requests"), plural(int64(len(s.Hours)), "hour", "hours"),
		plural(sum.Errors, "error", "errors"), Thousands(sum.Limited))
}

// most is the height of the picture: the fullest slot, rounded up to two digits.
func (s Series) most() int64 {
	most := int64(1)
	for _, h := range s.Hours {
		most = max(most, h.Requests)
	}
	step := int64(1)
	for most/step >= 20 {
		step *= 10
	}
	if step > 1 {
		most = (most + step - 1) / step * step
	}
	return most
}

// bar is one rectangle of a chart, in units of its view box.
type bar struct{ x, y, w, h, kind string }

// Units of a chart's view box.
const (
	chartSlot   = 10.0
	chartHeight = 100.0
)

func (s Series) width() string { return fmt.Sprint(chartSlot * float64(len(s.Hours))) }

// bars are the rectangles of one slot, from the ground up; anything counted is seen.
func (s Series) bars(i int, h Hour) []bar {
	unit := chartHeight / float64(s.most())
	var bars []bar
	y := chartHeight
	for _, part := range []struct {
		n    int64
		kind string
	}{{h.ok(), "chart-ok"}, {h.failed(), "chart-error"}, {h.Limited, "chart-limited"}} {
		if part.n == 0 {
			continue
		}
		height := max(2, float64(part.n)*unit)
		y -= height
		bars = append(bars, bar{num(float64(i)*chartSlot + 1), num(y), num(chartSlot - 2), num(height), part.kind})
	}
	return bars
}

func slotX(i int) string { return num(float64(i) * chartSlot) }

func num(f float64) string { return fmt.Sprintf("%.4g", f) }

func (h Hour) words() string {
	return fmt.Sprintf("%s UTC: %s, %s, %s over the limit", h.Start.UTC().Format("2 Jan 15:04"),
		plural(h.Requests, "request", "requests"), plural(h.Errors, "error", "errors"), Thousands(h.Limited))
}
