package signin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// TestSigned: a session tells who it is, with what they may do at this very moment.
func TestSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.member(acme, "ada", directory.Owners, "crew")
	fresh := w.password(ada, good)
	c := w.signed(fresh.Token)
	if diff := cmp.Diff(ada, c.User); diff != "" {
		t.Errorf("who is signed in (-want +got):\n%s", diff)
	}
	if c.Caller.ID() != "ada" || !c.Caller.Is(acme, "ada") || c.Caller.Permissions != access.RolePermissions(ada.Groups) ||
		c.Caller.Address != from.Address || c.Caller.RequestID != "R" || c.Account.Name != "Example Ltd" || c.Session != fresh.Session {
		t.Errorf("got %+v", c)
	}
	if _, err := w.directory.AddUser(t.Context(), operator, acme, directory.User{Email: "b@example.com", DisplayName: "B", Groups: []string{directory.Owners}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.directory.SetMember(t.Context(), operator, acme, "ada", directory.Owners, false); err != nil {
		t.Fatal(err)
	}
	if got := w.signed(fresh.Token).Caller.Permissions; got != 0 {
		t.Errorf("a former owner may still do %b", got)
	}
	again := w.password(ada, good)
	if again.Token == fresh.Token || again.ID == fresh.ID {
		t.Error("signing in gives a session that was there before")
	}
	for _, token := range []string{"", "x", fresh.Token + "a", fresh.Token[:len(fresh.Token)-1], strings.ToUpper(fresh.Token), "rct_" + fresh.Token[4:], "rcw_\x00", strings.Repeat("a", 1<<16)} {
		w.out("no token", token)
	}
}

// TestSessionsEnd: everything that takes a person's access away ends their sessions, and
// what gives it back does not bring them back.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*world, directory.User) error{
		"suspended": func(w *world, u directory.User) error {
			if _, err := w.directory.Suspend(w.Context(), operator, acme, u.ID); err != nil {
				return err
			}
			if got, err := w.store.Sessions(w.Context(), acme, u.ID); len(got) != 0 || err != nil {
				w.Errorf("a suspended person has sessions: %v (%v)", got, err)
			}
			_, err := w.directory.Reactivate(w.Context(), operator, acme, u.ID)
			return err
		},
		"the account closed": func(w *world, _ directory.User) error {
			if err := w.directory.SetAccountState(w.Context(), operator, acme, directory.Closed); err != nil {
				return err
			}
			return w.directory.SetAccountState(w.Context(), operator, acme, directory.Open)
		},
		"reset": func(w *world, u directory.User) error {
			_, err := w.signin.Reset(w.Context(), operator, acme, u.ID)
			return err
		},
		"all sessions ended": func(w *world, u directory.User) error {
			return w.signin.EndSessions(w.Context(), operator, acme, u.ID, "")
		},
		"another password by link": func(w *world, u directory.User) error {
			w.enter(w.link(u).Token, another)
			return nil
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.add(acme, "owner", directory.Active, directory.Owners)
			u, bystander := w.member(acme, "ada"), w.member(other, "bob")
			session, untouched := w.password(u, good), w.password(bystander, good)
			if err := end(w, u); err != nil {
				t.Fatal(err)
			}
			w.out(name, session.Token)
			w.signed(untouched.Token)
		})
	}
}

// TestLiveState: whatever left a session behind, a person who is not ACTIVE, or whose account
// is closed, is nobody.
func TestLiveState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, u := w.member(acme, "owner", directory.Owners), w.member(acme, "ada")
	session := w.password(u, good)
	// Removing somebody takes the session's row with them.
	if err := w.directory.RemoveUser(t.Context(), w.as(owner), acme, u.ID); err != nil {
		t.Fatal(err)
	}
	w.out("removed", session.Token)
	w.add(acme, "ada", directory.Active)
	w.out("removed, and somebody else with the same id", session.Token)
	_, err := w.signin.Password(t.Context(), from, acme, "ada@example.com", good)
	w.kind("the password of who had the id before", err, fault.KindUnauthenticated)
}

// TestSessionsAge: a session ends after an hour without use and after twelve hours at the
// latest, and when the clock is set back.
func TestSessionsAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.member(acme, "ada")
	idle, used := w.password(u, good), w.password(u, good)
	w.clock.Advance(signin.SessionIdle - time.Microsecond)
	w.signed(used.Token)
	w.clock.Advance(time.Microsecond)
	w.out("idle for an hour", idle.Token)
	for range 10 {
		w.clock.Advance(signin.SessionIdle - time.Minute)
		w.signed(used.Token)
	}
	if got := w.signed(used.Token).Session; !got.ExpireTime.Equal(used.CreateTime.Add(signin.SessionLife)) {
		t.Errorf("using a session moves its end from %v to %v", used.CreateTime.Add(signin.SessionLife), got.ExpireTime)
	}
	w.clock.Advance(signin.SessionIdle - time.Minute)
	w.signed(used.Token)
	w.clock.Advance(used.ExpireTime.Sub(w.clock.Now()) - time.Microsecond)
	w.signed(used.Token)
	w.clock.Advance(time.Microsecond)
	w.out("after twelve hours", used.Token)

	back := w.password(u, good)
	list, err := w.signin.Sessions(t.Context(), operator, acme, u.ID)
	if err != nil || len(list) != 1 || list[0].ID != back.ID {
		t.Errorf("sessions that are over are listed: %v (%v)", list, err)
	}
	w.clock.Advance(-5 * time.Minute)
	w.signed(back.Token)
	w.clock.Advance(-time.Second)
	w.out("the clock was set back", back.Token)
}

