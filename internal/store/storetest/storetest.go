// Package storetest owns the conformance suite of the store: what every database must
// do the same, races included. A database runs all of it with one call of Run.
//
// It leaves to each database's own tests what is theirs alone: files, locks, plans. What
// must always hold: a test sees the store only through the interfaces the rule rooms
// declare, and checks what a second handle on the same database sees, as a replica
// would.
package storetest

import (
	"context"
	"crypto/rand"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/records"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// Store is everything a database does for rollcall.
type Store interface {
	directory.Store
	oauth.Store
	oauth.UseStore
	page.Store
	usage.Store
	audit.Reader
	LookAtUser(account ident.AccountID, id ident.UserID) *store.UserLook
	LookAtPage(account ident.AccountID, cursor page.Cursor, limit int) *store.PageLook
	signin.Store
	records.Store
	Purge(ctx context.Context, now time.Time, keep store.Retention) (int64, error)
}

// Opened is a new, empty database.
type Opened struct {
	Store Store
	// Peer is a second handle on the same database, as another process would have.
	Peer Store
}

// Run runs the suite. open is called once a test, from tests that run in parallel; it
// closes what it opened in the test's cleanup.
func Run(t *testing.T, open func(t *testing.T) Opened) {
	t.Helper()
	for name, test := range tests() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, open(t)))
		})
	}
}

func tests() map[string]func(*world) {
	return map[string]func(*world){
		"accounts are kept":                         accountsAreKept,
		"accounts open and close":                   accountsOpenAndClose,
		"people are kept":                           peopleAreKept,
		"looks see what reads see":                  looksSeeWhatReadsSee,
		"people are added all or none":              peopleAreAddedAllOrNone,
		"many people are added all or none":         manyPeopleAreAddedAllOrNone,
		"the same address in two accounts":          sameAddressInTwoAccounts,
		"pages are in order":                        pagesAreInOrder,
		"pages begin behind a position":             pagesBeginBehindAPosition,
		"a walk meets everybody once":               walkMeetsEverybodyOnce,
		"a change and its entry":                    changeAndItsEntry,
		"a refusal writes only its entry":           refusalWritesOnlyItsEntry,
		"nobody is changed who is not there":        nobodyIsChangedWhoIsNotThere,
		"groups":                                    groups,
		"applications are kept":                     applicationsAreKept,
		"applications are switched":                 applicationsAreSwitched,
		"secrets overlap":                           secretsOverlap,
		"tokens are kept and revoked":               tokensAreKeptAndRevoked,
		"tokens die with what they hang on":         tokensDieWithWhatTheyHangOn,
		"a new application does not revive tokens":  newApplicationDoesNotReviveTokens,
		"applications are listed in pages":          applicationsAreListedInPages,
		"applications are changed":                  applicationsAreChanged,
		"a refused change writes only its entry":    refusedApplicationChange,
		"all tokens end at once":                    allTokensEnd,
		"a token on its way ends too":               tokenOnItsWayEnds,
		"uses of secrets are kept":                  usesAreKept,
		"the record is a chain":                     recordIsAChain,
		"the record is read in pages":               recordIsReadInPages,
		"entries of no account":                     entriesOfNoAccount,
		"entries keep what they hold":               entriesKeepWhatTheyHold,
		"usage adds up":                             usageAddsUp,
		"page keys are shared":                      pageKeysAreShared,
		"a purge takes what is over":                purgeTakesWhatIsOver,
		"two suspensions race for the last owners":  suspensionsRace,
		"suspending and leaving race for the owner": suspendingAndLeavingRace,
		"one of many suspensions changes anything":  oneSuspensionChanges,
		"the chain holds under concurrent changes":  chainHoldsUnderConcurrentChanges,
		"tokens are issued and revoked at once":     tokensAreIssuedAndRevokedAtOnce,
		"a caller who gives up":                     callerWhoGivesUp,
		"people are found":                          peopleAreFound,
		"people are counted":                        peopleAreCounted,
		"people are edited":                         peopleAreEdited,
		"people are removed":                        peopleAreRemoved,
		"accounts are edited":                       accountsAreEdited,
		"sessions are kept":                         sessionsAreKept,
		"sessions end with access":                  sessionsEndWithAccess,
		"signing in races suspension":               signingInRacesSuspension,
		"ways in are kept":                          waysInAreKept,
		"a refused sign-in writes only its entry":   refusedSignInWritesOnlyItsEntry,
		"one gets in by a link":                     oneGetsInByALink,
		"ceremonies are taken once":                 ceremoniesAreTakenOnce,
		"connections are kept":                      connectionsAreKept,
		"a purge takes sign-ins that are over":      purgeTakesSignIns,
		"open accounts are told":                    openAccountsAreTold,
		"the record is searched":                    recordIsSearched,
		"usage is read by the hour":                 usageIsReadByTheHour,
		"live tokens are counted":                   liveTokensAreCounted,
		"clocks differ":                             clocksDiffer,
	}
}

