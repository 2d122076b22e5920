package sharedlimit

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// TestCountsAreTheirDefinition drives a window with its pieces beside a list of all that
// was admitted, through rows as they would be stored.
func TestCountsAreTheirDefinition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const per, grain = int64(60e6), int64(1)
		w := throttle.Window{Per: per, Max: rapid.IntRange(1, 400).Draw(t, "max"), Grain: grain}
		stored := map[int64][]byte{}
		row := appendState([]counts{{name: "w"}})
		var admitted []int64
		now := int64(1e15)
		for range rapid.IntRange(1, 600).Draw(t, "steps") {
			now += rapid.SampledFrom([]int64{0, 1, 1e5, 1e5, 1e6, 59e6, 60e6}).Draw(t, "gap")
			windows, err := readState(row)
			if err != nil {
				t.Fatal(err)
			}
			c := &windows[0]
			began := c.from
			use := useOf(t, c, w, now, stored)
			if diff := cmp.Diff(plainUse(admitted, w, now), use); diff != "" {
				t.Fatalf("use (-want +got):\n%s", diff)
			}
			if n := min(rapid.IntRange(1, 3).Draw(t, "requests"), w.Max-use.Count); n > 0 {
				if full := c.add(grain, now, int64(n)); full != nil {
					stored[c.to-1] = appendRuns(nil, full)
				}
				for range n {
					admitted = append(admitted, now)
				}
			}
			for seq := began; seq < c.from; seq++ {
				delete(stored, seq)
			}
			if int64(len(stored)) != c.to-c.from {
				t.Fatalf("%d pieces have rows, want %d", len(stored), c.to-c.from)
			}
			if row = appendState(windows); len(row) > 1500 {
				t.Fatalf("the row takes %d bytes", len(row))
			}
		}
	})
}

// useOf reads pieces, two at a time, until the window knows its use.
func useOf(t *rapid.T, c *counts, w throttle.Window, now int64, stored map[int64][]byte) throttle.Use {
	for {
		if c.expire(w.Per, now) {
			if use, ok := c.use(w, now); ok {
				return use
			}
		}
		for range min(2, c.to-c.from-int64(len(c.pieces))) {
			runs, err := readRuns(stored[c.from+int64(len(c.pieces))])
			if err != nil {
				t.Fatal(err)
			}
			c.pieces = append(c.pieces, runs)
		}
	}
}

func plainUse(admitted []int64, w throttle.Window, now int64) throttle.Use {
	var living []int64
	for _, at := range admitted {
		if at+w.Per > now {
			living = append(living, at)
		}
	}
	if len(living) == 0 {
		return throttle.Use{}
	}
	// Requests of one instant are admitted together, so the limit is never exceeded here.
	return throttle.Use{Count: len(living), Frees: living[0] + w.Per - now}
}

// FuzzReadState: a row reads as what it says, or not at all.
func FuzzReadState(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendState(nil))
	f.Add(appendState([]counts{
		{name: "60000000", count: 3, newest: 1e15, opened: 1e15, front: []run{{1e15 - 5, 2}}, from: 3, to: 9, back: []run{{1e15, 1}}},
		{name: "3600000000"},
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		windows, err := readState(b)
		if err != nil {
			return
		}
		again := appendState(windows)
		back, err := readState(again)
		if err != nil {
			t.Fatalf("what was written does not read: %v", err)
		}
		if !bytes.Equal(again, appendState(back)) {
			t.Fatal("written twice, it differs")
		}
	})
}
