package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// manyPeople are more than a small set: common words and groups have to be walked along, rare
// ones are read as a whole. Three are added in each microsecond.
func manyPeople(n int) []directory.User {
	first := []string{"Ada", "Åsa", "Bob", "Brita", "Carl-Gustav", "Dörte"}
	last := []string{"Example", "Exner", "Özdemir", "Rare"}
	users := make([]directory.User, n)
	for i := range users {
		name := first[i%len(first)] + " " + last[i%3]
		if i%701 == 700 {
			name = first[i%len(first)] + " Rare"
		}
		users[i] = directory.User{
			ID: ident.UserID(fmt.Sprintf("U%05d", (i*7919)%n)), DisplayName: name, State: directory.States()[i%7%3], Type: directory.Types()[i%5%3],
			Email: ident.Email(fmt.Sprintf("p%d@mail.example.com", i)), CreateTime: start.Add(time.Duration(i/3) * time.Microsecond),
		}
		if i%4 != 0 {
			users[i].Groups = append(users[i].Groups, "crew")
		}
		if i%900 == 0 {
			users[i].Groups = append(users[i].Groups, "pilots")
		}
	}
	return users
}

// peopleAreFound holds every page of every sort of search against looking at everybody.
func peopleAreFound(w *world) {
	account, other := w.account(), w.account()
	all := w.add(account, manyPeople(5200)...)
	w.add(other, directory.User{ID: "FOREIGN", DisplayName: "Ada Rare", Groups: []string{"pilots", "foreign"}})
	slices.SortFunc(all, func(a, b directory.User) int {
		return cmp.Or(a.CreateTime.Compare(b.CreateTime), cmp.Compare(a.ID, b.ID))
	})
	for _, q := range []directory.PeopleQuery{
		{Limit: 500},
		{State: directory.Pending, Limit: 500},
		{State: directory.Suspended, Type: directory.ExternallyManaged, Limit: 100},
		{Type: directory.Guest, Limit: 499},
		{Group: "pilots", Limit: 2},
		{Group: "crew", Limit: 500},
		{Group: "crew", State: directory.Active, Text: "exa", Limit: 500},
		{Group: "nobody's", Limit: 5},
		{Text: "rare", Limit: 3},
		{Text: "rare", Limit: 1, State: directory.Active},
		{Text: "RARE ada", Limit: 5},
		{Text: "e", Limit: 500},
		{Text: "mail example", Limit: 500, Group: "pilots"},
		{Text: "asa", Limit: 500},
		{Text: "gust oz", Limit: 500},
		{Text: "p5199", Limit: 5},
		{Text: "p5199@mail.ex", Limit: 5},
		{Text: "ustav", Limit: 5},
		{Text: "%", Limit: 500},
		{Text: "x' OR 1=1", Limit: 500},
		{Text: strings.Repeat("ö", 40), Limit: 5},
	} {
		fits := q.Fits()
		var want, got []directory.User
		for _, u := range all {
			if fits(u, slices.Contains(u.Groups, q.Group)) {
				want = append(want, u)
			}
		}
		for pages := 0; ; pages++ {
			p, err := w.peer.People(w.Context(), account, q)
			w.ok(err)
			if got = append(got, p.People...); len(p.People) > q.Limit || pages > len(all) {
				w.Fatalf("%+v: a page of %d people, or pages without end", q, len(p.People))
			}
			if p.Next.ID == "" {
				break
			}
			q.After = p.Next
		}
		w.same(fmt.Sprintf("%+v", q), want, got)
	}
	counts, err := w.peer.CountByState(w.Context(), account)
	w.ok(err)
	want := map[directory.State]int{}
	for _, u := range all {
		want[u.State]++
	}
	w.same("people by state", want, counts)
	groups, err := w.peer.GroupNames(w.Context(), account, 10)
	w.ok(err)
	w.same("groups", []string{"crew", "pilots"}, groups)
	groups, err = w.peer.GroupNames(w.Context(), account, 1)
	w.ok(err)
	w.same("one group", []string{"crew"}, groups)
}

