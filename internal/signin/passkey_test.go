package signin_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/passkey"
	"github.com/rollcall-id/rollcall/internal/passkey/passkeytest"
	"github.com/rollcall-id/rollcall/internal/signin"
)

var site = signin.Site{Origin: "https://users.example.com", Host: "users.example.com"}

func newKey() *passkeytest.Authenticator {
	return &passkeytest.Authenticator{Origin: site.Origin, Host: site.Host, Counter: 1}
}

func newPasskeyWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.signin.PasskeyProtocol = passkey.Protocol{Name: "rollcall"}
	return w
}

// addKey adds a passkey of whoever is signed in.
func (w *world) addKey(me signin.Signed, key *passkeytest.Authenticator, name string) (signin.Passkey, error) {
	w.Helper()
	begun, err := w.signin.BeginPasskey(w.Context(), me, site)
	if err != nil {
		return signin.Passkey{}, err
	}
	answer, err := key.Create(begun.Options)
	if err != nil {
		w.Fatal(err)
	}
	return w.signin.FinishPasskey(w.Context(), me, site, begun.Token, name, answer)
}

func (w *world) useKey(key *passkeytest.Authenticator) (signin.NewSession, error) {
	w.Helper()
	begun, err := w.signin.BeginPasskeySignIn(w.Context(), from, site)
	if err != nil {
		return signin.NewSession{}, err
	}
	answer, err := key.Get(begun.Options)
	if err != nil {
		w.Fatal(err)
	}
	return w.signin.FinishPasskeySignIn(w.Context(), from, site, begun.Token, answer)
}

// TestPasskey: added, used, listed and removed.
func TestPasskey(t *testing.T) {
	t.Parallel()
	w := newPasskeyWorld(t)
	ada := w.member(acme, "ada")
	me, key := w.signed(w.password(ada, good).Token), newKey()
	added, err := w.addKey(me, key, "My key 🗝")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.clock.Advance(time.Second)
		session, err := w.useKey(key)
		if err != nil || session.User != ada.ID || session.Method != signin.ByPasskey {
			t.Fatalf("got %+v, %v", session, err)
		}
		w.signed(session.Token)
	}
	list, err := w.signin.Passkeys(t.Context(), me.Caller, acme, ada.ID)
	added.LastUsedTime = w.clock.Now()
	if err != nil || len(list) != 1 || list[0] != added {
		t.Errorf("got %+v (%v), want %+v", list, err, added)
	}
	eve := w.as(w.member(other, "eve", directory.Owners))
	w.kind("removing somebody else's", w.signin.RemovePasskey(t.Context(), eve, acme, ada.ID, added.ID), fault.KindForbidden)
	w.kind("removing somebody else's as one's own", w.signin.RemovePasskey(t.Context(), eve, other, "eve", added.ID), fault.KindNotFound)
	if err := w.signin.RemovePasskey(t.Context(), me.Caller, acme, ada.ID, added.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.useKey(key)
	w.kind("a removed passkey", err, fault.KindUnauthenticated)
	if n := len(w.entries(acme, audit.PasskeyAdd, audit.Done)) + len(w.entries(acme, audit.PasskeyRemove, audit.Done)); n != 2 {
		t.Errorf("%d entries of adding and removing, want 2", n)
	}
}

