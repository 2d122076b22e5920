package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rollcall-id/rollcall/internal/terminal"
)

// fate is what becomes of a person in a run.
type fate string

const (
	fateDone    fate = "done"
	fateWould   fate = "would"
	fateAlready fate = "already"
	fateNot     fate = "impossible" // known before anything was tried
	fateFailed  fate = "failed"
	fateUnknown fate = "unknown" // it may have been done
)

// words are how a fate is told to people.
func (a action) words(f fate) string {
	switch f {
	case fateDone:
		return a.past()
	case fateWould:
		return "would be " + a.past()
	case fateAlready:
		return a.already()
	case fateNot:
		return "not possible"
	case fateUnknown:
		return "not known"
	}
	return "failed"
}

// report prints a line a person, and counts.
type report struct {
	out    io.Writer
	env    *Env
	lines  bool // JSON lines
	action action
	counts map[fate]int
}

func (e *Env) newReport(a action, format string) *report {
	return &report{out: e.Stdout, env: e, lines: format == asLines, action: a, counts: map[fate]int{}}
}

func (r *report) tell(f fate, p person, detail string) error {
	r.counts[f]++
	text := fmt.Sprintf("%-20s  %s", r.action.words(f), p)
	if detail != "" {
		text += ": " + detail
	}
	text = terminal.Visible(text)
	if r.lines {
		var err error
		if text, err = terminal.Encode(r.view(f, p, detail)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(r.out, text+"\n")
	return err
}

// view is a person of a run in JSON.
func (r *report) view(f fate, p person, detail string) any {
	v := struct {
		Action  action `json:"action"`
		Outcome fate   `json:"outcome"`
		ID      string `json:"id,omitempty"`
		Email   string `json:"email,omitempty"`
		Detail  string `json:"detail,omitempty"`
	}{r.action, f, p.ID, p.Email, detail}
	if v.ID == "" {
		v.ID, v.Email = p.name.id, p.name.email
	}
	return v
}

// summary tells how many had which fate.
func (r *report) summary() {
	var parts []string
	for _, f := range []fate{fateDone, fateWould, fateAlready, fateNot, fateUnknown, fateFailed} {
		if n := r.counts[f]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", r.action.words(f), n))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to do"}
	}
	fmt.Fprintln(r.env.Stderr, strings.Join(parts, ", "))
}

// errNotAll is the end of a run in which something failed.
var errNotAll = errors.New("not everybody")

// verdict is an error if somebody failed.
func (r *report) verdict() error {
	if r.counts[fateNot]+r.counts[fateFailed]+r.counts[fateUnknown] > 0 {
		return fmt.Errorf("%w can be %s: the lines above say why", errNotAll, r.action.past())
	}
	return nil
}
