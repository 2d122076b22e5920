package roster

import (
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
)

// userShape is a person, in seed and import files alike.
var userShape = &shape[directory.User]{
	fields: map[string]func(*directory.User, node) error{
		"id":           func(u *directory.User, n node) error { return n.given((*string)(&u.ID)) },
		"email":        func(u *directory.User, n node) error { return n.into((*string)(&u.Email)) },
		"display_name": func(u *directory.User, n node) error { return n.into(&u.DisplayName) },
		"state":        func(u *directory.User, n node) error { return n.chosen((*string)(&u.State)) },
		"type":         func(u *directory.User, n node) error { return n.chosen((*string)(&u.Type)) },
		"groups": func(u *directory.User, n node) (err error) {
			u.Groups, err = n.groups()
			return err
		},
		"create_time": func(u *directory.User, n node) (err error) {
			u.CreateTime, err = n.time()
			return err
		},
	},
	required: []string{"email", "display_name"},
	check:    checkUser,
	sound:    directory.User{Email: "sound@example.com", DisplayName: "Sound"},
}

// checkUser judges a person as they will be once everything left out is filled in.
func checkUser(u *directory.User) error {
	whole := *u
	return completer.Complete(&whole, time.Unix(0, 0))
}

// completer fills people in for no other purpose than to judge them: the ids it makes are thrown away.
var completer = &directory.Service{Rand: zeros{}}

// zeros is an endless source of bytes without any randomness.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// chosen reads one of a set of words, which check knows; an empty one is not "left out".
func (n node) chosen(s *string) error {
	if n.kind == text && n.text == "" {
		return fault.Invalid("is empty: leave it out for the default")
	}
	return n.into(s)
}

// groups reads group names. One that differs from a role's group only in case would
// be a custom group, and its members would lack the role unnoticed.
func (n node) groups() ([]string, error) {
	names, err := n.texts()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		lower := strings.ToLower(name)
		switch lower {
		case directory.Owners, directory.Administrators, directory.Security:
			if name != lower {
				return nil, fault.Invalid("holds %q: the group that carries the role is written %q", name, lower)
			}
		}
	}
	return names, nil
}
