package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/rollcall-id/rollcall/internal/terminal"
)

// Manner is how a run over people is done.
type Manner struct {
	DryRun  bool   `help:"Show what would happen, to whom it can't, and why; nothing is done, unless you are at a terminal and then say yes."`
	Yes     bool   `help:"Do not ask." short:"y"`
	Journal string `help:"New file that records the run, to resume and undo it. Without it, one in the user's state folder." placeholder:"FILE"`
	Output  string `help:"How people are printed: ${enum}." enum:"table,jsonl" default:"table" placeholder:"FORMAT"`
}

// Selection is whom a run is over.
type Selection struct {
	Who    []string `arg:"" optional:"" help:"Ids or e-mail addresses; - reads them from standard input."`
	File   string   `help:"File of people: CSV with a column id or email, JSON with such fields as an array or a line each, or one a line. - is standard input." short:"f" placeholder:"FILE"`
	Resume string   `help:"Go on with the run of this journal, with all who are not done." placeholder:"JOURNAL"`
}

const bulkHelp = `With more than one person, or a file, you are asked first. E-mail addresses are looked for by one walk through the list of all people. A run that is interrupted, also by loss of power, goes on with --resume; 'rollcall users undo' takes it back. The exit status is 1 if somebody failed.
`

// UsersSuspend suspends people.
type UsersSuspend struct {
	Selection
	Manner
}

// Help gives examples.
func (UsersSuspend) Help() string {
	return bulkHelp + `
	rollcall users suspend eve@example.com
	rollcall users suspend --file leavers.csv --dry-run
	rollcall users suspend -f leavers.csv --yes --journal leavers.jsonl
	rollcall users suspend --resume leavers.jsonl`
}

// Run suspends them.
func (cmd *UsersSuspend) Run(ctx context.Context, e *Env, users *Users) error {
	return users.act(ctx, e, suspend, &cmd.Selection, &cmd.Manner)
}

// UsersReactivate reactivates people.
type UsersReactivate struct {
	Selection
	Manner
}

// Help gives examples.
func (UsersReactivate) Help() string {
	return bulkHelp + `
	rollcall users reactivate eve@example.com
	rollcall users reactivate - --yes --output jsonl`
}

// Run reactivates them.
func (cmd *UsersReactivate) Run(ctx context.Context, e *Env, users *Users) error {
	return users.act(ctx, e, reactivate, &cmd.Selection, &cmd.Manner)
}

// UsersUndo takes back a run.
type UsersUndo struct {
	Of string `arg:"" name:"run" help:"Journal of the run to take back."`
	Manner
}

// Help gives examples.
func (UsersUndo) Help() string {
	return `Only those are changed whom the run changed: who was suspended before it stays so. It is a run with a journal of its own.

	rollcall users undo leavers.jsonl --dry-run
	rollcall users undo leavers.jsonl`
}

// Run takes it back.
func (cmd *UsersUndo) Run(ctx context.Context, e *Env, users *Users) error {
	j, err := loadJournal(cmd.Of)
	if err != nil {
		return err
	}
	return users.connected(ctx, e, func(s *session) error {
		if err := j.fits(s.connection); err != nil {
			return err
		}
		look := &lookup{session: s}
		p, err := planUndo(j, cmd.Of, func(e entry) (person, error) {
			someone, err := look.find(ctx, name{id: e.id})
			if someone.Email == "" {
				someone.Email = e.email
			}
			return someone, err
		})
		if err != nil {
			return interrupted(ctx, err, "nothing was changed")
		}
		return cmd.carryOut(ctx, s, p, true)
	})
}

func (u *Users) act(ctx context.Context, e *Env, a action, who *Selection, how *Manner) error {
	if who.Resume != "" {
		if len(who.Who) > 0 || who.File != "" || how.Journal != "" || how.DryRun {
			return terminal.Misused("--resume goes on with the people and the journal of an earlier run: leave out other people, --journal and --dry-run")
		}
		return u.connected(ctx, e, func(s *session) error { return how.resume(ctx, s, a, who.Resume) })
	}
	names, err := e.readNames(who.Who, who.File)
	if err != nil {
		return err
	}
	return u.connected(ctx, e, func(s *session) error {
		people, err := s.find(ctx, names)
		if err != nil {
			return interrupted(ctx, err, "nothing was changed")
		}
		many := len(names) > 1 || len(who.Who) == 0 || who.Who[0] == "-"
		return how.carryOut(ctx, s, newPlan(a, people), many)
	})
}

// carryOut shows the plan, or asks and does it.
func (m *Manner) carryOut(ctx context.Context, s *session, p *plan, ask bool) (err error) {
	outliveReaders()
	if m.DryRun {
		goOn, err := m.preview(ctx, s, p)
		if err != nil || !goOn {
			return err
		}
		ask = false
	}
	r := s.env.newReport(p.action, m.Output)
	if ask && len(p.act) > 0 {
		if err := terminal.Confirm(ctx, s.env.Stdin, s.env.Stderr, m.Yes, p.consequence(s.connection)); err != nil {
			return err
		}
	}
	if err := p.tellRest(r); err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	if len(p.act) == 0 {
		r.summary()
		return r.verdict()
	}
	head := line{Action: p.action, BaseURL: s.baseURL, Account: s.account, Undoes: p.undoes}
	j, err := s.env.newJournal(m.Journal, head, p.entries())
	if err != nil {
		return err
	}
	return s.finish(ctx, j, r)
}

// preview shows what would happen. At a terminal it then asks whether it shall, which
// saves looking for everybody a second time; --yes answers no such question.
func (m *Manner) preview(ctx context.Context, s *session, p *plan) (goOn bool, err error) {
	r := s.env.newReport(p.action, m.Output)
	if err := p.preview(r); err != nil {
		return false, err
	}
	r.summary()
	if len(p.act) > 0 && !m.Yes && terminal.IsTerminal(s.env.Stdin) {
		question := fmt.Sprintf("This was a dry run. Shall they now be %s in account %s at %s? (people: %d)",
			p.action.past(), terminal.Visible(s.account), terminal.Visible(s.baseURL), len(p.act))
		err := terminal.Confirm(ctx, s.env.Stdin, s.env.Stderr, false, question)
		if err == nil {
			return true, nil
		}
		fmt.Fprintln(s.env.Stderr, "Nothing was changed.")
	}
	return false, r.verdict()
}

// resume goes on with an earlier run, which was agreed to then.
func (m *Manner) resume(ctx context.Context, s *session, a action, path string) error {
	outliveReaders()
	j, err := s.env.resumeJournal(path)
	if err != nil {
		return err
	}
	err = j.fits(s.connection)
	if j.run.Action != a {
		err = fmt.Errorf("the journal is of a run of %s: type %s", j.run.Action, s.commandOn(string(j.run.Action)+" --resume", path))
	}
	if err != nil {
		return errors.Join(err, j.close())
	}
	return s.finish(ctx, j, s.env.newReport(a, m.Output))
}

// outliveReaders makes writing to who has gone, as head does, an error like any other: the process would end without a
// word about where the run stands.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }

// finish performs the run of a journal, and tells how it ended.
func (s *session) finish(ctx context.Context, j *journalFile, r *report) error {
	made := &run{session: s, journal: j, report: r}
	err := errors.Join(made.perform(ctx), j.close())
	r.summary()
	if err != nil {
		return err
	}
	if err := r.verdict(); err != nil {
		return &explained{err, made.goOn()}
	}
	fmt.Fprintln(s.env.Stderr, terminal.Visible(made.goOn()))
	return nil
}
