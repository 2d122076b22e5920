package audit

import (
	"time"

	"github.com/rollcall-id/rollcall/internal/ident"
)

// Query says which entries of an account are wanted: those that fit all that is given. Zero
// fields mean any.
type Query struct {
	Actor   string // client id, user id or login name
	Target  string
	Action  Action
	Outcome Outcome
	From    time.Time // that moment or later
	Until   time.Time // before that moment
	// Before goes on behind an entry, towards older ones: Found.ExaminedTo of the page before.
	Before ident.EntryID
	Limit  int // 1 to MaxPage; 0 = DefaultPage
	// Examine is how many entries are looked at, up to MaxExamined, which 0 stands for: fewer
	// for what stands beside other things on a page.
	Examine int
}

// Bounds of a page of entries.
const (
	DefaultPage = 50
	MaxPage     = 500
	// MaxExamined is how many entries are looked at for one page.
	MaxExamined = 8000
)

// Found is one page of entries, the newest first.
type Found struct {
	Entries []Entry
	// More tells that older entries have not been looked at, and ExaminedTo where to go on. A
	// page looks at MaxExamined entries at most: it may be short, or empty, though more follow.
	More       bool
	ExaminedTo ident.EntryID
}

// Fits tells whether an entry is among those wanted, but for Before and Limit.
func (q Query) Fits(e Entry) bool {
	return (q.Actor == "" || e.Actor == q.Actor) && (q.Target == "" || e.Target == q.Target) &&
		(q.Action == "" || e.Action == q.Action) && (q.Outcome == "" || e.Outcome == q.Outcome) &&
		(q.From.IsZero() || !e.At.Before(q.From)) && (q.Until.IsZero() || e.At.Before(q.Until))
}
