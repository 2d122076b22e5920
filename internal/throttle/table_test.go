package throttle

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plainTable is a table as a list of subjects, the oldest first.
type plainTable struct {
	subjects []string
	counted  map[string]int64
	evicted  uint64
}

func (p *plainTable) oldestIdle(r *rule, now int64) bool {
	return len(p.subjects) > 0 && p.counted[p.subjects[0]]+r.idle <= now
}

func (p *plainTable) sweep(r *rule, now int64, batch int) int {
	n := 0
	for ; n < batch && p.oldestIdle(r, now); n++ {
		p.subjects = p.subjects[1:]
	}
	return n
}

func (p *plainTable) count(subject string, r *rule, capacity int, now int64) {
	if i := slices.Index(p.subjects, subject); i >= 0 {
		p.subjects = slices.Delete(p.subjects, i, i+1)
	} else if len(p.subjects) == capacity {
		if !p.oldestIdle(r, now) {
			p.evicted++
		}
		p.subjects = p.subjects[1:]
	}
	p.subjects = append(p.subjects, subject)
	p.counted[subject] = now
}

// order lists the subjects from the oldest, and checks the way back on the way.
func order(t *rapid.T, tab *table) []string {
	var subjects []string
	var before *entry
	for e := tab.oldest; e != nil; before, e = e, e.newer {
		if e.older != before || len(subjects) > len(tab.entries) {
			t.Fatalf("%q is linked wrongly", e.subject)
		}
		subjects = append(subjects, e.subject)
	}
	if tab.newest != before {
		t.Fatalf("newest is %v, want the end of the list %v", tab.newest, before)
	}
	return subjects
}

func TestTableKeepsOrder(t *testing.T) {
	t.Parallel()
	const capacity, batch = 6, 2
	r := newRule(Policy{Limits: []Limit{{Name: "requests a minute", Per: time.Minute, Max: 5}}})
	rapid.Check(t, func(t *rapid.T) {
		var tab table
		plain := plainTable{counted: map[string]int64{}}
		now := int64(0)
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now += rapid.Int64Range(0, r.idle/4).Draw(t, "gap")
			subject := strconv.Itoa(rapid.IntRange(0, 11).Draw(t, "subject, or sweep from 10"))
			if len(subject) == 2 {
				if want, got := plain.sweep(&r, now, batch), tab.sweep(&r, now, batch); got != want {
					t.Fatalf("swept %d, want %d", got, want)
				}
			} else {
				plain.count(subject, &r, capacity, now)
				if e := tab.entries[subject]; e != nil {
					tab.touch(e, now)
				} else {
					tab.add(subject, &r, capacity, now)
				}
			}
			if !slices.Equal(plain.subjects, order(t, &tab)) {
				t.Fatalf("order (-want +got):\n%s", cmp.Diff(plain.subjects, order(t, &tab)))
			}
			if len(tab.entries) != len(plain.subjects) || tab.evicted != plain.evicted {
				t.Fatalf("%d entries, %d evicted; want %d, %d",
					len(tab.entries), tab.evicted, len(plain.subjects), plain.evicted)
			}
		}
	})
}
