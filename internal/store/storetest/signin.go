package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/store"
)

// hash makes a hash that no other test of the run uses.
func (w *world) hash() signin.Hash { return signin.HashOf(rand.Text()) }

// session begins a session, which goes on for twelve hours from begun.
func (w *world) session(account ident.AccountID, user ident.UserID, begun time.Time) signin.StoredSession {
	w.Helper()
	s := w.newSession(account, user, begun)
	w.change(account, user, signin.Change{Session: &s})
	return s
}

func (w *world) newSession(account ident.AccountID, user ident.UserID, begun time.Time) signin.StoredSession {
	w.Helper()
	id, err := ident.NewEntryID(w.now(), rand.Reader)
	w.ok(err)
	return signin.StoredSession{Hash: w.hash(), Session: signin.Session{
		ID: id, Account: account, User: user, Method: signin.ByPassword, CreateTime: begun, LastSeenTime: begun,
		ExpireTime: begun.Add(12 * time.Hour), Address: netip.MustParseAddr("2001:db8::1"), UserAgent: "Agent/1.0 🦉",
	}}
}

func (w *world) change(account ident.AccountID, user ident.UserID, ch signin.Change) {
	w.Helper()
	w.ok(w.ChangePerson(w.Context(), account, user, func(signin.Standing) signin.Change { return ch }))
}

// everything gives somebody all there is to sign in with.
func (w *world) everything(account ident.AccountID, user ident.UserID) (signin.StoredLink, signin.StoredPasskey) {
	w.Helper()
	id, err := ident.NewEntryID(w.now(), rand.Reader)
	w.ok(err)
	link := signin.StoredLink{Hash: w.hash(), Account: account, User: user, Purpose: signin.Setup, CreateTime: start, ExpireTime: start.Add(time.Hour)}
	key := signin.StoredPasskey{
		Passkey: signin.Passkey{ID: id, Name: "Schlüssel", CreateTime: start}, Account: account, User: user,
		Credential: fmt.Appendf(nil, "credential \x00 of %s %s", account, user), Data: []byte{0, 1, 255},
	}
	w.ok(w.SetConnection(w.Context(), signin.Connection{Account: account, Issuer: "https://issuer.example", ClientID: "c", UpdateTime: start},
		audit.New(operator, account, audit.SSOSet, string(account), audit.Done, start)))
	w.change(account, user, signin.Change{
		Password: "$argon2id$nonsense", Link: &link, Passkey: &key, Subject: &signin.Subject{Issuer: "https://issuer.example", Subject: "s of " + string(user)},
	})
	return link, key
}

func sessionsAreKept(w *world) {
	account := w.account()
	people := w.add(account, directory.User{ID: "ADA", Groups: []string{directory.Security, "a b"}}, directory.User{ID: "BOB"})
	s := w.session(account, "ADA", start)
	k, err := w.peer.Session(w.Context(), s.Hash)
	w.ok(err)
	w.same("session", s.Session, k.Session)
	w.same("its person", people[0], k.User)
	a, err := w.peer.Account(w.Context(), account)
	w.ok(err)
	w.same("their account", a, k.Account)
	_, err = w.peer.Session(w.Context(), w.hash())
	w.is(fault.KindNotFound, err)
	alone := w.session(account, "BOB", start)
	k, err = w.peer.Session(w.Context(), alone.Hash)
	w.ok(err)
	w.same("of no group", people[1], k.User)

	w.ok(w.SeenSession(w.Context(), s.Hash, start.Add(time.Minute)))
	w.ok(w.SeenSession(w.Context(), s.Hash, start)) // a replica's, late
	second := w.session(account, "ADA", start.Add(time.Hour))
	s.LastSeenTime = start.Add(time.Minute)
	list, err := w.peer.Sessions(w.Context(), account, "ADA")
	w.ok(err)
	w.same("sessions, the newest first", []signin.Session{second.Session, s.Session}, list)
	st, err := w.peer.PersonStanding(w.Context(), account, "ADA")
	w.ok(err)
	w.same("standing's sessions, the oldest first", []ident.EntryID{s.ID, second.ID}, st.Sessions)
	w.change(account, "ADA", signin.Change{Forget: signin.Forget{Sessions: true, Keep: second.ID}})
	_, err = w.peer.Session(w.Context(), s.Hash)
	w.is(fault.KindNotFound, err)
	_, err = w.peer.Session(w.Context(), second.Hash)
	w.ok(err)
	w.change(account, "BOB", signin.Change{Forget: signin.Forget{Session: second.ID}}) // not theirs
	_, err = w.peer.Session(w.Context(), second.Hash)
	w.ok(err)
}

