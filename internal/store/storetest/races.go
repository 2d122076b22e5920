package storetest

import (
	"context"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/store"
)

// together starts the acts at one moment, each in a goroutine of its own, and returns
// their errors.
func together(acts ...func() error) []error {
	var ready, done sync.WaitGroup
	errs := make([]error, len(acts))
	gate := make(chan struct{})
	for i, act := range acts {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-gate
			errs[i] = act()
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
	return errs
}

// oneWins checks that of two rivals one did it and the other was told why not.
func (w *world) oneWins(round int, errs []error) {
	w.Helper()
	lost := errs[0]
	if lost == nil {
		lost = errs[1]
	}
	if f := fault.As(lost); (errs[0] == nil) == (errs[1] == nil) || f == nil || f.Message != directory.NoOwnerRemains {
		w.Fatalf("round %d: got %v and %v, want one success and one %s", round, errs[0], errs[1], directory.NoOwnerRemains)
	}
}

// rounds of each race: broken isolation showed in one of seven.
const rounds = 300

// suspensionsRace lets two replicas suspend an owner each, of the last two.
func suspensionsRace(w *world) {
	account := w.account()
	owner := []string{directory.Owners}
	u := w.add(account, directory.User{Groups: owner}, directory.User{Groups: owner},
		directory.User{Groups: owner, State: directory.Suspended}, directory.User{Groups: owner, State: directory.Pending}, directory.User{})
	suspend := func(s *directory.Service, id ident.UserID) func() error {
		return func() error { _, err := s.Suspend(w.Context(), operator, account, id); return err }
	}
	for round := range rounds {
		second := &w.replica
		if round%2 == 0 {
			second = &w.directory
		}
		w.oneWins(round, together(suspend(&w.directory, u[0].ID), suspend(second, u[1].ID)))
		active := 0
		for _, who := range u[:2] {
			got, err := w.peer.User(w.Context(), account, who.ID)
			w.ok(err)
			if got.State == directory.Active {
				active++
				continue
			}
			_, err = w.directory.Reactivate(w.Context(), operator, account, who.ID)
			w.ok(err)
		}
		if active != 1 {
			w.Fatalf("round %d: %d active owners remain, want 1", round, active)
		}
	}
	changes, others := w.sound(account)
	w.same("changes and refusals", [2]int64{2 + 2*rounds, rounds}, [2]int64{changes, others})
}

// suspendingAndLeavingRace is the same with one owner leaving the group.
func suspendingAndLeavingRace(w *world) {
	account := w.account()
	owner := []string{directory.Owners}
	u := w.add(account, directory.User{Groups: owner}, directory.User{Groups: owner})
	for round := range rounds / 3 {
		w.oneWins(round, together(
			func() error { _, err := w.directory.Suspend(w.Context(), operator, account, u[0].ID); return err },
			func() error {
				_, err := w.replica.SetMember(w.Context(), operator, account, u[1].ID, directory.Owners, false)
				return err
			},
		))
		_, err := w.directory.Reactivate(w.Context(), operator, account, u[0].ID)
		w.ok(err)
		_, err = w.directory.SetMember(w.Context(), operator, account, u[1].ID, directory.Owners, true)
		w.ok(err)
	}
	w.sound(account)
}

// oneSuspensionChanges lets many suspend one person: one changes something.
func oneSuspensionChanges(w *world) {
	account := w.account()
	u := w.add(account, directory.User{})[0]
	var acts []func() error
	for i := range 16 {
		service := &w.directory
		if i%2 == 0 {
			service = &w.replica
		}
		acts = append(acts, func() error { _, err := service.Suspend(w.Context(), operator, account, u.ID); return err })
	}
	for _, err := range together(acts...) {
		w.ok(err)
	}
	outcomes := map[audit.Outcome]int{}
	for _, l := range w.lines(account, len(acts)) {
		outcomes[l.Outcome]++
	}
	w.same("outcomes", map[audit.Outcome]int{audit.Done: 1, audit.Unchanged: len(acts) - 1}, outcomes)
	w.sound(account)
}

// chainHoldsUnderConcurrentChanges mixes every sort of write, failures included, in two
// accounts from two replicas.
func chainHoldsUnderConcurrentChanges(w *world) {
	accounts := []ident.AccountID{w.account(), w.account()}
	var acts []func() error
	for i, account := range accounts {
		app, secret := w.application(account)
		for n, u := range w.add(account, make([]directory.User, 6)...) {
			service, clients := &w.directory, &w.oauth
			if (n+i)%2 == 0 {
				service, clients = &w.replica, &w.elsewhere
			}
			acts = append(acts, func() error { return w.bustle(service, clients, u, app, secret) })
		}
	}
	for _, err := range together(acts...) {
		w.ok(err)
	}
	for _, account := range accounts {
		changes, others := w.sound(account)
		// The account, its application and people; then 8 suspensions and returns by each of six.
		w.same("changes and others", [2]int64{3 + 6*16, 6 * 8}, [2]int64{changes, others})
	}
}

func (w *world) bustle(service *directory.Service, clients *oauth.Service, u directory.User, app oauth.Application, secret oauth.ClientSecret) error {
	ctx := w.Context()
	for range 8 {
		if _, err := service.Suspend(ctx, operator, u.Account, u.ID); err != nil {
			return err
		}
		// Fails, and takes whatever it was to be committed with along: that runs again.
		if _, err := service.CreateAccount(ctx, operator, directory.Account{ID: u.Account, Name: "taken"}); fault.KindOf(err) != fault.KindConflict {
			return err
		}
		c, err := clients.AuthenticateClient(ctx, access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}})
		if err != nil {
			return err
		}
		if _, err := clients.Issue(ctx, access.Caller{}, c); err != nil {
			return err
		}
		if _, err := service.Reactivate(ctx, operator, u.Account, u.ID); err != nil {
			return err
		}
	}
	return nil
}

