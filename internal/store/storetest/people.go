package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

func peopleAreKept(w *world) {
	account, other := w.account(), w.account()
	want := w.add(account,
		directory.User{ID: "B", Email: "Ada.Å@Example.com", DisplayName: "Ada Ångström 🦉", Groups: []string{"owners", "crew"}},
		directory.User{ID: "A", Type: directory.Guest, State: directory.Pending, CreateTime: time.Unix(0, 0)},
		directory.User{ID: "C", Type: directory.ExternallyManaged, State: directory.Suspended,
			CreateTime: time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)},
	)
	for _, u := range want {
		got, err := w.peer.User(w.Context(), account, u.ID)
		w.ok(err)
		u.Groups = nil // only EachUser tells
		w.same("person", u, got)
		_, err = w.peer.User(w.Context(), other, u.ID)
		w.is(fault.KindNotFound, err)
	}
	got, err := w.UserByEmail(w.Context(), account, "ADA.å@example.COM")
	w.ok(err)
	w.same("found by address", ident.UserID("B"), got.ID)
	_, err = w.UserByEmail(w.Context(), other, want[0].Email)
	w.is(fault.KindNotFound, err)

	var all []directory.User
	w.ok(w.peer.EachUser(w.Context(), account, func(u directory.User) bool { all = append(all, u); return true }))
	slices.SortFunc(want, func(a, b directory.User) int { return cmp.Compare(a.ID, b.ID) })
	w.same("everybody", want, all)
	all = nil
	w.ok(w.EachUser(w.Context(), account, func(u directory.User) bool { all = append(all, u); return false }))
	w.same("stopped after the first", want[:1], all)
	w.same("entry", []line{{audit.UserImport, audit.Done, "", "3 people, 1 of them owners"}}, w.lines(account, 1))
}

var errSpoilt = errors.New("line 3 can't be read")

func peopleAreAddedAllOrNone(w *world) {
	account := w.account()
	w.add(account, directory.User{ID: "there", Email: "there@example.com"})
	before := w.record(account)
	person := func(id ident.UserID, email ident.Email) directory.User {
		return directory.User{ID: id, Email: email, DisplayName: "New"}
	}
	for name, third := range map[string]directory.User{
		"taken id":               person("there", "new@example.com"),
		"taken address":          person("new", "there@example.com"),
		"taken in another case":  person("new", "THERE@Example.com"),
		"taken by one before it": person("new", "n1@example.com"),
	} {
		_, err := w.directory.AddUsers(w.Context(), operator, account,
			sequence(person("n1", "n1@example.com"), person("n2", "n2@example.com"), third))
		w.is(fault.KindConflict, err)
		if at := new(directory.AddError); !errors.As(err, &at) || at.Index != 2 {
			w.Errorf("%s: got error %#v, want an AddError at 2", name, err)
		}
	}
	_, err := w.directory.AddUsers(w.Context(), operator, account, func(yield func(directory.User, error) bool) {
		_ = yield(person("n1", "n1@example.com"), nil) && yield(directory.User{}, errSpoilt)
	})
	if at := new(directory.AddError); !errors.As(err, &at) || at.Index != 1 || !errors.Is(err, errSpoilt) {
		w.Errorf("got error %#v, want an AddError at 1 of the sequence's", err)
	}
	_, err = w.directory.AddUsers(w.Context(), operator, "nowhere", sequence(person("n1", "n1@example.com")))
	w.is(fault.KindNotFound, err)

	n := 0
	w.ok(w.peer.EachUser(w.Context(), account, func(directory.User) bool { n++; return true }))
	w.same("people", 1, n)
	w.same("the record", before, w.record(account))
}