// TestPasskeyRefused: an answer that is not of this attempt, this site, this person, or of a
// sound authenticator.
func TestPasskeyRefused(t *testing.T) {
	t.Parallel()
	w := newPasskeyWorld(t)
	ctx := t.Context()
	ada, bob := w.member(acme, "ada"), w.member(acme, "bob")
	w.member(acme, "owner", directory.Owners)
	me, key := w.signed(w.password(ada, good).Token), newKey()
	if _, err := w.addKey(me, key, "key"); err != nil {
		t.Fatal(err)
	}
	strange := newKey()
	if _, err := w.addKey(w.signed(w.password(bob, good).Token), strange, "key"); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, change func(*passkeytest.Authenticator)) {
		t.Helper()
		w.clock.Advance(time.Minute) // so that failures are never limited
		copied := *key
		change(&copied)
		_, err := w.useKey(&copied)
		w.kind(what, err, fault.KindUnauthenticated)
		key.Counter = max(key.Counter, copied.Counter)
	}
	refused("another origin", func(a *passkeytest.Authenticator) { a.Origin = "https://users.example.com.evil.test" })
	refused("http", func(a *passkeytest.Authenticator) { a.Origin = "http://users.example.com" })
	refused("another site", func(a *passkeytest.Authenticator) { a.Host = "example.com" })
	refused("nobody verified", func(a *passkeytest.Authenticator) { a.Unverified = true })
	refused("somebody else named", func(a *passkeytest.Authenticator) { a.Handle = bytes.Repeat([]byte{1}, 32) })
	w.clock.Advance(time.Minute)
	if _, err := w.useKey(key); err != nil {
		t.Fatalf("the passkey itself: %v", err)
	}
	refused("a counter that goes back", func(a *passkeytest.Authenticator) { a.Counter = 1 })

	w.clock.Advance(time.Minute)
	begun, err := w.signin.BeginPasskeySignIn(ctx, from, site)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := key.Get(begun.Options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.signin.FinishPasskeySignIn(ctx, from, site, begun.Token, answer); err != nil {
		t.Fatal(err)
	}
	_, err = w.signin.FinishPasskeySignIn(ctx, from, site, begun.Token, answer)
	w.kind("the answer again", err, fault.KindUnauthenticated)
	next, err := w.signin.BeginPasskeySignIn(ctx, from, site)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.signin.FinishPasskeySignIn(ctx, from, site, next.Token, answer)
	w.kind("the answer to another attempt", err, fault.KindUnauthenticated)
	late, err := w.signin.BeginPasskeySignIn(ctx, from, site)
	if err != nil {
		t.Fatal(err)
	}
	answer, err = key.Get(late.Options)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(signin.CeremonyLife)
	_, err = w.signin.FinishPasskeySignIn(ctx, from, site, late.Token, answer)
	w.kind("an answer too late", err, fault.KindUnauthenticated)
	for _, junk := range []string{"", "{}", "null", "\x00", `{"id":"a","rawId":"a","type":"public-key","response":{}}`, strings.Repeat("[", 70_000)} {
		w.clock.Advance(time.Minute)
		begun, err := w.signin.BeginPasskeySignIn(ctx, from, site)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.signin.FinishPasskeySignIn(ctx, from, site, begun.Token, []byte(junk))
		w.kind("junk", err, fault.KindUnauthenticated)
	}

	w.clock.Advance(time.Minute)
	if _, err := w.directory.Suspend(ctx, operator, acme, ada.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.useKey(key)
	w.kind("a suspended person's", err, fault.KindUnauthenticated)
	if _, err := w.directory.Reactivate(ctx, operator, acme, ada.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.useKey(key); err != nil {
		t.Errorf("once they are back: %v", err)
	}
	if _, err := w.signin.Reset(ctx, operator, acme, ada.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.useKey(key)
	w.kind("after a reset", err, fault.KindUnauthenticated)
}

// TestAddingPasskeys: one adds them to oneself, soon after signing in, and each once.
func TestAddingPasskeys(t *testing.T) {
	t.Parallel()
	w := newPasskeyWorld(t)
	ctx := t.Context()
	ada, bob := w.member(acme, "ada"), w.member(acme, "bob")
	me, him := w.signed(w.password(ada, good).Token), w.signed(w.password(bob, good).Token)
	begun, err := w.signin.BeginPasskey(ctx, me, site)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := newKey().Create(begun.Options)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.signin.FinishPasskey(ctx, me, site, begun.Token, "", answer)
	w.kind("without a name", err, fault.KindInvalid)
	_, err = w.signin.FinishPasskey(ctx, him, site, begun.Token, "key", answer)
	w.kind("to somebody else", err, fault.KindPrecondition)
	_, err = w.signin.FinishPasskey(ctx, me, site, begun.Token, "key", answer)
	w.kind("of a ceremony that somebody else has spent", err, fault.KindPrecondition)
	_, err = w.signin.FinishPasskeySignIn(ctx, from, site, begun.Token, answer)
	w.kind("as a sign-in", err, fault.KindUnauthenticated)
	for what, change := range map[string]func(*passkeytest.Authenticator){
		"another origin":  func(a *passkeytest.Authenticator) { a.Origin = "https://evil.test" },
		"nobody verified": func(a *passkeytest.Authenticator) { a.Unverified = true },
	} {
		key := newKey()
		change(key)
		_, err := w.addKey(me, key, "key")
		w.kind(what, err, fault.KindInvalid)
	}
	for range signin.MaxPasskeys {
		w.clock.Advance(time.Millisecond)
		if _, err := w.addKey(me, newKey(), "key"); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.addKey(me, newKey(), "key")
	w.kind("one too many", err, fault.KindPrecondition)
	w.clock.Advance(16 * time.Minute)
	_, err = w.signin.BeginPasskey(ctx, him, site)
	w.kind("long after signing in", err, fault.KindPrecondition)
}

// TestBegunSignInsAreLimited: they are remembered before anybody has proved anything.
func TestBegunSignInsAreLimited(t *testing.T) {
	t.Parallel()
	w := newPasskeyWorld(t)
	for range 60 {
		if _, err := w.signin.BeginPasskeySignIn(t.Context(), from, site); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.signin.BeginPasskeySignIn(t.Context(), from, site)
	w.kind("the sixty-first in a minute", err, fault.KindExhausted)
}
