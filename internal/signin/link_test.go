package signin_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// TestInvitation: somebody PENDING confirms with a link, once.
func TestInvitation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	admin := w.member(acme, "admin", directory.Administrators)
	pen := w.add(acme, "pen", directory.Pending)
	old, err := w.signin.Invite(ctx, w.as(admin), acme, pen.ID)
	if err != nil {
		t.Fatal(err)
	}
	link, err := w.signin.Invite(ctx, w.as(admin), acme, pen.ID)
	if err != nil || !link.ExpireTime.Equal(w.clock.Now().Add(7*24*time.Hour)) || link.Purpose != signin.Invitation {
		t.Fatal(link, err)
	}
	_, err = w.signin.OpenLink(ctx, from, old.Token)
	w.kind("the link before", err, fault.KindUnauthenticated)
	for range 3 { // looking spends nothing
		info, err := w.signin.OpenLink(ctx, from, link.Token)
		if err != nil || info.User.ID != pen.ID || info.Account.ID != acme || info.Purpose != signin.Invitation {
			t.Fatal(info, err)
		}
	}
	_, err = w.signin.UseLink(ctx, from, link.Token, "short")
	w.kind("a short password", err, fault.KindInvalid)
	session := w.enter(link.Token, good)
	if c := w.signed(session.Token); c.User.State != directory.Active || c.Session.Method != signin.ByLink {
		t.Errorf("got %+v", c)
	}
	if got, err := w.directory.Get(ctx, operator, acme, pen.ID); err != nil || got.State != directory.Active {
		t.Errorf("the API shows %+v, %v", got, err)
	}
	_, err = w.signin.UseLink(ctx, from, link.Token, another)
	w.kind("the link again", err, fault.KindUnauthenticated)
	w.password(pen, good)
	_, err = w.signin.Invite(ctx, w.as(admin), acme, pen.ID)
	w.kind("inviting who has confirmed", err, fault.KindPrecondition)
	if got := w.entries(acme, audit.UserConfirm, audit.Done); len(got) != 1 || got[0].Actor != "pen" || got[0].Target != "pen" {
		t.Errorf("confirming left %+v", got)
	}
}

// TestLinkRace: of many who use a link at once, one gets in.
func TestLinkRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pen := w.add(acme, "pen", directory.Pending)
	link, err := w.signin.Invite(t.Context(), operator, acme, pen.ID)
	if err != nil {
		t.Fatal(err)
	}
	var in atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := w.signin.UseLink(t.Context(), from, link.Token, good)
			if err == nil {
				in.Add(1)
			} else if fault.KindOf(err) != fault.KindUnauthenticated {
				t.Errorf("a later one: %v", err)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("%d got in by one link", in.Load())
	}
	if got, err := w.store.Sessions(t.Context(), acme, pen.ID); err != nil || len(got) != 1 {
		t.Errorf("%d sessions (%v), want 1", len(got), err)
	}
}

// TestLinksEnd: a link counts in its time, for its purpose, for somebody it still fits, and
// no answer tells why it does not.
func TestLinksEnd(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reset bool
		end   func(*world) error
	}{
		"too late":           {end: func(w *world) error { w.clock.Advance(7 * 24 * time.Hour); return nil }},
		"a reset, too late":  {reset: true, end: func(w *world) error { w.clock.Advance(time.Hour); return nil }},
		"the clock set back": {end: func(w *world) error { w.clock.Advance(-6 * time.Minute); return nil }},
		"suspended":          {reset: true, end: func(w *world) error { return second(w.directory.Suspend(w.Context(), operator, acme, "u")) }},
		"the account closed": {end: func(w *world) error {
			return w.directory.SetAccountState(w.Context(), operator, acme, directory.Closed)
		}},
		"removed":             {end: func(w *world) error { return w.directory.RemoveUser(w.Context(), operator, acme, "u") }},
		"invited again":       {end: func(w *world) error { return second(w.signin.Invite(w.Context(), operator, acme, "u")) }},
		"another address":     {end: func(w *world) error { return w.readdress() }},
		"reset again":         {reset: true, end: func(w *world) error { return second(w.signin.Reset(w.Context(), operator, acme, "u")) }},
		"a link of the owner": {reset: true, end: func(w *world) error { return second(w.signin.FirstOwnerLink(w.Context(), operator, acme, "u")) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			state, mk := directory.Pending, w.signin.Invite
			if tt.reset {
				state, mk = directory.Active, w.signin.Reset
			}
			w.add(acme, "u", state)
			link, err := mk(t.Context(), operator, acme, "u")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.signin.OpenLink(t.Context(), from, link.Token); err != nil {
				t.Fatal(err)
			}
			if err := tt.end(w); err != nil {
				t.Fatal(err)
			}
			_, opened := w.signin.OpenLink(t.Context(), from, link.Token)
			_, used := w.signin.UseLink(t.Context(), from, link.Token, good)
			_, garbage := w.signin.UseLink(t.Context(), from, "rcl_\x00", good)
			for what, err := range map[string]error{"opened": opened, "used": used} {
				if err == nil || err.Error() != garbage.Error() {
					t.Errorf("%s: got %v, want %v as for any other", what, err, garbage)
				}
			}
		})
	}
}

