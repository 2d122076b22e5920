package cli

import (
	"fmt"
	"strings"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// plan is what is going to be done to whom, and to whom nothing is.
type plan struct {
	action  action
	act     []person
	already []person // in the state already
	cannot  []person // have a problem
	undoes  string   // the journal that this takes back
}

// newPlan takes everybody once, by whatever names they came.
func newPlan(a action, people []person) *plan {
	p := &plan{action: a}
	seen := map[string]bool{}
	for _, someone := range people {
		switch {
		case someone.problem != "":
			p.cannot = append(p.cannot, someone)
		case seen[someone.ID]:
		case someone.State == a.aim():
			p.already = append(p.already, someone)
		default:
			p.act = append(p.act, someone)
		}
		if someone.problem == "" {
			seen[someone.ID] = true
		}
	}
	return p
}

func (p *plan) entries() []entry {
	entries := make([]entry, len(p.act))
	for i, someone := range p.act {
		entries[i] = entry{id: someone.ID, email: someone.Email, before: someone.State}
	}
	return entries
}

// mostNamed is how many people a question names.
const mostNamed = 20

// consequence is what to ask about, safe to print.
func (p *plan) consequence(c connection) string {
	var named []string
	for _, someone := range p.act[:min(len(p.act), mostNamed)] {
		named = append(named, "  "+terminal.Visible(someone.String()))
	}
	if more := len(p.act) - mostNamed; more > 0 {
		named = append(named, fmt.Sprintf("  and %d more: --dry-run shows all", more))
	}
	text := fmt.Sprintf("These will be %s in account %s at %s: %d\n%s", p.action.past(), terminal.Visible(c.account), terminal.Visible(c.baseURL), len(p.act), strings.Join(named, "\n"))
	if len(p.already) > 0 {
		text += fmt.Sprintf("\n%s: %d", p.action.already(), len(p.already))
	}
	if len(p.cannot) > 0 {
		text += fmt.Sprintf("\nnot possible: %d", len(p.cannot))
	}
	for _, someone := range p.cannot[:min(len(p.cannot), mostNamed)] {
		text += "\n  " + terminal.Visible(someone.String()+": "+someone.problem)
	}
	return text
}

// preview tells what would happen.
func (p *plan) preview(r *report) error {
	for _, someone := range p.act {
		detail := ""
		if someone.State == "" {
			detail = "the application may not look whether they are " + p.action.already() + ", so that this could not be undone"
		}
		if err := r.tell(fateWould, someone, detail); err != nil {
			return err
		}
	}
	return p.tellRest(r)
}

// tellRest tells of those to whom nothing is done.
func (p *plan) tellRest(r *report) error {
	for _, someone := range p.already {
		if err := r.tell(fateAlready, someone, ""); err != nil {
			return err
		}
	}
	for _, someone := range p.cannot {
		if err := r.tell(fateNot, someone, someone.problem); err != nil {
			return err
		}
	}
	return nil
}

// planUndo is the plan that takes back what a run changed: of people who were in the
// other state before, those it surely acted on and those it may have acted on.
func planUndo(j *journal, path string, current func(entry) (person, error)) (*plan, error) {
	inverse := j.run.Action.inverse()
	var people []person
	for _, e := range j.people {
		if e.result != resultDone && !e.doubtful() {
			continue
		}
		p, err := current(e)
		if err != nil {
			return nil, err
		}
		switch {
		case p.problem != "" || p.State == inverse.aim():
		case e.before != inverse.aim():
			p.problem = "it is not known in what state they were before: " + orUnknown(e.before)
		case p.State == "" && e.doubtful():
			p.problem = "it is not known whether the run reached them, and the application may not look"
		}
		people = append(people, p)
	}
	p := newPlan(inverse, people)
	p.undoes = path
	return p, nil
}

func orUnknown(s client.State) string {
	if s == "" {
		return "the application could not look"
	}
	return string(s)
}
