package roster

import (
	"context"
	"fmt"
	"iter"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// Progress is told how many people of how many were added: every thousand, and at
// the end. It is called while the caller waits, but from another goroutine, and
// may start over if the database has to.
type Progress func(done, total int)

// progressStep is how many people lie between two reports of progress.
const progressStep = 1000

// Applied is what a seed became, in its order.
type Applied struct {
	Accounts []AppliedAccount
}

// AppliedAccount is an account as it was created, with its applications and their secrets in clear.
type AppliedAccount struct {
	directory.Account
	Users        int // how many people it has
	Applications []Application
}

// Apply creates everything the seed describes. It stops at the first error and takes
// nothing back: the caller applies a seed to a database of its own, and drops that
// if it failed. progress may be nil.
func (s *Seed) Apply(ctx context.Context, c access.Caller, dir *directory.Service, apps *oauth.Service, progress Progress) (*Applied, error) {
	total := 0
	for _, a := range s.Accounts {
		total += len(a.Users) + a.Generate.Count
	}
	count := newCounter(progress, total)
	applied := &Applied{Accounts: make([]AppliedAccount, 0, len(s.Accounts))}
	for i, a := range s.Accounts {
		made, err := a.apply(ctx, c, dir, apps, count)
		if err != nil {
			return nil, fmt.Errorf("seed account %d (%s): %w", i+1, a.Name, err)
		}
		applied.Accounts = append(applied.Accounts, made)
		count = count.after(made.Users)
	}
	return applied, nil
}

func (a *Account) apply(ctx context.Context, c access.Caller, dir *directory.Service, apps *oauth.Service, count counter) (AppliedAccount, error) {
	account, err := dir.CreateAccount(ctx, c, a.Account)
	if err != nil {
		return AppliedAccount{}, fmt.Errorf("create it: %w", err)
	}
	made := AppliedAccount{Account: account}
	if len(a.Users)+a.Generate.Count > 0 {
		if made.Users, err = dir.AddUsers(ctx, c, account.ID, count.watch(ctx, a.everybody())); err != nil {
			return made, fmt.Errorf("add people: %w", err)
		}
	}
	for i, app := range a.Applications {
		if app, err = app.create(ctx, c, account.ID, apps); err != nil {
			return made, fmt.Errorf("create application %d (%s): %w", i+1, app.Name, err)
		}
		made.Applications = append(made.Applications, app)
	}
	return made, nil
}

func (a Application) create(ctx context.Context, c access.Caller, account ident.AccountID, apps *oauth.Service) (Application, error) {
	a.Account = account
	made, secret, err := apps.Create(ctx, c, a.Application, a.Secret)
	return Application{Application: made, Secret: secret}, err
}

// everybody yields the people who are listed, then those who are made up.
func (a *Account) everybody() iter.Seq2[directory.User, error] {
	return func(yield func(directory.User, error) bool) {
		for _, u := range a.Users {
			if !yield(u, nil) {
				return
			}
		}
		for u := range a.Generate.Users() {
			if !yield(u, nil) {
				return
			}
		}
	}
}

// counter tells progress; it is a value, so that a sequence that is run again counts again from where it began.
type counter struct {
	progress    Progress
	done, total int
}

func newCounter(progress Progress, total int) counter {
	if progress == nil {
		progress = func(int, int) {}
	}
	return counter{progress: progress, total: total}
}

// after returns the counter for what comes after n people more.
func (c counter) after(n int) counter {
	c.done += n
	return c
}

// watch counts people as they are taken, and ends the sequence when ctx does: the
// database goes on with work it has begun even if nobody waits any more.
func (c counter) watch(ctx context.Context, users iter.Seq2[directory.User, error]) iter.Seq2[directory.User, error] {
	return func(yield func(directory.User, error) bool) {
		done := c.done
		for u, err := range users {
			if ctx.Err() != nil {
				yield(directory.User{}, ctx.Err())
				return
			}
			if !yield(u, err) || err != nil {
				return
			}
			if done++; done%progressStep == 0 || done == c.total {
				c.progress(done, c.total)
			}
		}
	}
}
