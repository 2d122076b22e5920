package roster

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// shape says how an object of a file becomes a T.
type shape[T any] struct {
	// fields set one field of a T each; their errors go on after the field's name.
	fields   map[string]func(*T, node) error
	required []string
	// check judges a T that was read as a whole.
	check func(*T) error
	// sound is a T that check accepts: a field is tried on it to find which of several is at fault.
	sound T
}

// read makes a T of an object and reports everything that is wrong with it.
func (s *shape[T]) read(r *report, place string, n node) (T, bool) {
	var t T
	if n.kind != object {
		r.add(n.line, place, n.want(object))
		return t, false
	}
	if !s.names(r, place, n) || !s.set(n, &t) {
		s.blame(r, place, n)
		return t, false
	}
	err := s.check(&t)
	if err != nil && !s.blame(r, place, n) {
		r.add(n.line, place, err)
	}
	return t, err == nil
}

// names reports fields that are unknown, repeated or missing.
func (s *shape[T]) names(r *report, place string, n node) bool {
	ok := true
	seen := make(map[string]int, len(s.fields))
	for _, f := range n.fields {
		if r.more {
			return false
		}
		first, repeated := seen[f.name]
		switch {
		case s.fields[f.name] == nil:
			r.add(f.line, place, unknown("field", f.name, slices.Collect(maps.Keys(s.fields))))
			ok = false
		case repeated:
			r.add(f.line, place, fault.Invalid("field %q is repeated: line %d has it already", f.name, first))
			ok = false
		default:
			seen[f.name] = f.line
		}
	}
	for _, name := range s.required {
		if seen[name] == 0 {
			r.add(n.line, place, fault.Invalid("%s is missing", name))
			ok = false
		}
	}
	return ok
}

// set fills in a T, and reports nothing: blame does.
func (s *shape[T]) set(n node, t *T) bool {
	for _, f := range n.fields {
		if err := s.fields[f.name](t, f.value); err != nil {
			return false
		}
	}
	return true
}

// blame reports every field that is wrong by itself, at the field's own line.
func (s *shape[T]) blame(r *report, place string, n node) bool {
	found := false
	for _, f := range n.fields {
		set := s.fields[f.name]
		if set == nil || r.more {
			continue
		}
		probe := s.sound
		err := set(&probe, f.value)
		if err != nil {
			err = fmt.Errorf("%s %w", f.name, err)
		} else {
			err = s.check(&probe)
		}
		if err != nil {
			r.add(f.value.line, place, err)
			found = true
		}
	}
	return found
}
