// Package records owns reading back what is remembered: the audit record (found, exported,
// verified), and who used how much.
//
// It leaves writing to audit and usage, and what a page or a file looks like to its callers.
// What must always hold: nobody reads another account's record, and only with the
// permission for it; every look is bounded, in rows and in time, whatever is asked.
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

// Store reads. Failures are faults: Unavailable where trying again may help.
type Store interface {
	audit.Store
	audit.Reader

	// FindEntries looks at up to examine entries older than q.Before, in the bounds of time,
	// and returns those that fit, at most q.Limit, with how far it has looked.
	FindEntries(ctx context.Context, account ident.AccountID, q audit.Query, examine int) (audit.Found, error)
	// UsageOfHour returns an account's counters of one hour, by application.
	UsageOfHour(ctx context.Context, account ident.AccountID, hour time.Time) ([]usage.Row, error)
	// UsageOfClient returns an application's counters of one hour, by User-Agent.
	UsageOfClient(ctx context.Context, account ident.AccountID, client ident.ClientID, hour time.Time) ([]usage.Row, error)
	// LiveTokens counts an application's tokens that count at now, looking at up to examine
	// tokens of anybody; all tells whether that was enough.
	LiveTokens(ctx context.Context, client ident.ClientID, now time.Time, examine int) (n int, all bool, err error)
	// HasClient tells whether the account has the application.
	HasClient(ctx context.Context, account ident.AccountID, client ident.ClientID) (bool, error)
}

// Service is the use cases. Both fields are required.
type Service struct {
	Store Store
	Now   func() time.Time
}

// Bounds of what takes longer than a page.
const (
	// MaxExport is how many entries an export holds at most.
	MaxExport = 100_000
	// VerifyTime is how long a verification may take.
	VerifyTime = 20 * time.Second
	// MaxHours is how far back usage is told.
	MaxHours = 14 * 24
)

func (s *Service) may(ctx context.Context, c access.Caller, account ident.AccountID, p access.Permission, act audit.Action) error {
	return audit.Authorize(ctx, s.Store, c, account, p, act, "", s.Now().UTC().Truncate(time.Microsecond))
}

// Find returns one page of an account's entries, the newest first. It takes ReadAudit.
func (s *Service) Find(ctx context.Context, c access.Caller, account ident.AccountID, q audit.Query) (audit.Found, error) {
	if err := s.may(ctx, c, account, access.ReadAudit, audit.RecordRead); err != nil {
		return audit.Found{}, err
	}
	if q.Limit == 0 {
		q.Limit = audit.DefaultPage
	}
	if err := valid(q); err != nil {
		return audit.Found{}, err
	}
	examine := audit.MaxExamined
	if q.Examine > 0 {
		examine = min(q.Examine, examine)
	}
	return s.Store.FindEntries(ctx, account, q, examine)
}

// valid refuses what can't be meant, and what a database would refuse.
func valid(q audit.Query) error {
	if q.Limit < 1 || q.Limit > audit.MaxPage {
		return fault.Invalid("a page holds 1 to %d entries", audit.MaxPage)
	}
	if q.Before != "" && !ident.Possible(string(q.Before)) {
		return fault.Invalid("the place to go on from is not one of this record: begin again")
	}
	for _, f := range []struct{ what, text string }{
		{"actor", q.Actor}, {"target", q.Target}, {"action", string(q.Action)}, {"outcome", string(q.Outcome)},
	} {
		if err := ident.ValidateText(f.what, f.text, audit.MaxTarget, true); err != nil {
			return err
		}
	}
	for _, at := range []time.Time{q.From, q.Until} {
		if y := at.Year(); !at.IsZero() && (y < 1970 || y > 9999) {
			return fault.Invalid("times must lie between 1970 and 9999")
		}
	}
	return nil
}

// Export calls yield for the entries that fit, the newest first, at most MaxExport, until
// it returns an error; more tells that there are more. q.Limit is not looked at. It takes
// ReadAudit, and ends with ctx.
func (s *Service) Export(ctx context.Context, c access.Caller, account ident.AccountID, q audit.Query, yield func(audit.Entry) error) (more bool, err error) {
	if err := s.may(ctx, c, account, access.ReadAudit, audit.RecordRead); err != nil {
		return false, err
	}
	q.Limit = audit.MaxPage
	if err := valid(q); err != nil {
		return false, err
	}
	for n := 0; n < MaxExport; {
		if err := ctx.Err(); err != nil {
			return true, fault.Unavailable(0, err, "the export took too long: ask for a shorter time")
		}
		q.Limit = min(audit.MaxPage, MaxExport-n)
		found, err := s.Store.FindEntries(ctx, account, q, audit.MaxExamined)
		if err != nil {
			return true, err
		}
		for _, e := range found.Entries {
			if err := yield(e); err != nil {
				return true, err
			}
		}
		if n += len(found.Entries); !found.More {
			return false, nil
		}
		q.Before = found.ExaminedTo
	}
	return true, nil
}

// Verify checks an account's record (see audit.Verify) for at most VerifyTime: Unavailable
// if that is not enough, and then the command line can do it. It takes ReadAudit.
func (s *Service) Verify(ctx context.Context, c access.Caller, account ident.AccountID) (audit.Report, error) {
	if err := s.may(ctx, c, account, access.ReadAudit, audit.RecordRead); err != nil {
		return audit.Report{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, VerifyTime)
	defer cancel()
	report, err := audit.Verify(ctx, deadlined{s.Store, ctx}, account)
	if err != nil && ctx.Err() != nil {
		return report, fault.Unavailable(0, err, "the record is too long to be verified here: use 'rollcall admin audit verify'")
	}
	return report, err
}

// deadlined ends a walk whose time is up between two reads, whatever the store makes of
// the context.
type deadlined struct {
	audit.Reader
	until context.Context //nolint:containedctx // it lives as long as one call of Verify
}

// Entries implements audit.Reader.
func (d deadlined) Entries(ctx context.Context, account ident.AccountID, before ident.EntryID, limit int) ([]audit.Entry, error) {
	if err := d.until.Err(); err != nil {
		return nil, err
	}
	return d.Reader.Entries(ctx, account, before, limit)
}

// Chain implements audit.Reader.
func (d deadlined) Chain(ctx context.Context, account ident.AccountID, after int64) ([]audit.Entry, error) {
	if err := d.until.Err(); err != nil {
		return nil, err
	}
	return d.Reader.Chain(ctx, account, after)
}