// manyPeopleAreAddedAllOrNone: as few are, whichever way a database has for many at once; who is there already is told,
// wherever in the sequence they are. That everybody is found afterwards is tested by peopleAreFound.
func manyPeopleAreAddedAllOrNone(w *world) {
	account := w.account()
	w.add(account, directory.User{ID: "there", Email: "there@example.com"})
	const many = 2_500
	crowd := func(wrong int, instead directory.User) iter.Seq2[directory.User, error] {
		return func(yield func(directory.User, error) bool) {
			for i := range many {
				u := directory.User{ID: ident.UserID(fmt.Sprintf("N%05d", (i*7919)%many)), Email: ident.Email(fmt.Sprintf("n%d@example.com", i)), DisplayName: "New"}
				if i == wrong {
					u = instead
				}
				if !yield(u, nil) {
					return
				}
			}
		}
	}
	before := w.record(account)
	for _, wrong := range []int{1, 1234, many - 1} {
		for _, u := range []directory.User{
			{ID: "new", Email: "THERE@example.com", DisplayName: "New"}, {ID: "there", Email: "new@example.com", DisplayName: "New"},
			{ID: "new", Email: "n0@example.com", DisplayName: "New"},
		} {
			_, err := w.directory.AddUsers(w.Context(), operator, account, crowd(wrong, u))
			w.is(fault.KindConflict, err)
			if at := new(directory.AddError); !errors.As(err, &at) || at.Index != wrong {
				w.Errorf("got error %#v, want an AddError at %d", err, wrong)
			}
		}
	}
	w.same("the record", before, w.record(account))
	n, err := w.directory.AddUsers(w.Context(), operator, account, crowd(-1, directory.User{}))
	w.ok(err)
	w.same("added", many, n)
	counts, err := w.peer.CountByState(w.Context(), account)
	w.ok(err)
	w.same("people", map[directory.State]int{directory.Active: many + 1}, counts)
}

func sameAddressInTwoAccounts(w *world) {
	one, two := w.account(), w.account()
	w.add(one, directory.User{ID: "same", Email: "same@example.com", State: directory.Suspended, Groups: []string{directory.Owners}})
	w.add(two, directory.User{ID: "same", Email: "same@example.com", Groups: []string{directory.Owners}},
		directory.User{ID: "other", State: directory.Suspended, Groups: []string{directory.Owners}})
	// Who bears the name of this account's suspended owner elsewhere does not count as an owner here.
	w.add(one, directory.User{ID: "other", Groups: []string{directory.Owners}})
	_, err := w.directory.Suspend(w.Context(), operator, two, "same")
	w.is(fault.KindForbidden, err)
	_, err = w.directory.Reactivate(w.Context(), operator, one, "same")
	w.ok(err)
	got, err := w.User(w.Context(), two, "same")
	w.ok(err)
	w.same("state in the other account", directory.Active, got.State)
}

func changeAndItsEntry(w *world) {
	account := w.account()
	u := w.add(account, directory.User{})[0]
	act := func(do func() (directory.User, error), want directory.State) {
		w.Helper()
		got, err := do()
		w.ok(err)
		stored, err := w.peer.User(w.Context(), account, u.ID)
		w.ok(err)
		u.State, u.Groups = want, nil
		w.same("answer", u, got)
		w.same("stored", u, stored)
	}
	suspend := func() (directory.User, error) { return w.directory.Suspend(w.Context(), operator, account, u.ID) }
	reactivate := func() (directory.User, error) { return w.replica.Reactivate(w.Context(), operator, account, u.ID) }
	act(suspend, directory.Suspended)
	act(suspend, directory.Suspended)
	act(reactivate, directory.Active)
	act(reactivate, directory.Active)
	w.same("entries", []line{
		{audit.UserSuspend, audit.Done, string(u.ID), ""},
		{audit.UserSuspend, audit.Unchanged, string(u.ID), ""},
		{audit.UserReactivate, audit.Done, string(u.ID), ""},
		{audit.UserReactivate, audit.Unchanged, string(u.ID), ""},
	}, w.lines(account, 4))
	changes, others := w.sound(account)
	w.same("changes and others", [2]int64{4, 2}, [2]int64{changes, others})
}

