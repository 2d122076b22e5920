package views

import "time"

// Record is the audit log.
type Record struct {
	Frame
	Actor, Target, Action, Outcome, From, Until Field
	Errors                                      []FieldError
	Filtered                                    bool
	List                                        []Entry
	Pager                                       Pager
	// Gap tells how far a bounded look went when it found less than a page.
	Gap        string
	Export     string // path with the same filter
	Verify     string // path
	Verified   *Verified
	Persistent string
}

// Entry is one entry of the record.
type Entry struct {
	ID                 string
	At                 time.Time
	Tone, Outcome      string
	Title, Action      string
	Who, WhoKind       string
	WhoHref            string
	Target, TargetHref string
	Detail             string
	Address, Agent     string
	RequestID          string
	Count              int64
	Seq                int64
	Hash               string
	Chained            bool
}

// Verified is what checking the chain has found.
type Verified struct {
	Tone, Title, Text string
	Problems          []string
}
