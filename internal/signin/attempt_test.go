package signin_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// failures are tries to sign in that fail, in the world of failing.
var failures = []struct {
	account         ident.AccountID
	email, password string
}{
	{acme, "ada@example.com", "wrong"},
	{acme, "ada@example.com", ""},
	{acme, "ada@example.com", good + " "},
	{acme, "ada@example.com", strings.Repeat(good, 1000)},
	{acme, "ada@example.com", good + "\x00"},
	{acme, "nobody@example.com", good},
	{acme, "eve@example.com", good},
	{acme, "nonsense\x00", good},
	{acme, strings.Repeat("a", 1<<16), good},
	{acme, "sue@example.com", good},
	{acme, "pen@example.com", good},
	{acme, "bare@example.com", ""},
	{other, "eve@example.com", good},
	{other, "ada@example.com", good},
	{"NOWHERE", "ada@example.com", good},
	{"a\x00", "ada@example.com", good},
}

// failing is a world in which one may fail to sign in for every reason there is.
func failing(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.member(acme, "ada")
	w.member(acme, "sue")
	w.add(acme, "pen", directory.Pending)
	w.add(acme, "bare", directory.Active)
	if _, err := w.directory.Suspend(t.Context(), operator, acme, "sue"); err != nil {
		t.Fatal(err)
	}
	w.member(other, "eve")
	if err := w.directory.SetAccountState(t.Context(), operator, other, directory.Closed); err != nil {
		t.Fatal(err)
	}
	return w
}

// stranger gives each try an address of its own, or one address would be out of tries.
func stranger(i int) access.Caller {
	c := from
	for range i + 1 {
		c.Address = c.Address.Next()
	}
	return c
}

// TestFailuresAreAlike: nothing in the answer tells why somebody was not let in.
func TestFailuresAreAlike(t *testing.T) {
	t.Parallel()
	w := failing(t)
	want := ""
	for i, tt := range failures {
		s, err := w.signin.Password(t.Context(), stranger(i), tt.account, tt.email, tt.password)
		f := fault.As(err)
		if f == nil || f.Kind != fault.KindUnauthenticated || s.Token != "" {
			t.Fatalf("%.40q in %q: got %v and session %q", tt.email, tt.account, err, s.Token)
		}
		if want == "" {
			want = f.Message
		}
		if f.Message != want || f.Cause != nil || f.RetryAfter != 0 {
			t.Errorf("%.40q in %q: got %#v, want %q as for the others", tt.email, tt.account, f, want)
		}
	}
	w.settle()
	if got := w.entries(acme, audit.SignIn, audit.Refused); len(got) != 12 {
		t.Errorf("%d failures are in the account's record, want 12", len(got))
	}
	for _, e := range w.entries("NOWHERE", audit.SignIn, audit.Refused) {
		t.Errorf("an account that is not there has a record: %+v", e)
	}
}

// TestFailuresTakeAlike: each of them hashes a password, whoever is claimed: while nobody can
// hash, none is answered as a failure.
func TestFailuresTakeAlike(t *testing.T) {
	t.Parallel()
	w := failing(t)
	w.signin.Hasher = signin.NewHasher(1, signin.Cost{Memory: 64, Passes: 1})
	blocked, release := make(chan struct{}), make(chan struct{})
	var first error
	var holder, tries sync.WaitGroup
	holder.Go(func() { _, first = w.signin.Hasher.Hash(context.Background(), blocking{blocked, release}, good) })
	<-blocked
	for i, tt := range failures {
		tries.Go(func() {
			if _, err := w.signin.Password(t.Context(), stranger(i), tt.account, tt.email, tt.password); err == nil || fault.KindOf(err) != fault.KindUnavailable {
				t.Errorf("%.40q in %q: got %v without hashing", tt.email, tt.account, err)
			}
		})
	}
	tries.Wait()
	close(release)
	holder.Wait()
	if first != nil {
		t.Error(first)
	}
}

// TestAddressIsWrittenAnyhow: an address signs in however its case is; where there is one
// account it need not be named, and a closed one does not count.
func TestAddressIsWrittenAnyhow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member(acme, "ada")
	_, err := w.signin.Password(t.Context(), from, "", "ada@example.com", good)
	w.kind("no account named of two", err, fault.KindUnauthenticated)
	if err := w.directory.SetAccountState(t.Context(), operator, other, directory.Closed); err != nil {
		t.Fatal(err)
	}
	s, err := w.signin.Password(t.Context(), from, "", "ADA@Example.com", good)
	if err != nil || s.Account != acme {
		t.Errorf("got %+v, %v", s, err)
	}
	if e, err := w.signin.Entrance(t.Context()); err != nil || e.Account != acme || e.Name != "Example Ltd" || e.SSO {
		t.Errorf("entrance: got %+v, %v", e, err)
	}
}