func refusalWritesOnlyItsEntry(w *world) {
	account := w.account()
	u := w.add(account, directory.User{Groups: []string{directory.Owners}},
		directory.User{State: directory.Suspended, Groups: []string{directory.Owners}},
		directory.User{State: directory.Pending, Groups: []string{directory.Owners}},
		directory.User{Type: directory.ExternallyManaged})
	before, err := w.Head(w.Context(), account)
	w.ok(err)
	_, err = w.directory.Suspend(w.Context(), operator, account, u[0].ID)
	w.is(fault.KindForbidden, err)
	_, err = w.directory.Suspend(w.Context(), operator, account, u[3].ID)
	w.is(fault.KindForbidden, err)
	_, err = w.directory.Suspend(w.Context(), operator, account, u[2].ID)
	w.is(fault.KindNotFound, err)
	w.same("entries", []line{
		{audit.UserImport, audit.Done, "", "4 people, 3 of them owners"},
		{audit.UserSuspend, audit.Refused, string(u[0].ID), directory.NoOwnerRemains},
		{audit.UserSuspend, audit.Refused, string(u[3].ID), directory.IsExternallyManaged},
		{audit.UserSuspend, audit.Refused, string(u[2].ID), directory.NotFoundMessage},
	}, w.lines(account, 4))
	for i := range u {
		got, err := w.peer.User(w.Context(), account, u[i].ID)
		w.ok(err)
		w.same("state", u[i].State, got.State)
	}
	after, err := w.Head(w.Context(), account)
	w.ok(err)
	w.same("head", before, after)
	w.sound(account)
}

func nobodyIsChangedWhoIsNotThere(w *world) {
	account, other := w.account(), w.account()
	u := w.add(other, directory.User{})[0]
	var want []line
	before, err := w.Head(w.Context(), account)
	w.ok(err)
	for _, id := range []ident.UserID{"nobody", u.ID} {
		want = append(want, line{audit.UserSuspend, audit.Refused, string(id), directory.NotFoundMessage})
		d, err := w.Change(w.Context(), account, id, func(st directory.Standing) directory.Decision {
			w.Errorf("decide was asked about %s with %+v", id, st)
			return directory.Decision{}
		})
		w.ok(err) // the answer is a decision: a failure would undo what others do at this moment
		w.is(fault.KindNotFound, d.Refusal)
		_, err = w.directory.Suspend(w.Context(), operator, account, id)
		w.is(fault.KindNotFound, err)
		_, err = w.directory.SetMember(w.Context(), operator, account, id, "crew", true)
		w.is(fault.KindNotFound, err)
	}
	w.same("attempts", want, w.lines(account, len(want)))
	after, err := w.Head(w.Context(), account)
	w.ok(err)
	w.same("head", before, after)
}

func groups(w *world) {
	account := w.account()
	u := w.add(account, directory.User{Groups: []string{directory.Owners}}, directory.User{})
	set := func(who int, group string, member, changes bool) {
		w.Helper()
		changed, err := w.directory.SetMember(w.Context(), operator, account, u[who].ID, group, member)
		w.ok(err)
		w.same("changed", changes, changed)
	}
	set(1, "crew", false, false)
	set(1, "crew", true, true)
	set(1, "crew", true, false)
	_, err := w.directory.SetMember(w.Context(), operator, account, u[0].ID, directory.Owners, false)
	w.is(fault.KindForbidden, err)
	set(1, directory.Owners, true, true)
	set(0, directory.Owners, false, true)
	got := map[ident.UserID][]string{}
	w.ok(w.peer.EachUser(w.Context(), account, func(u directory.User) bool { got[u.ID] = u.Groups; return true }))
	w.same("groups", map[ident.UserID][]string{u[0].ID: nil, u[1].ID: {"crew", directory.Owners}}, got)
	add, remove := audit.GroupAdd, audit.GroupRemove
	first, second := string(u[0].ID), string(u[1].ID)
	w.same("entries", []line{
		{remove, audit.Unchanged, second, "group crew"},
		{add, audit.Done, second, "group crew"},
		{add, audit.Unchanged, second, "group crew"},
		{remove, audit.Refused, first, "group owners: " + directory.NoOwnerRemains},
		{add, audit.Done, second, "group owners"},
		{remove, audit.Done, first, "group owners"},
	}, w.lines(account, 6))
	w.sound(account)
}