func tokensAreIssuedAndRevokedAtOnce(w *world) {
	app, secret := w.application(w.account())
	c, err := w.oauth.AuthenticateClient(w.Context(), access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}})
	w.ok(err)
	var acts []func() error
	live, dead := make([]string, 20), make([]string, 20)
	for i := range live {
		acts = append(acts, func() error {
			issued, err := w.oauth.Issue(w.Context(), access.Caller{}, c)
			live[i] = issued.AccessToken
			return err
		}, func() error {
			issued, err := w.elsewhere.Issue(w.Context(), access.Caller{}, c)
			if err != nil {
				return err
			}
			dead[i] = issued.AccessToken
			return w.oauth.Revoke(w.Context(), access.Caller{}, c, dead[i])
		})
	}
	for _, err := range together(acts...) {
		w.ok(err)
	}
	for i := range live {
		w.same("kept and revoked", []bool{true, false}, []bool{w.counts(live[i]), w.counts(dead[i])})
	}
}

// callerWhoGivesUp is told so, and never that something is done which is not.
func callerWhoGivesUp(w *world) {
	account := w.account()
	users := w.add(account, make([]directory.User, 40)...)
	ctx, cancel := context.WithCancel(w.Context())
	var acts []func() error
	for _, u := range users {
		acts = append(acts, func() error { _, err := w.directory.Suspend(ctx, operator, account, u.ID); return err })
	}
	acts = append(acts, func() error { cancel(); return nil })
	for i, err := range together(acts...)[:len(users)] {
		got, readErr := w.peer.User(w.Context(), account, users[i].ID)
		w.ok(readErr)
		if err != nil {
			w.is(fault.KindUnavailable, err)
		} else {
			w.same("state of who was suspended", directory.Suspended, got.State)
		}
	}
	w.sound(account)
}

// clocksDiffer: no rule compares the times of two replicas. A replica whose clock is behind
// keeps the record sound and decides alike; a token lives as much shorter or longer as the
// clock of whoever reads it is ahead of that of whoever issued it, and a purge takes it no
// sooner than the purging replica's clock says.
func clocksDiffer(w *world) {
	const behind = 30 * time.Second
	late := func() time.Time { return w.now().Add(-behind) }
	w.replica.Now, w.elsewhere.Now = late, late
	account := w.account()
	app, secret := w.application(account)
	people := w.add(account, make([]directory.User, 3)...)
	for i, u := range people {
		first, second := &w.directory, &w.replica
		if i%2 == 0 {
			first, second = second, first
		}
		_, err := first.Suspend(w.Context(), operator, account, u.ID)
		w.ok(err)
		_, err = second.Reactivate(w.Context(), operator, account, u.ID)
		w.ok(err)
	}
	changes, _ := w.sound(account)
	w.same("changes", int64(3+2*len(people)), changes)

	c, err := w.elsewhere.AuthenticateClient(w.Context(), access.Caller{}, audit.TokenIssue, oauth.Credentials{{ID: app.ID, Secret: secret.Reveal()}})
	w.ok(err)
	issued, err := w.elsewhere.Issue(w.Context(), access.Caller{}, c)
	w.ok(err)
	hash := oauth.HashOf(issued.AccessToken)
	grant, err := w.Grant(w.Context(), hash)
	w.ok(err)
	if left := grant.ExpireTime.Sub(w.now()); left > oauth.DefaultLifetime-behind || left < oauth.DefaultLifetime-behind-time.Second {
		w.Errorf("by the other clock it lives for %v", left)
	}
	w.pass(oauth.DefaultLifetime - behind - time.Second)
	keep := store.Retention{Entries: time.Hour, Usage: time.Hour}
	_, err = w.Purge(w.Context(), w.now(), keep)
	w.ok(err)
	_, err = w.Grant(w.Context(), hash)
	w.ok(err)
	w.pass(2 * time.Second)
	_, err = w.Purge(w.Context(), w.now(), keep)
	w.ok(err)
	_, err = w.peer.Grant(w.Context(), hash)
	w.is(fault.KindNotFound, err)
}
