package storetest

import (
	"cmp"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

// keeps tells what the API shows under a filter.
func keeps(f filter.Filter, s directory.State) bool {
	switch f {
	case filter.Active:
		return s == directory.Active
	case filter.Suspended:
		return s == directory.Suspended
	}
	return s != directory.Pending
}

var filters = []filter.Filter{filter.Any, filter.Active, filter.Suspended}

// crowd adds people in every state whose creation times collide and whose ids don't
// follow them, and returns them in list order.
func (w *world) crowd(account ident.AccountID) []directory.User {
	w.Helper()
	var users []directory.User
	for i := range 24 {
		users = append(users, directory.User{
			State: directory.States()[i%3], CreateTime: time.UnixMicro(int64(i * 7 % 4)),
		})
	}
	users = w.add(account, users...)
	slices.SortFunc(users, inListOrder)
	return users
}

func inListOrder(a, b directory.User) int {
	return cmp.Or(a.CreateTime.Compare(b.CreateTime), cmp.Compare(a.ID, b.ID))
}

func pagesAreInOrder(w *world) {
	account, other := w.account(), w.account()
	users := w.crowd(account)
	w.crowd(other)
	for _, f := range filters {
		var want []directory.User
		for _, u := range users {
			if keeps(f, u.State) {
				u.Type = "" // a page has no use for it
				want = append(want, u)
			}
		}
		for _, limit := range []int{1, 5, len(want), 1001} {
			got, err := w.peer.Page(w.Context(), account, f, page.Position{}, limit)
			w.ok(err)
			w.same("page of "+f.String(), want[:min(limit, len(want))], got)
		}
	}
	got, err := w.Page(w.Context(), "nowhere", filter.Any, page.Position{}, 10)
	w.ok(err)
	w.same("people of no account", 0, len(got))
}

func pagesBeginBehindAPosition(w *world) {
	account := w.account()
	users := w.crowd(account)
	for _, f := range filters {
		for at, u := range users { // positions of people the filter leaves out are as good
			var want []directory.User
			for _, u := range users[at+1:] {
				if keeps(f, u.State) {
					u.Type = ""
					want = append(want, u)
				}
			}
			got, err := w.peer.Page(w.Context(), account, f, page.Position{CreateTime: u.CreateTime, ID: u.ID}, 1001)
			w.ok(err)
			if len(got) == 0 {
				got = nil
			}
			w.same("rest of "+f.String(), want, got)
		}
	}
}

// walkMeetsEverybodyOnce is the promise of contract section 4: who keeps their state
// during a whole walk is returned exactly once, whatever else changes meanwhile.
func walkMeetsEverybodyOnce(w *world) {
	rapid.Check(w.T, func(r *rapid.T) {
		k := walker{world: w, rapid: r, account: w.account(), disturbed: map[ident.UserID]bool{}}
		k.grow(rapid.IntRange(0, 25).Draw(r, "people"))
		f := rapid.SampledFrom(filters).Draw(r, "filter")
		want := map[ident.UserID]int{}
		for _, u := range k.users {
			if keeps(f, u.State) {
				want[u.ID] = 1
			}
		}
		got := k.walk(f)
		for id := range k.disturbed {
			delete(want, id)
			delete(got, id)
		}
		w.same("how often each was met", want, got)
		if w.Failed() {
			r.FailNow()
		}
	})
}

type walker struct {
	*world
	rapid     *rapid.T
	account   ident.AccountID
	users     []directory.User
	disturbed map[ident.UserID]bool // came, or changed state, while the walk was on
}

func (k *walker) grow(n int) []directory.User {
	var users []directory.User
	for range n {
		users = append(users, directory.User{
			State:      rapid.SampledFrom(directory.States()).Draw(k.rapid, "state"),
			CreateTime: time.UnixMicro(rapid.Int64Range(0, 5).Draw(k.rapid, "created")),
		})
	}
	if n > 0 {
		users = k.add(k.account, users...)
	}
	k.users = append(k.users, users...)
	return users
}

// walk reads page after page, each from another replica, and disturbs the account
// between them. It counts how often it met each person.
func (k *walker) walk(f filter.Filter) map[ident.UserID]int {
	met := map[ident.UserID]int{}
	query := directory.ListQuery{Filter: &f}
	for replica := false; ; replica = !replica {
		service := &k.directory
		if replica {
			service = &k.world.replica
		}
		size := rapid.Int32Range(1, 8).Draw(k.rapid, "size")
		query.Size = &size
		cursor, err := service.Cursor(k.Context(), k.account, query)
		k.ok(err)
		users, next, err := service.List(k.Context(), operator, k.account, cursor)
		k.ok(err)
		if !slices.IsSortedFunc(users, inListOrder) || len(users) > int(size) || (next != "" && len(users) == 0) {
			k.rapid.Fatalf("a page of %d with next %q: %+v", size, next, users)
		}
		for _, u := range users {
			if !keeps(f, u.State) {
				k.rapid.Fatalf("a walk over %q met %+v", f, u)
			}
			met[u.ID]++
		}
		if next == "" {
			return met
		}
		query.PageToken = next
		k.disturb()
	}
}

func (k *walker) disturb() {
	for range rapid.IntRange(0, 2).Draw(k.rapid, "changes") {
		u := rapid.SampledFrom(k.users).Draw(k.rapid, "who")
		if u.State == directory.Pending {
			continue
		}
		k.disturbed[u.ID] = true
		act := k.directory.Suspend
		if rapid.Bool().Draw(k.rapid, "reactivate") {
			act = k.world.replica.Reactivate
		}
		_, err := act(k.Context(), operator, k.account, u.ID)
		k.ok(err)
	}
	if rapid.Bool().Draw(k.rapid, "grow") {
		for _, u := range k.grow(rapid.IntRange(1, 2).Draw(k.rapid, "newcomers")) {
			k.disturbed[u.ID] = true
		}
	}
}