// sessionsEndWithAccess: in the commit that takes the access away.
func sessionsEndWithAccess(w *world) {
	account, other := w.account(), w.account()
	w.add(account, directory.User{ID: "OWNER", Groups: []string{directory.Owners}}, directory.User{ID: "ADA"}, directory.User{ID: "BOB"})
	w.add(other, directory.User{ID: "ADA"})
	ada, bob, twin := w.session(account, "ADA", start), w.session(account, "BOB", start), w.session(other, "ADA", start)
	_, err := w.directory.Suspend(w.Context(), operator, account, "ADA")
	w.ok(err)
	w.gone("suspended", ada)
	_, err = w.peer.Session(w.Context(), bob.Hash)
	w.ok(err)
	w.ok(w.directory.SetAccountState(w.Context(), operator, account, directory.Closed))
	w.gone("the account closed", bob)
	_, err = w.peer.Session(w.Context(), twin.Hash)
	w.ok(err)
}

// signingInRacesSuspension: of many who sign in and are suspended at the same moments, in one
// transaction or in several, nobody keeps a session that a reactivation would bring back.
func signingInRacesSuspension(w *world) {
	account := w.account()
	for range 20 {
		users := w.inStates(account, slices.Repeat([]directory.State{directory.Active}, 16)...)
		var acts []func() error
		for _, u := range users {
			session := w.newSession(account, u.ID, start)
			acts = append(acts, func() error {
				return w.ChangePerson(w.Context(), account, u.ID, func(st signin.Standing) signin.Change {
					if st.User.State != directory.Active {
						return signin.Change{}
					}
					return signin.Change{Session: &session}
				})
			}, func() error {
				_, err := w.directory.Suspend(w.Context(), operator, account, u.ID)
				return err
			})
		}
		w.ok(errors.Join(together(acts...)...))
		for _, u := range users {
			left, err := w.peer.Sessions(w.Context(), account, u.ID)
			w.ok(err)
			if len(left) > 0 {
				w.Fatalf("%s is suspended and has a session", u.ID)
			}
		}
	}
}

func (w *world) gone(why string, s signin.StoredSession) {
	w.Helper()
	if _, err := w.peer.Session(w.Context(), s.Hash); err == nil || fault.KindOf(err) != fault.KindNotFound {
		w.Errorf("%s: the session is there still (%v)", why, err)
	}
}

