package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// PageKeys implements page.Store.
func (s *Store) PageKeys(ctx context.Context) ([]page.Key, error) {
	rows, err := ask(s, "read page keys", func() ([]sqlgen.PageKey, error) { return s.reads.ListPageKeys(bounded(ctx)) })
	if err != nil {
		return nil, err
	}
	keys := make([]page.Key, len(rows))
	for i, r := range rows {
		keys[i] = page.Key{ID: uint32(r.ID), CreatedAt: fromMicros(r.CreateTime)}
		copy(keys[i].Secret[:], r.Secret)
	}
	return keys, nil
}

// AddPageKey implements page.Store.
func (s *Store) AddPageKey(ctx context.Context, k page.Key) error {
	return s.marked(ctx, "add a page key", func(ctx context.Context, t *tx) error {
		return t.InsertPageKey(ctx, int64(k.ID), k.Secret[:], micros(k.CreatedAt))
	})
}

// AddUsage implements usage.Store. The rows are in one order on every replica, so that
// none holds what another waits for.
func (s *Store) AddUsage(ctx context.Context, rows []usage.Row) error {
	rows = slices.SortedFunc(slices.Values(rows), func(a, b usage.Row) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Client, b.Client),
			cmp.Compare(a.UserAgent, b.UserAgent))
	})
	err := s.marked(ctx, "add usage", func(ctx context.Context, t *tx) error {
		for _, r := range rows {
			err := t.Later.AddUsage(ctx, sqlgen.AddUsageParams{
				Hour: r.Hour.Unix(), AccountID: string(r.Account), ClientID: string(r.Client), UserAgent: r.UserAgent,
				Requests: r.Requests, Errors: r.Errors, Limited: r.Limited,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if f := fault.As(err); f != nil && errors.Is(err, errUnknown) {
		f.Cause = errors.Join(usage.ErrUnknown, f.Cause)
	}
	return err
}

// marked runs work that leaves no entry and must not happen twice.
func (s *Store) marked(ctx context.Context, op string, fn func(context.Context, *tx) error) error {
	return classify(op, s.writer.do(ctx, &job{run: fn, runs: runs{mark: s.newMark()}}))
}

// newMark returns a mark; none where the outcome of a commit is always heard.
func (s *Store) newMark() string {
	if !s.engine.limits().unheard {
		return ""
	}
	return rand.Text()
}

// marksKept is how long a mark may be looked for, with more than enough to spare.
const marksKept = time.Hour

// Usage implements usage.Store.
func (s *Store) Usage(ctx context.Context, account ident.AccountID, since time.Time) ([]usage.Row, error) {
	rows, err := ask(s, "read usage", func() ([]sqlgen.UsageHour, error) {
		return s.reads.ListUsage(ctx, since.Truncate(time.Hour).Unix(), string(account))
	})
	if err != nil {
		return nil, err
	}
	list := make([]usage.Row, len(rows))
	for i, r := range rows {
		list[i] = usage.Row{
			Key: usage.Key{
				Hour: time.Unix(r.Hour, 0).UTC(), Account: ident.AccountID(r.AccountID),
				Client: ident.ClientID(r.ClientID), UserAgent: r.UserAgent,
			},
			Counts: usage.Counts{Requests: r.Requests, Errors: r.Errors, Limited: r.Limited},
		}
	}
	return list, nil
}

// purgeStep is how many rows one transaction deletes: few enough that nobody who
// waits behind it waits ten milliseconds.
const purgeStep = 200

// Retention is how long what may be forgotten is kept.
type Retention struct {
	Entries time.Duration // audit entries that are not changes
	Usage   time.Duration // usage counters
}

// Purge deletes what is over at now: expired tokens, secrets, sessions, links and
// ceremonies, page keys past
// their use, and entries and usage past their retention. It works in small steps,
// each its own transaction, and returns how many rows went.
func (s *Store) Purge(ctx context.Context, now time.Time, keep Retention) (int64, error) {
	// An entry id of that moment with nothing random in it sorts before all later ones.
	oldest, err := ident.NewEntryID(now.Add(-keep.Entries), zeroes{})
	if err != nil {
		return 0, err
	}
	var total int64
	for _, step := range []func(context.Context, *tx) (int64, error){
		func(ctx context.Context, t *tx) (int64, error) { return t.PurgeTokens(ctx, micros(now), purgeStep) },
		func(ctx context.Context, t *tx) (int64, error) { return t.PurgeSecrets(ctx, micros(now), purgeStep) },
		func(ctx context.Context, t *tx) (int64, error) { return t.PurgeSessions(ctx, micros(now), purgeStep) },
		func(ctx context.Context, t *tx) (int64, error) { return t.PurgeLinks(ctx, micros(now), purgeStep) },
		func(ctx context.Context, t *tx) (int64, error) { return t.PurgeCeremonies(ctx, micros(now), purgeStep) },
		func(ctx context.Context, t *tx) (int64, error) {
			return t.PurgePageKeys(ctx, micros(now.Add(-page.KeyLifetime)))
		},
		func(ctx context.Context, t *tx) (int64, error) { return t.PurgeEntries(ctx, string(oldest), purgeStep) },
		func(ctx context.Context, t *tx) (int64, error) {
			return t.PurgeUsage(ctx, now.Add(-keep.Usage).Unix(), purgeStep)
		},
		func(ctx context.Context, t *tx) (int64, error) {
			_, err := t.PurgeMarks(ctx, micros(time.Now().Add(-marksKept))) // of ours, and not what anybody counts
			return 0, err
		},
	} {
		n, err := s.purgeAll(ctx, step)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// purgeAll repeats a step until it no longer deletes a full measure.
func (s *Store) purgeAll(ctx context.Context, step func(context.Context, *tx) (int64, error)) (int64, error) {
	var total int64
	for {
		var n int64
		err := s.free(ctx, "purge", func(ctx context.Context, t *tx) error {
			got, err := step(ctx, t)
			n = max(n, got) // an earlier run may have been the one
			return err
		})
		total += n
		if err != nil || n < purgeStep {
			return total, err
		}
	}
}

// zeroes reads as endless zero bytes.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
