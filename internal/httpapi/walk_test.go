package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestWalkUnderChange: whatever is suspended, reactivated and added between its pages,
// a walk returns who stayed in the filter exactly once, nobody twice, and in order.
func TestWalkUnderChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, versions[0], testkit.Options{})
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 8).Draw(rt, "people")
		w.crowd(size)
		states := w.states()
		moved := map[string]bool{}
		query := rapid.SampledFrom([]string{"", "&filter=user.isActive()", "&filter=user.isSuspended()"}).Draw(rt, "filter")
		next := fmt.Sprintf("max_page_size=%d%s", rapid.IntRange(1, 3).Draw(rt, "page size"), query)
		var got []string
		for next != "" {
			r := w.Do(w.list(next))
			if r.Status != http.StatusOK {
				rt.Fatalf("%s: got %d %s", next, r.Status, r.Body)
			}
			got = append(got, ids(r)...)
			if next = page(r).NextPageToken; next != "" {
				next = "page_token=" + next
			}
			for range rapid.IntRange(0, 2).Draw(rt, "changes") {
				w.change(rt, states, moved)
			}
		}
		checkWalk(rt, got, query, states, moved)
	})
}

// states are those of the people who are there at the start of a walk.
func (w *world) states() map[string]directory.State {
	states := map[string]directory.State{}
	for _, u := range page(w.Do(w.list("max_page_size=1000"))).Results {
		states[u.ID] = directory.State(u.State)
	}
	return states
}

// change does one thing to the account, and notes whose state it touched.
func (w *world) change(rt *rapid.T, states map[string]directory.State, moved map[string]bool) {
	verb := rapid.SampledFrom([]string{"suspend", "reactivate", "add"}).Draw(rt, "change")
	if verb == "add" {
		at := day(1).AddDate(0, 0, rapid.IntRange(-1, 1).Draw(rt, "day"))
		w.AddUser(directory.User{Account: ident.AccountID(w.Account), CreateTime: at})
		return
	}
	known := make([]string, 0, len(states))
	for id := range states {
		known = append(known, id)
	}
	slices.Sort(known)
	id := rapid.SampledFrom(known).Draw(rt, "who")
	if r := w.Do(w.post(id + ":" + verb)); r.Status != http.StatusOK {
		rt.Fatalf("%s %s: got %d %s", verb, id, r.Status, r.Body)
	}
	moved[id] = true
}

func checkWalk(rt *rapid.T, got []string, query string, states map[string]directory.State, moved map[string]bool) {
	count := map[string]int{}
	var known []string // in the walk's order
	for _, id := range got {
		if count[id]++; states[id] != "" && !moved[id] {
			known = append(known, id)
		}
		if count[id] > 1 {
			rt.Fatalf("%s is there twice: %v", id, got)
		}
	}
	var want []string
	for id, state := range states {
		in := query == "" || strings.Contains(query, "isActive") == (state == directory.Active)
		if in && !moved[id] {
			want = append(want, id)
		}
	}
	slices.Sort(want) // ids of a crowd are in the order of creation
	if diff := cmp.Diff(want, known); diff != "" {
		rt.Fatalf("who stayed as they were (-want +got):\n%s", diff)
	}
}
