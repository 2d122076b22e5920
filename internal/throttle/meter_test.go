package throttle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestMeterDecidesAsWindowsDo: what a Meter makes of a key's uses is what the windows
// themselves decide, for one request and for several at one instant.
func TestMeterDecidesAsWindowsDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limits := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Limit {
			return Limit{"requests", time.Duration(rapid.IntRange(1, 60).Draw(t, "per")) * time.Second, rapid.IntRange(0, 9).Draw(t, "max")}
		}), 0, 3).Draw(t, "limits")
		rules, err := NewRules([]Policy{{Class: ClassUsers, Limits: limits}})
		if err != nil {
			t.Fatal(err)
		}
		key := Key{Class: ClassUsers, Subject: "app"}
		m, err := rules.Meter(key)
		if err != nil {
			t.Fatal(err)
		}
		windows := make([]window, m.Len())
		now := int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "groups") {
			now += rapid.Int64Range(0, 40e6).Draw(t, "gap")
			peeked := decide(m.spans, windows, now, false)
			used := make([]Use, m.Len())
			for i := range used {
				used[i] = Use{Count: windows[i].count, Frees: windows[i].reset(&m.spans[i], now)}
			}
			if diff := cmp.Diff(peeked, m.Peek(used)); diff != "" {
				t.Fatalf("Peek (-want +got):\n%s", diff)
			}
			n := rapid.IntRange(1, 6).Draw(t, "requests")
			admitted := m.Admits(used, n)
			for i := range n {
				if diff := cmp.Diff(decide(m.spans, windows, now, true), m.Spend(used, admitted, i)); diff != "" {
					t.Fatalf("request %d of %d (-want +got):\n%s", i, n, diff)
				}
			}
		}
	})
}

// TestMeterOfALoweredLimit: more counts than the limit now admits.
func TestMeterOfALoweredLimit(t *testing.T) {
	t.Parallel()
	rules, err := NewRules(Settings{UsersPerMinute: 3, UsersPerHour: 50}.Policies()[:1])
	if err != nil {
		t.Fatal(err)
	}
	m, err := rules.Meter(Key{Class: ClassUsers, Subject: "app"})
	if err != nil {
		t.Fatal(err)
	}
	used := []Use{{Count: 8, Frees: 30e6}, {Count: 8, Frees: 1800e6}}
	want := Decision{RetryAfter: 30 * time.Second, Limit: m.spans[0].limit, Reset: 30 * time.Second}
	if diff := cmp.Diff(want, m.Spend(used, m.Admits(used, 1), 0)); diff != "" {
		t.Errorf("decision (-want +got):\n%s", diff)
	}
}
