package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/usage"
)

func number(t *testing.T, db *sql.DB, query string) (n int64) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPurgeKeepsUp issues tokens at a steady rate for hours of a simulated clock, purged
// on the server's schedule. What is stored stops growing.
func TestPurgeKeepsUp(t *testing.T) {
	t.Parallel()
	const (
		lifetime = 900 * time.Second
		step     = lifetime / 40 // between two purges
		each     = 15            // tokens a step
		hours    = 2
		keep     = 20 * time.Minute
	)
	s := openTemp(t)
	pragma(t, s, "synchronous = OFF") // it is not durability that is measured
	account := newAccount(t, s)
	db := raw(t, file(s).path())
	most, perSecond := int64(0), float64(each)/step.Seconds()
	var settled int64
	for now, n := morning, 0; now.Before(morning.Add(hours * time.Hour)); now = now.Add(step) {
		issueMany(t, s, now, n, each)
		n += each
		most = max(most, number(t, db, "SELECT count(*) FROM tokens"))
		if _, err := s.Purge(t.Context(), now, Retention{Entries: keep, Usage: keep}); err != nil {
			t.Fatal(err)
		}
		if now.Before(morning.Add(60 * time.Minute)) {
			settled = number(t, db, "PRAGMA page_count")
		}
	}
	if limit := int64(lifetime.Seconds() * perSecond * 1.05); most > limit {
		t.Errorf("there were up to %d tokens, want at most %d", most, limit)
	}
	if pages := number(t, db, "PRAGMA page_count"); pages > settled+settled/50 {
		t.Errorf("the file grew from %d pages to %d after everything had been purged once", settled, pages)
	}
	for query, limit := range map[string]float64{
		"SELECT count(*) FROM audit_entries WHERE chained = 0": (keep + step).Seconds() * perSecond,
		"SELECT count(*) FROM usage_hours":                     float64(2 * each),
	} {
		if n := number(t, db, query); float64(n) > limit*1.05 {
			t.Errorf("%s: got %d, want at most %.0f", query, n, limit)
		}
	}
	if report, err := audit.Verify(t.Context(), s, account); err != nil || len(report.Problems) > 0 || report.Changes != 1 {
		t.Errorf("the record: got %+v and error %v, want its one change kept", report, err)
	}
}

// issueMany adds tokens as the service does, many in one commit.
func issueMany(t *testing.T, s *Store, now time.Time, from, n int) {
	t.Helper()
	caller := access.Caller{Kind: access.Application, Account: "ACCOUNT", Client: "C"}
	done := make(chan error)
	for i := from; i < from+n; i++ {
		tok := oauth.Token{
			Hash: oauth.HashOf(string(binary.BigEndian.AppendUint64(nil, uint64(i)))), Client: "C", Secret: "S",
			IssueTime: now, ExpireTime: now.Add(900 * time.Second),
		}
		e := audit.New(caller, "ACCOUNT", audit.TokenIssue, "", audit.Done, now)
		go func() { done <- s.AddToken(t.Context(), tok, e, audit.Head{}) }()
	}
	row := usage.Row{
		Key:    usage.Key{Hour: now.Truncate(time.Hour), Account: "ACCOUNT", Client: "C", UserAgent: fmt.Sprint("agent ", from%(2*n))},
		Counts: usage.Counts{Requests: int64(n)},
	}
	go func() { done <- s.AddUsage(t.Context(), []usage.Row{row}) }()
	for range n + 1 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestPurgeWorksInSmallSteps: each step is a transaction of its own, and none deletes
// more than it was told to.
func TestPurgeWorksInSmallSteps(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	newAccount(t, s)
	issueMany(t, s, morning, 0, 20)
	deleted := []int64{purgeStep, purgeStep, purgeStep - 1}
	var ran []*tx
	total, err := s.purgeAll(t.Context(), func(_ context.Context, t *tx) (int64, error) {
		ran = append(ran, t)
		return deleted[len(ran)-1], nil
	})
	if err != nil || total != 3*purgeStep-1 || len(ran) != 3 || ran[0] == ran[1] || ran[1] == ran[2] {
		t.Errorf("got %d rows in %d steps (%v), want %d in 3 transactions", total, len(ran), err, 3*purgeStep-1)
	}
	for name, purge := range map[string]func(context.Context, *tx) (int64, error){
		"tokens": func(ctx context.Context, t *tx) (int64, error) {
			return t.PurgeTokens(ctx, micros(morning.Add(time.Hour)), 7)
		},
		"entries": func(ctx context.Context, t *tx) (int64, error) { return t.PurgeEntries(ctx, "~", 7) },
	} {
		err := s.free(t.Context(), "test", func(ctx context.Context, tx *tx) error {
			if n, err := purge(ctx, tx); n != 7 || err != nil {
				t.Errorf("%s: got %d rows and error %v, want 7", name, n, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
