package signin_test

import (
	"context"
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

const (
	good    = "seven purple tractors hum"
	another = "quiet marble elevator 77"
)

var operator = access.Caller{Kind: access.Operator, Name: "olga"}

// from is where people sign in from.
var from = access.Caller{Address: netip.MustParseAddr("192.0.2.7"), UserAgent: "Test/1.0", RequestID: "R"}

// world is a real database with two accounts and the services on it, on a clock that stands
// still until it is moved.
type world struct {
	*testing.T
	clock     *testkit.Clock
	store     *store.Store
	journal   *audit.Journal
	directory *directory.Service
	signin    *signin.Service
}

// The accounts of a world.
const (
	acme  ident.AccountID = "ACME"
	other ident.AccountID = "OTHER"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, clock: testkit.NewClock(testkit.Epoch)}
	var err error
	if w.store, err = store.Open(t.Context(), store.Options{Dir: t.TempDir(), Rand: rand.Reader, Exclusive: true}); err != nil {
		t.Fatal(err)
	}
	w.journal = audit.NewJournal(w.store, func(err error, lost int64) { t.Errorf("%d entries lost: %v", lost, err) })
	t.Cleanup(func() {
		if err := w.journal.Close(context.Background()); err != nil { //nolint:usetesting // t.Context is over in a cleanup
			t.Error(err)
		}
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.directory = &directory.Service{Store: w.store, Keys: page.NewKeyring(w.store, w.clock.Now, rand.Reader), Now: w.clock.Now, Rand: rand.Reader}
	limiter, err := throttle.NewMemory(throttle.DefaultPolicies(), w.clock.Now(), 0)
	if err != nil {
		t.Fatal(err)
	}
	w.signin = &signin.Service{
		Store: w.store, Journal: w.journal, Limiter: limiter, Now: w.clock.Now, Rand: rand.Reader, Hasher: signin.NewHasher(32, signin.Cost{Memory: 64, Passes: 1}),
	}
	for _, id := range []ident.AccountID{acme, other} {
		if _, err := w.directory.CreateAccount(t.Context(), operator, directory.Account{ID: id, Name: "Example Ltd"}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// add adds somebody to an account, with the id that is their name.
func (w *world) add(account ident.AccountID, name string, state directory.State, groups ...string) directory.User {
	w.Helper()
	u, err := w.directory.AddUser(w.Context(), operator, account, directory.User{
		ID: ident.UserID(name), Email: ident.Email(name + "@example.com"), DisplayName: name, State: state, Groups: groups,
	})
	if err != nil {
		w.Fatal(err)
	}
	return u
}

// member adds somebody who has a password.
func (w *world) member(account ident.AccountID, name string, groups ...string) directory.User {
	w.Helper()
	u := w.add(account, name, directory.Active, groups...)
	w.enter(w.link(u).Token, good)
	return u
}

func (w *world) link(u directory.User) signin.Link {
	w.Helper()
	l, err := w.signin.FirstOwnerLink(w.Context(), operator, u.Account, u.ID)
	if err != nil {
		w.Fatal(err)
	}
	return l
}

func (w *world) enter(token, password string) signin.NewSession {
	w.Helper()
	s, err := w.signin.UseLink(w.Context(), from, token, password)
	if err != nil {
		w.Fatalf("use a link: %v", err)
	}
	return s
}

func (w *world) password(u directory.User, password string) signin.NewSession {
	w.Helper()
	w.clock.Advance(time.Millisecond) // ids sort by the millisecond
	s, err := w.signin.Password(w.Context(), from, u.Account, string(u.Email), password)
	if err != nil {
		w.Fatalf("sign %s in: %v", u.ID, err)
	}
	return s
}

// signed returns who a session stands for, and fails if it does not count.
func (w *world) signed(token string) signin.Signed {
	w.Helper()
	c, err := w.signin.Authenticate(w.Context(), from, token)
	if err != nil {
		w.Fatalf("a session does not count: %v", err)
	}
	return c
}

// out checks that a session does not count.
func (w *world) out(why, token string) {
	w.Helper()
	c, err := w.signin.Authenticate(w.Context(), from, token)
	if fault.KindOf(err) != fault.KindUnauthenticated || c.Caller.Kind != access.Nobody || c.User.ID != "" {
		w.Errorf("%s: got %+v and error %v, want nobody", why, c, err)
	}
}

// as signs somebody in and returns them as a caller.
func (w *world) as(u directory.User) access.Caller {
	w.Helper()
	return w.signed(w.password(u, good).Token).Caller
}

// kind checks the kind of a failure.
func (w *world) kind(what string, err error, want fault.Kind) {
	w.Helper()
	if err == nil || fault.KindOf(err) != want {
		w.Errorf("%s: got error %v of kind %s, want %s", what, err, fault.KindOf(err), want)
	}
}

// entries returns how many entries an account has of an action and outcome. Those of the
// journal are waited for: it is closed, once a test.
func (w *world) entries(account ident.AccountID, act audit.Action, o audit.Outcome) []audit.Entry {
	w.Helper()
	all, err := w.store.Entries(w.Context(), account, "", 10_000)
	if err != nil {
		w.Fatal(err)
	}
	var list []audit.Entry
	for _, e := range all {
		if e.Action == act && e.Outcome == o {
			list = append(list, e)
		}
	}
	return list
}

// settle writes what the journal holds; nothing may fail to sign in after it.
func (w *world) settle() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	if err := w.journal.Close(ctx); err != nil {
		w.Fatal(err)
	}
}