// TestLastSeen: a session's use is written once a minute and no oftener.
func TestLastSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.member(acme, "ada")
	s := w.password(u, good)
	seen := func() time.Time {
		list, err := w.store.Sessions(t.Context(), acme, u.ID)
		if err != nil || list[0].ID != s.ID {
			t.Fatal(list, err)
		}
		return list[0].LastSeenTime
	}
	begun := w.clock.Now()
	w.clock.Advance(time.Minute - time.Microsecond)
	w.signed(s.Token)
	if got := seen(); !got.Equal(begun) {
		t.Errorf("within a minute: seen at %v, want %v", got, begun)
	}
	w.clock.Advance(time.Microsecond)
	w.signed(s.Token)
	if got := seen(); !got.Equal(w.clock.Now()) {
		t.Errorf("after a minute: seen at %v, want %v", got, w.clock.Now())
	}
}

// TestEndSession: people end their own sessions, and those who manage people end others'.
func TestEndSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, admin := w.member(acme, "owner", directory.Owners), w.member(acme, "admin", directory.Administrators)
	ada, stranger := w.member(acme, "ada"), w.member(other, "eve", directory.Owners)
	ctx := t.Context()
	one, two, own := w.password(ada, good), w.password(ada, good), w.password(owner, good)

	w.kind("somebody else's by a member", w.signin.EndSession(ctx, w.as(ada), acme, "owner", own.ID), fault.KindForbidden)
	w.kind("an owner's by an administrator", w.signin.EndSession(ctx, w.as(admin), acme, "owner", own.ID), fault.KindForbidden)
	w.kind("all of an owner's by an administrator", w.signin.EndSessions(ctx, w.as(admin), acme, "owner", ""), fault.KindForbidden)
	w.kind("in another account", w.signin.EndSession(ctx, w.as(stranger), acme, "ada", one.ID), fault.KindForbidden)
	w.kind("another account's, as one's own", w.signin.EndSession(ctx, w.as(stranger), other, "eve", one.ID), fault.KindNotFound)
	w.kind("somebody else's, as one's own", w.signin.EndSession(ctx, w.as(ada), acme, "ada", own.ID), fault.KindNotFound)
	w.kind("nobody's", w.signin.EndSessions(ctx, operator, acme, "nobody\x00", ""), fault.KindNotFound)
	_, err := w.signin.Sessions(ctx, w.as(ada), acme, "owner")
	w.kind("seeing somebody else's", err, fault.KindForbidden)
	w.signed(own.Token)

	if err := w.signin.EndSession(ctx, w.as(ada), acme, "ada", one.ID); err != nil {
		t.Error(err)
	}
	w.out("ended by themselves", one.Token)
	me := w.signed(two.Token)
	if err := w.signin.EndSessions(ctx, me.Caller, acme, "ada", me.Session.ID); err != nil {
		t.Error(err)
	}
	if list, err := w.signin.Sessions(ctx, me.Caller, acme, "ada"); err != nil || len(list) != 1 || list[0].ID != two.ID {
		t.Errorf("all but this one ended: %v are left (%v)", list, err)
	}
	if err := w.signin.SignOut(ctx, w.signed(two.Token)); err != nil {
		t.Error(err)
	}
	w.out("signed out", two.Token)
	if err := w.signin.EndSessions(ctx, w.as(owner), acme, "owner", ""); err != nil {
		t.Error(err)
	}
	w.out("all of one's own", own.Token)
	w.settle()
	if got := w.entries(acme, audit.SessionEnd, audit.Denied); len(got) != 3 {
		t.Errorf("got %d entries of denials, want 3 in the account: %+v", len(got), got)
	}
	if got := w.entries(acme, audit.SignOut, audit.Done); len(got) != 1 || got[0].Actor != "ada" || got[0].ActorKind != access.Person {
		t.Errorf("signing out left %+v", got)
	}
}

// TestMostSessions: the oldest session makes room for a new one.
func TestMostSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.add(acme, "ada", directory.Active)
	var tokens []string
	tokens = append(tokens, w.enter(w.link(u).Token, good).Token)
	for range signin.MaxSessions {
		w.clock.Advance(time.Millisecond)
		tokens = append(tokens, w.password(u, good).Token)
	}
	w.out("more sessions than there may be", tokens[0])
	for _, token := range tokens[1:] {
		w.signed(token)
	}
}

// TestOtherIDs: a session is of one account, whatever ids are named.
func TestOtherIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member(acme, "ada", directory.Owners)
	twin := w.member(other, "ada", directory.Owners)
	c := w.as(twin)
	ctx := t.Context()
	for what, err := range map[string]error{
		"invite":  second(w.signin.Invite(ctx, c, acme, "ada")),
		"reset":   second(w.signin.Reset(ctx, c, acme, "ada")),
		"person":  second(w.directory.Person(ctx, c, acme, "ada")),
		"people":  second(w.directory.People(ctx, c, acme, directory.PeopleQuery{})),
		"remove":  w.directory.RemoveUser(ctx, c, acme, "ada"),
		"suspend": second(w.directory.Suspend(ctx, c, acme, "ada")),
		"account": second(w.directory.Account(ctx, c, acme)),
		"nowhere": second(w.directory.Account(ctx, c, ident.AccountID("NOWHERE"))),
		"sso":     second(w.signin.SSO(ctx, c, acme)),
		"keys":    second(w.signin.Passkeys(ctx, c, acme, "ada")),
		"first":   second(w.signin.FirstOwnerLink(ctx, c, other, "ada")),
	} {
		if f := fault.As(err); f == nil || f.Kind != fault.KindForbidden || f.Message != access.Denied {
			t.Errorf("%s: got %v, want the one denial", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
