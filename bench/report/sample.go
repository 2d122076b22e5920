package report

import (
	"encoding/json"
	"math"
	"slices"
	"time"
)

// Sample holds the figures of repeated runs, in the order of the runs.
type Sample []float64

// Median returns the middle figure, or the mean of the middle two, or NaN of none.
func (s Sample) Median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Range returns the least and the greatest figure, or NaN of none.
func (s Sample) Range() (least, greatest float64) {
	if len(s) == 0 {
		return math.NaN(), math.NaN()
	}
	return slices.Min(s), slices.Max(s)
}

// MarshalJSON writes the runs with their summary; a sample without runs is null.
func (s Sample) MarshalJSON() ([]byte, error) {
	if len(s) == 0 {
		return []byte("null"), nil
	}
	least, greatest := s.Range()
	return json.Marshal(struct {
		Median float64   `json:"median"`
		Min    float64   `json:"min"`
		Max    float64   `json:"max"`
		Runs   []float64 `json:"runs"`
	}{s.Median(), least, greatest, s})
}

// Percentile returns the smallest of the ascending durations that at least the given share of them, above 0 and at most
// 1, do not exceed (the nearest rank), or 0 of none.
func Percentile(ascending []time.Duration, share float64) time.Duration {
	if len(ascending) == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(len(ascending))))
	return ascending[min(max(rank, 1), len(ascending))-1]
}

// Micros returns a duration in microseconds.
func Micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// Millis returns a duration in milliseconds.
func Millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
