package oauth

import (
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
)

// Act is what a Store does to an application once it is decided.
type Act uint8

// The acts. The list is closed.
const (
	Keep      Act = iota // nothing
	Replace              // write the fields and the state of Decision.Application
	Renew                // Decision.Secret becomes the current one, the others end at OverlapEnd
	EndTokens            // every token there is, or for which the secret has been shown, ends
	Remove               // the application, its secrets and its tokens
)

// Decision is what is to happen to an application.
type Decision struct {
	Act Act
	// Application is as decided; once it is committed, as it is stored (for Remove, as it was).
	Application Application
	Secret      Secret    // for Renew
	OverlapEnd  time.Time // for Renew
	Entry       audit.Entry
	// Refusal is why nothing happens; only the entry is written.
	Refusal error
}

// Patch names the fields to be changed; nil leaves one as it is.
type Patch struct {
	Name, Description, RedirectURL *string
	Permissions                    *access.Set
}

// Apply sets the fields that p names.
func (p Patch) Apply(a *Application) {
	for _, f := range []struct {
		to   *string
		from *string
	}{{&a.Name, p.Name}, {&a.Description, p.Description}, {&a.RedirectURL, p.RedirectURL}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if p.Permissions != nil {
		a.Permissions = *p.Permissions
	}
}

// NotFoundMessage is the answer for an application that is not there, or is elsewhere.
const NotFoundMessage = "there is no such application"

func noApplication() error { return fault.NotFound(NotFoundMessage) }

// beyond refuses a caller who would manage more than they hold themselves.
func beyond(lacking access.Set, e audit.Entry) Decision {
	e.Outcome = audit.Denied
	return Decision{Entry: e.With("the caller lacks " + lacking.String() + " itself"), Refusal: fault.Forbidden(access.Denied)}
}

// update decides about a patch. What is wrong with it writes no entry, as with any
// request that says nothing sensible.
func update(c access.Caller, a Application, p Patch, e audit.Entry) Decision {
	after := a
	p.Apply(&after)
	if err := after.Validate(); err != nil {
		return Decision{Refusal: err}
	}
	if lacking := c.Lacks(after.Permissions); lacking != 0 {
		return beyond(lacking, e)
	}
	changes := difference(a, after)
	if changes == "" {
		e.Outcome = audit.Unchanged
		return Decision{Application: a, Entry: e}
	}
	return Decision{Act: Replace, Application: after, Entry: e.WithChange(changes)}
}

func rotate(a Application, stored Secret, overlap time.Duration, e audit.Entry) Decision {
	if overlap > 0 && len(a.Secrets) >= MaxSecrets {
		return Decision{Refusal: fault.Precondition(
			"the application has %d secrets that still work: wait until one is over, or rotate with an overlap of 0s", len(a.Secrets))}
	}
	return Decision{
		Act: Renew, Application: a, Secret: stored, OverlapEnd: stored.CreateTime.Add(overlap),
		Entry: e.With("overlap " + overlap.String()),
	}
}

func setState(a Application, state ApplicationState, e audit.Entry) Decision {
	if a.State == state {
		e.Outcome = audit.Unchanged
		return Decision{Application: a, Entry: e}
	}
	a.State = state
	return Decision{Act: Replace, Application: a, Entry: e}
}

// summary is what the record tells of an application that comes or goes.
func (a Application) summary() string { return fmt.Sprintf("%s: %s", a.Name, a.Permissions) }

// difference tells what an update changes, from what to what; "" if nothing. What
// matters most comes first.
func difference(before, after Application) string {
	var changes []string
	for _, f := range []struct{ name, before, after string }{
		{"permissions", before.Permissions.String(), after.Permissions.String()},
		{"name", before.Name, after.Name},
		{"redirect_url", before.RedirectURL, after.RedirectURL},
		{"description", before.Description, after.Description},
	} {
		if f.before != f.after {
			changes = append(changes, fmt.Sprintf("%s: %q -> %q", f.name, f.before, f.after))
		}
	}
	return strings.Join(changes, "; ")
}