func waysInAreKept(w *world) {
	account, other := w.account(), w.account()
	w.add(account, directory.User{ID: "ADA", Email: "Ada@example.com", State: directory.Pending}, directory.User{ID: "BOB"})
	w.add(other, directory.User{ID: "ADA", Email: "ada@example.com"})
	link, key := w.everything(account, "ADA")
	w.everything(other, "ADA")
	st, err := w.peer.Link(w.Context(), link.Hash)
	w.ok(err)
	w.same("link", link, st.Link)
	w.same("standing", []any{"$argon2id$nonsense", []ident.EntryID{key.ID}, "s of ADA", directory.Pending}, []any{st.Password, st.Passkeys, st.Subject, st.User.State})
	c, err := w.peer.Candidate(w.Context(), account, "aDA@example.com")
	w.ok(err)
	w.same("candidate", []any{ident.UserID("ADA"), account, "$argon2id$nonsense"}, []any{c.User.ID, c.Account.ID, c.Password})
	c, err = w.peer.Candidate(w.Context(), account, "BOB@example.com")
	w.ok(err)
	w.same("without a password", "", c.Password)
	_, err = w.peer.Candidate(w.Context(), account, "nobody@example.com")
	w.is(fault.KindNotFound, err)
	found, err := w.peer.PasskeyByCredential(w.Context(), key.Credential)
	w.ok(err)
	w.same("passkey", key, found)
	used := key
	used.Data, used.LastUsedTime = []byte("another"), start.Add(time.Hour)
	w.change(account, "ADA", signin.Change{Used: &used})
	keys, err := w.peer.Passkeys(w.Context(), account, "ADA")
	w.ok(err)
	w.same("used passkey", []signin.StoredPasskey{used}, keys)
	w.is(fault.KindConflict, w.ChangePerson(w.Context(), account, "BOB", func(signin.Standing) signin.Change { return signin.Change{Passkey: &key} }))
	u, err := w.peer.UserBySubject(w.Context(), account, signin.Subject{Issuer: "https://issuer.example", Subject: "s of ADA"})
	w.ok(err)
	w.same("by subject", ident.UserID("ADA"), u.ID)
	_, err = w.peer.UserBySubject(w.Context(), account, signin.Subject{Issuer: "https://other.example", Subject: "s of ADA"})
	w.is(fault.KindNotFound, err)

	w.change(account, "ADA", signin.Change{Activate: true, Forget: signin.Forget{Password: true, Passkeys: true, Subjects: true, Links: true}})
	st, err = w.peer.PersonStanding(w.Context(), account, "ADA")
	w.ok(err)
	w.same("all forgotten", []any{"", 0, "", directory.Active}, []any{st.Password, len(st.Passkeys), st.Subject, st.User.State})
	_, err = w.peer.Link(w.Context(), link.Hash)
	w.is(fault.KindNotFound, err)
	p, err := w.peer.PersonStanding(w.Context(), other, "ADA")
	w.ok(err)
	if p.Password == "" || len(p.Passkeys) != 1 || p.Subject == "" {
		w.Errorf("a namesake elsewhere lost theirs: %+v", p)
	}
	listed, err := w.peer.Page(w.Context(), account, filter.Any, page.Position{}, 10)
	w.ok(err)
	w.same("listed once confirmed", 2, len(listed))
}

func refusedSignInWritesOnlyItsEntry(w *world) {
	account := w.account()
	w.add(account, directory.User{ID: "ADA", State: directory.Pending})
	refusal := fault.Forbidden("no")
	e := audit.New(operator, account, audit.UserReset, "ADA", audit.Refused, w.now())
	w.ok(w.ChangePerson(w.Context(), account, "ADA", func(signin.Standing) signin.Change {
		return signin.Change{Activate: true, Password: "x", Entries: []audit.Entry{e.With("no")}, Refusal: refusal}
	}))
	st, err := w.peer.PersonStanding(w.Context(), account, "ADA")
	w.ok(err)
	w.same("untouched", []any{"", directory.Pending}, []any{st.Password, st.User.State})
	w.same("entry", []line{{audit.UserReset, audit.Refused, "ADA", "no"}}, w.lines(account, 1))
	asked := func(signin.Standing) signin.Change { w.Error("decided about nobody"); return signin.Change{} }
	w.is(fault.KindNotFound, w.ChangePerson(w.Context(), account, "NOBODY", asked))
	w.is(fault.KindNotFound, w.ChangeByLink(w.Context(), w.hash(), asked))
	w.sound(account)
}

// oneGetsInByALink: on two handles, at once.
func oneGetsInByALink(w *world) {
	account := w.account()
	w.add(account, directory.User{ID: "ADA"})
	for round := range 20 {
		link := w.link(account, "ADA")
		use := func(s Store) func() error {
			return func() error {
				return s.ChangeByLink(w.Context(), link.Hash, func(signin.Standing) signin.Change {
					return signin.Change{Forget: signin.Forget{Links: true}}
				})
			}
		}
		won := 0
		for _, err := range together(use(w.Store), use(w.peer)) {
			if err == nil {
				won++
			} else {
				w.is(fault.KindNotFound, err)
			}
		}
		if won != 1 {
			w.Fatalf("round %d: %d got in", round, won)
		}
	}
}

func (w *world) link(account ident.AccountID, user ident.UserID) signin.StoredLink {
	l := signin.StoredLink{Hash: w.hash(), Account: account, User: user, Purpose: signin.Setup, CreateTime: start, ExpireTime: start.Add(time.Hour)}
	w.change(account, user, signin.Change{Link: &l})
	return l
}