// TestTriesAreLimited: per person whatever the address, per address whatever the person; only
// failures count, and people who are not there are limited like others.
func TestTriesAreLimited(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"ada@example.com", "nobody@example.com"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ada := w.member(acme, "ada")
			c := from
			for range 12 {
				w.password(ada, good) // costs nothing
			}
			for i := range 10 {
				c.Address = c.Address.Next()
				_, err := w.signin.Password(t.Context(), c, acme, who, fmt.Sprint("guess ", i))
				w.kind("a guess", err, fault.KindUnauthenticated)
			}
			c.Address = c.Address.Next()
			_, err := w.signin.Password(t.Context(), c, acme, strings.ToUpper(who), good)
			w.kind("after ten guesses, from anywhere", err, fault.KindExhausted)
			if f := fault.As(err); f == nil || f.RetryAfter <= 0 || f.RetryAfter > time.Minute {
				t.Errorf("told to wait: %+v", f)
			}
			if _, err := w.signin.Password(t.Context(), c, other, who, good); fault.KindOf(err) == fault.KindExhausted {
				t.Error("the same address in another account is limited with it")
			}
			w.clock.Advance(time.Minute)
			w.password(ada, good)
		})
	}
	t.Run("address", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		ada := w.member(acme, "ada")
		for i := range 10 {
			_, err := w.signin.Password(t.Context(), from, acme, fmt.Sprintf("u%d@example.com", i), "guess")
			w.kind("a guess", err, fault.KindUnauthenticated)
		}
		_, err := w.signin.Password(t.Context(), from, acme, string(ada.Email), good)
		w.kind("after ten guesses of anybody's", err, fault.KindExhausted)
		_, err = w.signin.UseLink(t.Context(), from, w.link(ada).Token, good)
		w.kind("a link, after ten guesses", err, fault.KindExhausted)
		elsewhere := from
		elsewhere.Address = from.Address.Next()
		if _, err := w.signin.Password(t.Context(), elsewhere, acme, string(ada.Email), good); err != nil {
			t.Errorf("from another address: %v", err)
		}
		w.settle()
		if len(w.entries(acme, audit.SignIn, audit.Limited)) == 0 {
			t.Error("the record tells of no limit")
		}
	})
}

// TestGuessesAtOnce: of guesses sent together no more learn anything than of guesses sent
// one by one.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member(acme, "ada")
	var mu sync.Mutex
	kinds := map[fault.Kind]int{}
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			_, err := w.signin.Password(t.Context(), from, acme, "ada@example.com", fmt.Sprint("guess ", i))
			mu.Lock()
			defer mu.Unlock()
			kinds[fault.KindOf(err)]++
		})
	}
	wg.Wait()
	if kinds[fault.KindUnauthenticated] != 10 || kinds[fault.KindExhausted] != 20 {
		t.Errorf("got %v, want 10 answers and 20 that tell nothing", kinds)
	}
}

// TestRecordOfSigningIn: who came in is told, how, and from where; what was typed as an
// address by mistake is not.
func TestRecordOfSigningIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.member(acme, "ada")
	s := w.password(ada, good)
	for _, typed := range []string{"my secret word", "rcl_" + strings.Repeat("a", 59) + "@example.com", "gone@example.com"} {
		_, err := w.signin.Password(t.Context(), from, acme, typed, "guess")
		w.kind(typed, err, fault.KindUnauthenticated)
	}
	w.settle()
	done := w.entries(acme, audit.SignIn, audit.Done)
	if len(done) != 2 || done[0].Actor != "ada" || done[0].ActorKind != access.Person || done[0].Address != from.Address ||
		!strings.Contains(done[0].Detail, "password") || !strings.Contains(done[0].Detail, string(s.ID)) {
		t.Errorf("signing in left %+v", done)
	}
	actors := map[string]bool{}
	for _, e := range w.entries(acme, audit.SignIn, audit.Refused) {
		actors[e.Actor] = true
	}
	if !actors["gone@example.com"] || !actors[""] || len(actors) != 3 {
		t.Errorf("failures are told of %v", actors)
	}
	for a := range actors {
		if strings.Contains(a, "rcl_") || strings.Contains(a, "secret word") {
			t.Errorf("the record holds %q", a)
		}
	}
}

// TestPasswordRace: whoever is let in is let in by what is true when they are.
func TestPasswordRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.member(acme, "owner", directory.Owners)
	ada := w.member(acme, "ada")
	var wg sync.WaitGroup
	tokens := make([]string, 8)
	for i := range tokens {
		wg.Go(func() {
			s, err := w.signin.Password(t.Context(), from, acme, string(ada.Email), good)
			if err == nil {
				tokens[i] = s.Token
			}
		})
	}
	wg.Go(func() {
		if _, err := w.directory.Suspend(t.Context(), operator, acme, ada.ID); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	for _, token := range tokens {
		w.out("begun while they were being suspended", token)
	}
	if left, err := w.store.Sessions(t.Context(), acme, ada.ID); err != nil || len(left) != 0 {
		t.Errorf("sessions are left of somebody suspended: %v (%v)", left, err)
	}
}

// TestSetPassword: it takes the present one, or to have signed in just now, and ends the
// other sessions.
func TestSetPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.member(acme, "ada")
	here, elsewhere := w.password(ada, good), w.password(ada, good)
	me := w.signed(here.Token)
	w.kind("a wrong present one", w.signin.SetPassword(t.Context(), me, "wrong", another), fault.KindUnauthenticated)
	w.kind("a weak new one", w.signin.SetPassword(t.Context(), me, good, "password1234"), fault.KindInvalid)
	w.signed(elsewhere.Token)
	link := w.link(ada)
	if err := w.signin.SetPassword(t.Context(), me, good, another); err != nil {
		t.Fatal(err)
	}
	w.signed(here.Token)
	w.out("begun with the old password", elsewhere.Token)
	_, err := w.signin.OpenLink(t.Context(), from, link.Token)
	w.kind("a link from before", err, fault.KindUnauthenticated)
	_, err = w.signin.Password(t.Context(), from, acme, string(ada.Email), good)
	w.kind("the old password", err, fault.KindUnauthenticated)
	w.password(ada, another)
	for range 8 { // with the two from before
		w.kind("guessing the present one", w.signin.SetPassword(t.Context(), me, "wrong", good), fault.KindUnauthenticated)
	}
	w.kind("guessing it on and on", w.signin.SetPassword(t.Context(), me, another, good), fault.KindExhausted)
	if got := w.entries(acme, audit.PasswordSet, audit.Done); len(got) != 2 {
		t.Errorf("%d entries of passwords set, want 2", len(got))
	}
}