func peopleAreEdited(w *world) {
	account, other := w.account(), w.account()
	w.add(account, directory.User{ID: "ADA", Email: "ada@example.com", DisplayName: "Ada Byron", Groups: []string{directory.Owners, "crew"}},
		directory.User{ID: "BOB", Email: "bob@example.com"})
	w.add(other, directory.User{ID: "ADA", Email: "ada@example.com", DisplayName: "Ada Byron"})
	name, email, kind := "Ada Lovelace 🦉", "Countess@Example.com", directory.Guest
	got, err := w.directory.EditUser(w.Context(), operator, account, "ADA", directory.UserPatch{DisplayName: &name, Email: &email, Type: &kind})
	w.ok(err)
	again, err := w.peer.Person(w.Context(), account, "ADA")
	w.ok(err)
	w.same("groups", []string{"crew", directory.Owners}, again.Groups)
	again.Groups = nil
	w.same("edited", got, again)
	w.same("entry", []line{{audit.UserUpdate, audit.Done, "ADA",
		`email: "ada@example.com" -> "Countess@Example.com"; type: "member" -> "guest"; display_name: "Ada Byron" -> "Ada Lovelace 🦉"`}}, w.lines(account, 1))
	for text, want := range map[string]int{"byron": 0, "lovelace": 1, "countess": 1, "ada": 1} {
		p, err := w.peer.People(w.Context(), account, directory.PeopleQuery{Text: text, Limit: 5})
		w.ok(err)
		if len(p.People) != want {
			w.Errorf("%q finds %d people, want %d", text, len(p.People), want)
		}
	}
	taken := "BOB@example.com"
	_, err = w.directory.EditUser(w.Context(), operator, account, "ADA", directory.UserPatch{Email: &taken})
	w.is(fault.KindConflict, err)
	_, err = w.directory.EditUser(w.Context(), operator, account, "NOBODY", directory.UserPatch{Email: &taken})
	w.is(fault.KindNotFound, err)
	untouched, err := w.peer.Person(w.Context(), other, "ADA")
	w.ok(err)
	w.same("a namesake elsewhere", "Ada Byron", untouched.DisplayName)
	w.sound(account)
}

func peopleAreRemoved(w *world) {
	account := w.account()
	w.add(account, directory.User{ID: "ADA", Groups: []string{directory.Owners}}, directory.User{ID: "BOB", Email: "bob@example.com", DisplayName: "Bob", Groups: []string{"crew"}})
	w.is(fault.KindForbidden, w.directory.RemoveUser(w.Context(), operator, account, "ADA"))
	session := w.session(account, "BOB", start)
	w.everything(account, "BOB")
	w.ok(w.directory.RemoveUser(w.Context(), operator, account, "BOB"))
	_, err := w.peer.Session(w.Context(), session.Hash)
	w.is(fault.KindNotFound, err)
	_, err = w.peer.User(w.Context(), account, "BOB")
	w.is(fault.KindNotFound, err)
	w.is(fault.KindNotFound, w.directory.RemoveUser(w.Context(), operator, account, "BOB"))
	w.same("entries", []line{
		{audit.UserRemove, audit.Done, "BOB", "was ACTIVE: Bob <bob@example.com>"},
		{audit.UserRemove, audit.Refused, "BOB", "not_found"},
	}, w.lines(account, 2))
	w.add(account, directory.User{ID: "BOB", Email: "bob@example.com"}) // nothing of the former is in the way
	st, err := w.peer.PersonStanding(w.Context(), account, "BOB")
	w.ok(err)
	if st.Password != "" || len(st.Sessions)+len(st.Passkeys) != 0 || st.Subject != "" || len(st.User.Groups) != 0 {
		w.Errorf("who comes after them inherits %+v", st)
	}
	w.sound(account)
}

func accountsAreEdited(w *world) {
	account := w.account()
	name, policy := "Ünlü & Söhne", directory.RefuseProvisioning
	got, err := w.directory.EditAccount(w.Context(), operator, account, directory.AccountPatch{Name: &name, Provisioning: &policy})
	w.ok(err)
	again, err := w.peer.Account(w.Context(), account)
	w.ok(err)
	w.same("edited", got, again)
	_, err = w.directory.EditAccount(w.Context(), operator, account, directory.AccountPatch{Name: &name})
	w.ok(err)
	w.same("entries", []line{
		{audit.AccountUpdate, audit.Done, string(account), `provisioning: "none" -> "refuse"; name: "Acme" -> "Ünlü & Söhne"`},
		{audit.AccountUpdate, audit.Unchanged, string(account), ""},
	}, w.lines(account, 2))
	_, err = w.directory.EditAccount(w.Context(), operator, "NOWHERE", directory.AccountPatch{Name: &name})
	w.is(fault.KindNotFound, err)
	w.sound(account)
}
