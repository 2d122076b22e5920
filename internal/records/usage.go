package records

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// UsageByHour returns an account's counters of the last hours (1 to MaxHours, the running
// one included), by hour, then application; the User-Agent is left out and what is counted
// under several is summed. It takes ReadApplications.
func (s *Service) UsageByHour(ctx context.Context, c access.Caller, account ident.AccountID, hours int) ([]usage.Row, error) {
	return s.usage(ctx, c, account, hours, func(hour time.Time) ([]usage.Row, error) {
		return s.Store.UsageOfHour(ctx, account, hour)
	})
}

// UsageByAgent returns an application's counters of the last hours, by hour, then
// User-Agent. It takes ReadApplications.
func (s *Service) UsageByAgent(ctx context.Context, c access.Caller, account ident.AccountID, client ident.ClientID, hours int) ([]usage.Row, error) {
	if !ident.Possible(string(client)) {
		client = "-"
	}
	return s.usage(ctx, c, account, hours, func(hour time.Time) ([]usage.Row, error) {
		return s.Store.UsageOfClient(ctx, account, client, hour)
	})
}

func (s *Service) usage(ctx context.Context, c access.Caller, account ident.AccountID, hours int, of func(time.Time) ([]usage.Row, error)) ([]usage.Row, error) {
	if err := s.may(ctx, c, account, access.ReadApplications, audit.UsageRead); err != nil {
		return nil, err
	}
	if hours < 1 || hours > MaxHours {
		return nil, fault.Invalid("usage is told of the last 1 to %d hours", MaxHours)
	}
	var all []usage.Row
	first := s.Now().UTC().Truncate(time.Hour).Add(-time.Duration(hours-1) * time.Hour)
	for i := range hours {
		rows, err := of(first.Add(time.Duration(i) * time.Hour))
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

// maxTokens is how many live tokens of anybody are looked at to count one application's.
const maxTokens = 10_000

// LiveTokens counts the tokens of an application that count now; all is false where there
// are so many in the database that only some were looked at, and n is the least there are. It
// takes ReadApplications.
func (s *Service) LiveTokens(ctx context.Context, c access.Caller, account ident.AccountID, client ident.ClientID) (n int, all bool, err error) {
	if err := s.may(ctx, c, account, access.ReadApplications, audit.UsageRead); err != nil {
		return 0, false, err
	}
	if !ident.Possible(string(client)) {
		return 0, true, nil
	}
	if has, err := s.Store.HasClient(ctx, account, client); err != nil || !has {
		return 0, true, err
	}
	return s.Store.LiveTokens(ctx, client, s.Now(), maxTokens)
}
