package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// person is somebody who was named, as far as they are known.
type person struct {
	name
	client.User        // its id is set unless there is a problem
	problem     string // why nothing can be done
}

// String names them for people.
func (p person) String() string {
	switch {
	case p.ID == "":
		return p.name.String()
	case p.Email == "":
		return p.ID
	}
	return p.Email + " (" + p.ID + ")"
}

// find finds everybody who was named: by one walk those named by e-mail address, one by
// one those who did not come by on it. Of an error, nothing is known.
func (s *session) find(ctx context.Context, names []name) ([]person, error) {
	met, err := s.walk(ctx, names)
	if err != nil {
		return nil, err
	}
	l := &lookup{session: s, met: met}
	people := make([]person, len(names))
	for i, n := range names {
		if people[i], err = l.find(ctx, n); err != nil {
			return nil, err
		}
	}
	return people, nil
}

// met are the people of a walk by what they may have been named by.
type met map[string][]client.User

func byID(id string) string { return "id " + id }

// byEmail is the form that is unique in an account (contract section 8).
func byEmail(email string) string { return "email " + strings.ToLower(email) }

// add keeps somebody if they were named.
func (m met) add(u client.User) (wanted bool) {
	for _, key := range []string{byID(u.ID), byEmail(u.Email)} {
		if _, named := m[key]; named {
			m[key] = append(m[key], u)
			wanted = true
		}
	}
	return wanted
}

// walk lists people until all who were named by e-mail address have been met, which are
// unique in an account. It lists nobody if there are none.
func (s *session) walk(ctx context.Context, names []name) (met, error) {
	m := met{}
	missing := map[string]bool{}
	for _, n := range names {
		if n.id != "" {
			m[byID(n.id)] = nil
			continue
		}
		// An id may have an @ too.
		m[byEmail(n.email)], m[byID(n.email)] = nil, nil
		missing[strings.ToLower(n.email)] = true
	}
	if len(missing) == 0 {
		return m, nil
	}
	bar := s.env.progress("looking for people")
	defer bar.end()
	for page, err := range s.Users.Pages(ctx, client.ListOptions{}) {
		if err != nil {
			return nil, fmt.Errorf("look for e-mail addresses: %w", err)
		}
		for _, u := range page.Users {
			if m.add(u) {
				delete(missing, strings.ToLower(u.Email))
				delete(missing, strings.ToLower(u.ID))
			}
		}
		if bar.add(len(page.Users)); len(missing) == 0 {
			break
		}
	}
	return m, nil
}

// lookup finds people of whom a walk may have met some.
type lookup struct {
	*session
	met    met
	denied bool // the application may not get people
}

func (l *lookup) find(ctx context.Context, n name) (person, error) {
	if n.id == "" {
		return l.byEmail(n), nil
	}
	p := person{name: n}
	if found := l.met[byID(n.id)]; len(found) > 0 {
		p.User = found[0]
		return p.checked(), nil
	}
	var err error
	if !l.denied {
		p.User, err = l.Users.Get(ctx, n.id)
	}
	switch {
	case errors.Is(err, client.ErrNotFound), errors.Is(err, client.ErrInvalidArgument):
		p.problem = plain(err)
	case errors.Is(err, client.ErrPermissionDenied), l.denied:
		// In an emergency, an application that may only suspend must do. In what
		// state somebody was is then not known, and not undone.
		l.denied = true
		p.User = client.User{ID: n.id, Email: n.email}
	case err != nil:
		return person{}, err
	}
	return p.checked(), nil
}

func (l *lookup) byEmail(n name) person {
	found := l.met[byEmail(n.email)]
	if len(found) == 0 {
		found = l.met[byID(n.email)]
	}
	p := person{name: n}
	switch len(found) {
	case 0:
		p.problem = "unknown: nobody has this e-mail address"
	case 1:
		p.User = found[0]
	default:
		p.problem = fmt.Sprintf("ambiguous: %d people have this e-mail address; name one by id", len(found))
	}
	return p
}

// checked has a problem where id and e-mail address name two people.
func (p person) checked() person {
	if p.problem == "" && p.name.email != "" && !strings.EqualFold(p.name.email, p.Email) {
		return person{name: p.name, problem: fmt.Sprintf("contradictory: the id %s is that of %s", p.name.id, p.Email)}
	}
	return p
}

// progress is a bar on a terminal, and nothing elsewhere.
type progress struct{ bar *progressbar.ProgressBar }

func (e *Env) progress(what string) progress {
	if !terminal.IsTerminal(e.Stderr) {
		return progress{}
	}
	return progress{progressbar.NewOptions(-1, progressbar.OptionSetWriter(e.Stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())}
}

// A bar that can't be drawn stops nothing.
func (p progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n)
	}
}

func (p progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
