package admit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestKnown(t *testing.T) {
	t.Parallel()
	var k Known
	if _, ok := k.Lane(1); ok {
		t.Error("nobody was learned, and somebody is known")
	}
	k.Learn(1, LaneOf(10))
	k.Learn(2, LaneOf(10))
	for _, credentials := range []uint64{1, 2} {
		if l, ok := k.Lane(credentials); !ok || l != LaneOf(10) {
			t.Errorf("credentials %d: got lane %d, %t, want %d", credentials, l, ok, LaneOf(10))
		}
	}
	k.Learn(1+knownEntries, LaneOf(11)) // takes the place of the first
	if _, ok := k.Lane(1); ok {
		t.Error("more is remembered than there is room for")
	}
	if l, ok := k.Lane(1 + knownEntries); !ok || l != LaneOf(11) {
		t.Errorf("got %d, %t, want the last one learned", l, ok)
	}
}

// TestStrangersAreFew: whatever addresses there are, they share a few lanes, and none with
// an application.
func TestStrangersAreFew(t *testing.T) {
	t.Parallel()
	lanes := map[Lane]bool{}
	rapid.Check(t, func(t *rapid.T) {
		l := Stranger(rapid.Uint64().Draw(t, "address"))
		lanes[l] = true
		if app := LaneOf(rapid.Uint64().Draw(t, "application")); app == l {
			t.Fatalf("an application has the strangers' lane %d", l)
		}
	})
	if len(lanes) > strangerLanes {
		t.Errorf("strangers have %d lanes, want at most %d", len(lanes), strangerLanes)
	}
}

func TestPacer(t *testing.T) {
	t.Parallel()
	p := NewPacer(PacerOptions{Every: 10 * time.Millisecond, Burst: 3, Longest: 50 * time.Millisecond, Held: 7})
	var got []int64
	for range 10 {
		got = append(got, p.Hold(noon).Milliseconds())
	}
	want := []int64{0, 0, 0, 0, 10, 20, 30, 40, 50, 50}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("held back for %v ms, want %v", got, want)
		}
	}
	if d := p.Hold(noon); d != 50*time.Millisecond {
		t.Errorf("the seventh is held back for %s, want 50ms", d)
	}
	if d := p.Hold(noon); d != 0 {
		t.Errorf("the eighth is held back for %s though seven are enough", d)
	}
	p.Release()
	if d := p.Hold(noon); d == 0 {
		t.Error("after one is answered another one is not held back")
	}
	if d := NewPacer(PacerOptions{Every: time.Hour, Burst: 1, Longest: time.Hour, Held: 1}).Hold(noon.AddDate(0, 0, 1)); d != 0 {
		t.Errorf("after a quiet time the first is held back for %s", d)
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if _, ok := Until(ctx); ok {
		t.Error("a bound that nobody set")
	}
	ctx = WithUntil(WithUntil(ctx, at(5)), at(9))
	if got, ok := Until(ctx); !ok || !got.Equal(at(5)) {
		t.Errorf("got %v, %t, want the sooner one", got, ok)
	}
	if got, ok := Until(WithUntil(ctx, at(1))); !ok || !got.Equal(at(1)) {
		t.Errorf("got %v, %t, want the sooner one", got, ok)
	}
}

// TestPacers: an application's refusals slow nobody else's, a stranger's no application's.
func TestPacers(t *testing.T) {
	t.Parallel()
	p := NewPacers(PacerOptions{Every: time.Hour, Longest: time.Hour, Held: 5})
	lanes := []Lane{LaneOf(1), LaneOf(2), Stranger(1), Stranger(2)}
	for round, held := range []bool{false, true} {
		for _, l := range lanes {
			if wait := p.Of(l).Hold(noon); (wait > 0) != held {
				t.Errorf("refusal %d in lane %x is held back for %s", round+1, l, wait)
			}
		}
	}
	if n := p.Holding(); n != len(lanes) {
		t.Errorf("%d are held back, want %d", n, len(lanes))
	}
	p.Of(lanes[0]).Release()
	if n := p.Holding(); n != len(lanes)-1 {
		t.Errorf("%d are held back when one is told, want %d", n, len(lanes)-1)
	}
}