func (w *world) readdress() error {
	email := "new@example.com"
	return second(w.directory.EditUser(w.Context(), operator, acme, "u", directory.UserPatch{Email: &email}))
}

// TestReset: what somebody signed in with ends at once; they begin anew with the link.
func TestReset(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	owner, admin := w.member(acme, "owner", directory.Owners), w.member(acme, "admin", directory.Administrators)
	ada := w.member(acme, "ada", directory.Security)
	session := w.password(ada, good)
	_, err := w.signin.Reset(ctx, w.as(ada), acme, "admin")
	w.kind("by somebody of security", err, fault.KindForbidden)
	_, err = w.signin.Reset(ctx, w.as(admin), acme, "owner")
	w.kind("an owner by an administrator", err, fault.KindForbidden)
	_, err = w.signin.Reset(ctx, w.as(owner), acme, "owner")
	w.kind("oneself", err, fault.KindForbidden)
	_, err = w.signin.Invite(ctx, w.as(admin), acme, "owner")
	w.kind("inviting an owner by an administrator", err, fault.KindForbidden)
	w.password(owner, good)
	link, err := w.signin.Reset(ctx, w.as(admin), acme, ada.ID)
	if err != nil || !link.ExpireTime.Equal(w.clock.Now().Add(time.Hour)) {
		t.Fatal(link, err)
	}
	w.out("reset", session.Token)
	_, err = w.signin.Password(ctx, from, acme, string(ada.Email), good)
	w.kind("the old password", err, fault.KindUnauthenticated)
	w.enter(link.Token, another)
	w.password(ada, another)
	if got := w.entries(acme, audit.UserReset, audit.Done); len(got) != 1 || strings.Contains(got[0].Detail, "rcl_") {
		t.Errorf("got %+v", got)
	}
	for _, e := range w.entries(acme, audit.UserReset, audit.Denied) {
		if e.Target != "admin" && e.Target != "owner" {
			t.Errorf("got %+v", e)
		}
	}
}

// TestPasswordRules: length over rules, and nothing that is easily guessed.
func TestPasswordRules(t *testing.T) {
	t.Parallel()
	u := directory.User{Email: "ada.lovelace@example.com", DisplayName: "Ada Lovelace"}
	a := directory.Account{Name: "Analytical Engines"}
	for password, ok := range map[string]bool{
		good: true, another: true, "žluťoučký kůň 42 úpěl": true, strings.Repeat("correct horse ", 9): true,
		"tiny":                          false,
		"elevenchars":                   false,
		"passwordpassword":              false,
		"123456789012":                  false,
		"qwertyuiop12":                  false,
		"aaaaaaaaaaaaaa":                false,
		"Ada Lovelace":                  false,
		"ada.lovelace@example.com":      false,
		"analyticalengines":             false,
		"rollcallrollcall":              false,
		"broken \xff bytes of nonsense": false,
		strings.Repeat("x y z ", 22):    false,
	} {
		err := signin.ValidatePassword(password, u, a)
		if (err == nil) != ok || (err != nil && fault.KindOf(err) != fault.KindInvalid) {
			t.Errorf("%q: got %v, want accepted = %t", password, err, ok)
		}
		if err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("the answer repeats the password: %v", err)
		}
	}
	_ = ident.AccountID("")
}