func ceremoniesAreTakenOnce(w *world) {
	c := signin.Ceremony{Hash: w.hash(), Kind: signin.UsingSSO, Account: "A", User: "U", Data: []byte("\x00data"), ExpireTime: start.Add(time.Minute)}
	w.ok(w.AddCeremony(w.Context(), c))
	got := make([]signin.Ceremony, 2)
	take := func(i int, s Store) func() error {
		return func() (err error) { got[i], err = s.TakeCeremony(w.Context(), c.Hash); return err }
	}
	won := 0
	for i, err := range together(take(0, w.Store), take(1, w.peer)) {
		if err == nil {
			won++
			w.same("ceremony", c, got[i])
		} else {
			w.is(fault.KindNotFound, err)
		}
	}
	if won != 1 {
		w.Errorf("%d took it", won)
	}
}

func connectionsAreKept(w *world) {
	account, other := w.account(), w.account()
	w.add(account, directory.User{ID: "ADA"})
	w.add(other, directory.User{ID: "ADA"})
	w.everything(account, "ADA")
	w.everything(other, "ADA")
	set := func(c signin.Connection) error {
		return w.SetConnection(w.Context(), c, audit.New(operator, c.Account, audit.SSOSet, string(c.Account), audit.Done, start))
	}
	c := signin.Connection{Account: account, Issuer: "https://issuer.example", ClientID: "d", Secret: []byte{0, 255}, UpdateTime: start.Add(time.Hour)}
	w.ok(set(c))
	got, err := w.peer.Connection(w.Context(), account)
	w.ok(err)
	w.same("connection", c, got)
	st, err := w.peer.PersonStanding(w.Context(), account, "ADA")
	w.ok(err)
	w.same("the same issuer's subject stays", "s of ADA", st.Subject)
	c.Issuer = "https://other.example"
	w.ok(set(c))
	_, err = w.peer.UserBySubject(w.Context(), account, signin.Subject{Issuer: "https://issuer.example", Subject: "s of ADA"})
	w.is(fault.KindNotFound, err)
	w.is(fault.KindNotFound, set(signin.Connection{Account: "NOWHERE", Issuer: "https://other.example", ClientID: "d"}))
	removed, err := w.RemoveConnection(w.Context(), account, audit.New(operator, account, audit.SSORemove, string(account), audit.Done, start))
	w.ok(err)
	again, err := w.RemoveConnection(w.Context(), account, audit.New(operator, account, audit.SSORemove, string(account), audit.Done, start))
	w.ok(err)
	w.same("removed once", []bool{true, false}, []bool{removed, again})
	_, err = w.peer.Connection(w.Context(), account)
	w.is(fault.KindNotFound, err)
	kept, err := w.peer.PersonStanding(w.Context(), other, "ADA")
	w.ok(err)
	w.same("another account's stays", "s of ADA", kept.Subject)
	w.sound(account)
}

// purgeTakesSignIns: what is over goes, what is not stays.
func purgeTakesSignIns(w *world) {
	account := w.account()
	w.add(account, directory.User{ID: "ADA"})
	over, lasting := w.session(account, "ADA", start.Add(-12*time.Hour)), w.session(account, "ADA", start.Add(time.Second))
	link := w.link(account, "ADA")
	ceremony := signin.Ceremony{Hash: w.hash(), Kind: signin.UsingSSO, Data: []byte{}, ExpireTime: start}
	w.ok(w.AddCeremony(w.Context(), ceremony))
	n, err := w.Purge(w.Context(), start, store.Retention{Entries: time.Hour, Usage: time.Hour})
	w.ok(err)
	w.same("rows", int64(2), n)
	w.gone("over", over)
	_, err = w.peer.Session(w.Context(), lasting.Hash)
	w.ok(err)
	_, err = w.peer.Link(w.Context(), link.Hash)
	w.ok(err)
	_, err = w.Purge(w.Context(), start.Add(time.Hour), store.Retention{Entries: time.Hour, Usage: time.Hour})
	w.ok(err)
	_, err = w.peer.Link(w.Context(), link.Hash)
	w.is(fault.KindNotFound, err)
}

// openAccountsAreTold: closed ones are not.
func openAccountsAreTold(w *world) {
	account := w.account()
	w.account()
	w.ok(w.directory.SetAccountState(w.Context(), operator, account, directory.Closed))
	open, err := w.peer.OpenAccounts(w.Context(), 5)
	w.ok(err)
	if len(open) != 1 || open[0].ID == account {
		w.Errorf("got %+v", open)
	}
}
