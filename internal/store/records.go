package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/store/internal/sqlgen"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// The first stretch of entries that is looked through is short, for most looks find what
// they want there; each next one is longer.
const (
	firstStretch  = 200
	stretchGrowth = 4
)

// FindEntries implements records.Store. Entries are looked through in stretches, each of
// which the database sifts by itself: handing rows over costs far more than passing over them.
func (s *Store) FindEntries(ctx context.Context, account ident.AccountID, q audit.Query, examine int) (audit.Found, error) {
	before, oldest, err := entryRange(q)
	if err != nil {
		return audit.Found{}, classify("find audit entries", err)
	}
	var f sieve
	for stretch := firstStretch; ; stretch *= stretchGrowth {
		stretch = min(stretch, examine)
		rows, err := s.reads.FindEntries(bounded(ctx), sqlgen.FindEntriesParams{
			AccountID: string(account), Before: before, Oldest: oldest, Examine: int64(stretch),
			Actor: q.Actor, Target: q.Target, Action: string(q.Action), Outcome: string(q.Outcome),
		})
		if err != nil {
			return f.Found, classify("find audit entries", err)
		}
		seen, err := s.reads.EntriesExamined(bounded(ctx), sqlgen.EntriesExaminedParams{
			AccountID: string(account), Before: before, Oldest: oldest, Examine: int64(stretch),
		})
		if err != nil {
			return f.Found, classify("find audit entries", err)
		}
		if f.add(entries(rows), q) {
			return f.Found, nil
		}
		f.ExaminedTo, f.More = ident.EntryID(seen.OldestID), seen.Entries == int64(stretch)
		if examine -= stretch; examine <= 0 || !f.More {
			return f.Found, nil
		}
		before = seen.OldestID
	}
}

// sieve gathers what fits.
type sieve struct{ audit.Found }

// add takes the entries of one stretch and tells whether the page is full.
func (f *sieve) add(list []audit.Entry, q audit.Query) bool {
	slices.SortFunc(list, func(a, b audit.Entry) int { return -strings.Compare(string(a.ID), string(b.ID)) })
	for _, e := range list {
		if !q.Fits(e) {
			continue // within the millisecond in which the time asked for begins or ends
		}
		if len(f.Entries) == q.Limit {
			f.ExaminedTo, f.More = f.Entries[q.Limit-1].ID, true
			return true
		}
		f.Entries = append(f.Entries, e)
	}
	return false
}

// entryRange turns times into ids, which begin with theirs to the millisecond.
func entryRange(q audit.Query) (before, oldest string, err error) {
	before = "~" // after every entry id
	if !q.Until.IsZero() {
		id, err := ident.NewEntryID(q.Until.Add(time.Millisecond), zeroes{})
		if err != nil {
			return "", "", fault.Invalid("times must lie between 1970 and 9999")
		}
		before = string(id)
	}
	if q.Before != "" {
		before = min(before, string(q.Before))
	}
	if !q.From.IsZero() {
		id, err := ident.NewEntryID(q.From, zeroes{})
		if err != nil {
			return "", "", fault.Invalid("times must lie between 1970 and 9999")
		}
		oldest = string(id)
	}
	return before, oldest, nil
}

// UsageOfHour implements records.Store.
func (s *Store) UsageOfHour(ctx context.Context, account ident.AccountID, hour time.Time) ([]usage.Row, error) {
	rows, err := s.reads.UsageOfHour(bounded(ctx), hour.Unix(), string(account))
	list := make([]usage.Row, len(rows))
	for i, r := range rows {
		list[i] = usage.Row{
			Key:    usage.Key{Hour: hour, Account: account, Client: ident.ClientID(r.ClientID)},
			Counts: usage.Counts{Requests: r.Requests, Errors: r.Errors, Limited: r.Limited},
		}
	}
	return list, classify("read usage", err)
}

// UsageOfClient implements records.Store.
func (s *Store) UsageOfClient(ctx context.Context, account ident.AccountID, client ident.ClientID, hour time.Time) ([]usage.Row, error) {
	rows, err := s.reads.UsageOfClient(bounded(ctx), hour.Unix(), string(account), string(client))
	list := make([]usage.Row, len(rows))
	for i, r := range rows {
		list[i] = usage.Row{
			Key:    usage.Key{Hour: hour, Account: account, Client: client, UserAgent: r.UserAgent},
			Counts: usage.Counts{Requests: r.Requests, Errors: r.Errors, Limited: r.Limited},
		}
	}
	return list, classify("read usage", err)
}

// HasClient implements records.Store.
func (s *Store) HasClient(ctx context.Context, account ident.AccountID, client ident.ClientID) (bool, error) {
	r, err := s.reads.GetTokenEpoch(bounded(ctx), string(client))
	if err = missing(err, noToken); fault.KindOf(err) == fault.KindNotFound && err != nil {
		return false, nil
	}
	return r.AccountID == string(account), classify("read an application", err)
}

// LiveTokens implements records.Store.
func (s *Store) LiveTokens(ctx context.Context, client ident.ClientID, now time.Time, examine int) (int, bool, error) {
	app, err := s.reads.GetTokenEpoch(bounded(ctx), string(client))
	if err != nil {
		return 0, false, classify("count tokens", missing(err, noToken))
	}
	r, err := s.reads.CountLiveTokens(bounded(ctx), sqlgen.CountLiveTokensParams{
		ClientID: string(client), Epoch: app.TokenEpoch, Now: micros(now), Examine: int64(examine),
	})
	return int(r.Live), r.Examined < int64(examine), classify("count tokens", err)
}
