package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/rollcall-id/rollcall/client"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// madeID is the form of the client ids that servers make.
var madeID = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// application finds the one that was named by its client id or by its exact name. Where
// the session may not read, it takes the name for an id, and nothing else is known.
func (s *session) application(ctx context.Context, text string) (client.Application, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return client.Application{}, terminal.Misused("name an application by its client id or its name")
	}
	var a client.Application
	var err error
	if madeID.MatchString(text) {
		a, err = s.Applications.Get(ctx, text)
	} else {
		a, err = s.applicationOfList(ctx, text)
	}
	if errors.Is(err, client.ErrPermissionDenied) && !strings.Contains(text, " ") {
		return client.Application{ID: text}, nil
	}
	return a, err
}

// applicationOfList walks all applications. A client id is unique, so it wins over names.
func (s *session) applicationOfList(ctx context.Context, text string) (client.Application, error) {
	var named []client.Application
	for a, err := range s.Applications.All(ctx, client.ApplicationListOptions{}) {
		switch {
		case err != nil:
			return client.Application{}, fmt.Errorf("look for application %q: %w", text, err)
		case a.ID == text:
			return a, nil
		case a.Name == text:
			named = append(named, a)
		}
	}
	switch len(named) {
	case 0:
		return client.Application{}, fmt.Errorf("%w: no application has the client id or the name %q", client.ErrNotFound, text)
	case 1:
		return named[0], nil
	}
	ids := make([]string, len(named))
	for i, a := range named {
		ids[i] = a.ID
	}
	return client.Application{}, &explained{
		fmt.Errorf("ambiguous: %d applications have the name %q", len(named), text),
		"name one by its client id: " + strings.Join(ids, ", "),
	}
}

// applicationID is application where a client id is enough: it may cost a request less.
func (s *session) applicationID(ctx context.Context, text string) (string, error) {
	if madeID.MatchString(text) {
		return text, nil
	}
	a, err := s.application(ctx, text)
	return a.ID, err
}

// described names an application for people.
func described(a client.Application) string {
	if a.Name == "" {
		return a.ID
	}
	return a.Name + " (" + a.ID + ")"
}
