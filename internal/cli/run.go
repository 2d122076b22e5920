package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/client"
)

// run does something to the people of a journal, one after the other.
type run struct {
	*session
	journal *journalFile
	report  *report
}

// perform goes through the people who are not settled, until one error stops it that
// would meet the next one too.
func (r *run) perform(ctx context.Context) error {
	for _, e := range r.journal.people {
		if e.settled() {
			continue
		}
		if ctx.Err() != nil {
			return r.interrupted()
		}
		if err := r.attempt(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// attempt does it to one person. The error stops the run.
func (r *run) attempt(ctx context.Context, e entry) error {
	if err := r.journal.record(line{Kind: kindBegin, ID: e.id}); err != nil {
		return r.stopped(err) // a full disk, mostly
	}
	did := r.journal.run.Action
	u, err := did.do(ctx, r.session, e.id)
	if err != nil && ctx.Err() != nil {
		return r.interrupted() // that it has no end says that it is not known
	}
	if err == nil && u.State != did.aim() {
		err = fmt.Errorf("the server answered that they are %q", u.State)
	}
	result, fate := judge(err)
	l := line{Kind: kindEnd, ID: e.id, Result: result}
	if err != nil {
		l.Detail = reason(err)
	}
	if err := r.journal.record(l); err != nil {
		return r.stopped(err)
	}
	someone := person{User: client.User{ID: e.id, Email: e.email}}
	if stops(err) { // what to do about it comes with the end of the run
		return errors.Join(r.report.tell(fate, someone, l.Detail), r.stopped(err))
	}
	if err := r.report.tell(fate, someone, r.advised(l.Detail, err)); err != nil {
		return r.stopped(err) // nobody would see what is done to the others
	}
	return nil
}

// reason is the server's refusal without what the line around it says already.
func reason(err error) string {
	var refused *client.Error
	if errors.As(err, &refused) {
		return refused.Error()
	}
	return plain(err)
}

func (r *run) advised(detail string, err error) string {
	if hint := r.hint(err); hint != "" {
		return detail + "; " + hint
	}
	return detail
}

// judge tells whether an error means that nothing was done, or that it is not known.
func judge(err error) (result, fate) {
	var refused *client.Error
	switch {
	case err == nil:
		return resultDone, fateDone
	case errors.Is(err, client.ErrUnavailable), errors.Is(err, client.ErrInternal), errors.Is(err, client.ErrUnexpected):
		return resultUnknown, fateUnknown
	case errors.As(err, &refused), errors.Is(err, client.ErrInvalidArgument):
		return resultRefused, fateFailed
	}
	return resultUnknown, fateUnknown
}

// stops tells whether an error would meet the next person too.
func stops(err error) bool {
	var refused *client.Error
	if errors.Is(err, client.ErrPermissionDenied) {
		// Other words may be about this person alone.
		return errors.As(err, &refused) && refused.Message == api.MessagePermissionDenied
	}
	for _, reason := range []error{
		client.ErrUnauthenticated, client.ErrUnknownRoute, client.ErrRedirect, client.ErrUnexpected,
		client.ErrRateLimited, client.ErrUnavailable, client.ErrConnection, client.ErrClosed,
	} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

func (r *run) interrupted() error {
	return &explained{&interruption{r.standing()}, r.goOn()}
}

func (r *run) stopped(err error) error {
	hint := r.goOn()
	if more := r.hint(err); more != "" {
		hint = more + "\n" + hint
	}
	return &explained{&stop{r.standing(), err}, hint}
}

// stop is an error that ended a run.
type stop struct {
	standing string
	reason   error
}

func (s *stop) Error() string { return "stopped: " + s.standing + ": " + plain(s.reason) }

func (s *stop) Unwrap() error { return s.reason }

func (r *run) done() (n int) {
	for _, e := range r.journal.people {
		if e.settled() {
			n++
		}
	}
	return n
}

func (r *run) standing() string {
	return fmt.Sprintf("%d of %d people are %s", r.done(), len(r.journal.people), r.journal.run.Action.past())
}

// goOn says how to go on, if there is anything left, and how to go back, if anything
// may have been done.
func (r *run) goOn() string {
	var hints []string
	if r.done() < len(r.journal.people) {
		hints = append(hints, "go on with:   "+r.command(string(r.journal.run.Action)+" --resume"))
	}
	if slices.ContainsFunc(r.journal.people, func(e entry) bool { return e.settled() || e.doubtful() }) {
		hints = append(hints, "take it back: "+r.command("undo"))
	}
	return strings.Join(hints, "\n")
}

// commandOn is a command on a journal, to be typed.
func (c connection) commandOn(words, path string) string {
	text := "rollcall users " + words + " " + shellWord(path)
	if c.from != "" && c.from != defaultProfile {
		text += " --profile " + c.from
	}
	return text
}

func (r *run) command(words string) string { return r.commandOn(words, r.journal.path) }

// shellWord quotes what a POSIX shell would take for more than a word.
func shellWord(s string) string {
	safe := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("_./-+:@%", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !safe(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