// start is when the suite's clock begins.
var start = time.Date(2026, 1, 15, 10, 30, 0, 123456000, time.UTC)

// world is a database with the services that use it, on a clock that moves by a
// millisecond whenever it is read: entry ids sort by the millisecond.
type world struct {
	*testing.T
	Store
	peer Store

	ticks     atomic.Int64
	directory directory.Service
	replica   directory.Service // on peer
	oauth     oauth.Service
	elsewhere oauth.Service // on peer
}

func newWorld(t *testing.T, o Opened) *world {
	w := &world{T: t, Store: o.Store, peer: o.Peer}
	journal := audit.NewJournal(o.Store, func(err error, lost int64) { t.Errorf("%d entries lost: %v", lost, err) })
	t.Cleanup(func() {
		if err := journal.Close(context.Background()); err != nil { //nolint:usetesting // t.Context is over in a cleanup
			t.Error(err)
		}
	})
	w.directory = directory.Service{Store: o.Store, Keys: page.NewKeyring(o.Store, w.now, rand.Reader), Now: w.now, Rand: rand.Reader}
	w.oauth = oauth.Service{Store: o.Store, Journal: journal, Now: w.now, Rand: rand.Reader, Lifetime: oauth.DefaultLifetime,
		Keys: w.directory.Keys, Uses: &oauth.Uses{}}
	w.replica, w.elsewhere = w.directory, w.oauth
	w.replica.Store, w.replica.Keys = o.Peer, page.NewKeyring(o.Peer, w.now, rand.Reader)
	w.elsewhere.Store, w.elsewhere.Keys, w.elsewhere.Uses = o.Peer, w.replica.Keys, &oauth.Uses{}
	return w
}

func (w *world) now() time.Time { return start.Add(time.Duration(w.ticks.Add(1)) * time.Millisecond) }

// pass moves the clock on.
func (w *world) pass(d time.Duration) { w.ticks.Add(d.Milliseconds()) }

var operator = access.Caller{Kind: access.Operator, Name: "olga"}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// is fails the test unless err is a fault of that kind.
func (w *world) is(kind fault.Kind, err error) {
	w.Helper()
	if err == nil || fault.KindOf(err) != kind {
		w.Errorf("got error %v (%v), want %v", err, fault.KindOf(err), kind)
	}
}

func (w *world) same(what string, want, got any) {
	w.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (w *world) account() ident.AccountID {
	w.Helper()
	a, err := w.directory.CreateAccount(w.Context(), operator, directory.Account{Name: "Acme"})
	w.ok(err)
	return a.ID
}

// add adds people and returns them as they are stored.
func (w *world) add(account ident.AccountID, users ...directory.User) []directory.User {
	w.Helper()
	now := w.now()
	for i := range users {
		users[i].Account = account
		if users[i].DisplayName == "" {
			users[i].DisplayName = "Somebody"
		}
		if users[i].ID == "" {
			id, err := ident.NewUserID(rand.Reader)
			w.ok(err)
			users[i].ID = id
		}
		if users[i].Email == "" {
			users[i].Email = ident.Email(string(users[i].ID) + "@example.com")
		}
		w.ok(w.directory.Complete(&users[i], now))
	}
	_, err := w.directory.AddUsers(w.Context(), operator, account, sequence(users...))
	w.ok(err)
	return users
}

func sequence(users ...directory.User) func(func(directory.User, error) bool) {
	return func(yield func(directory.User, error) bool) {
		for _, u := range users {
			if !yield(u, nil) {
				return
			}
		}
	}
}

// application makes one with all permissions and returns it with its first secret.
func (w *world) application(account ident.AccountID) (oauth.Application, oauth.ClientSecret) {
	w.Helper()
	a, secret, err := w.oauth.Create(w.Context(), operator,
		oauth.Application{Account: account, Name: "app", Permissions: access.Set(15)}, oauth.ClientSecret{})
	w.ok(err)
	return a, secret
}

// line is what most tests look at of an entry.
type line struct {
	Action  audit.Action
	Outcome audit.Outcome
	Target  string
	Detail  string
}

// record returns an account's entries from the oldest on, as the peer sees them.
func (w *world) record(account ident.AccountID) []audit.Entry {
	w.Helper()
	entries, err := w.peer.Entries(w.Context(), account, "", 1000)
	w.ok(err)
	slices.Reverse(entries)
	return entries
}

// lines returns the record's last n entries.
func (w *world) lines(account ident.AccountID, n int) []line {
	w.Helper()
	var list []line
	for _, e := range w.record(account) {
		list = append(list, line{e.Action, e.Outcome, e.Target, e.Detail})
	}
	return list[max(0, len(list)-n):]
}

// sound verifies the record and returns how many changes and other entries it holds. The
// counts of people go with it.
func (w *world) sound(account ident.AccountID) (changes, others int64) {
	w.Helper()
	w.counted(account)
	report, err := audit.Verify(w.Context(), w.peer, account)
	w.ok(err)
	w.same("problems of the record", []audit.Problem(nil), report.Problems)
	return report.Changes, report.Others
}
