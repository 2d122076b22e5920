package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fault"
)

func TestConstructors(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk on fire")
	type seen struct {
		Kind    fault.Kind
		Name    string
		Message string
		Text    string
		Retry   time.Duration
	}
	for want, f := range map[seen]*fault.Fault{
		{fault.KindInvalid, "invalid", "a 1", "a 1", 0}:                             fault.Invalid("a %d", 1),
		{fault.KindUnauthenticated, "unauthenticated", "b", "b", 0}:                 fault.Unauthenticated("b"),
		{fault.KindForbidden, "forbidden", "c", "c", 0}:                             fault.Forbidden("c"),
		{fault.KindNotFound, "not found", "d", "d", 0}:                              fault.NotFound("d"),
		{fault.KindConflict, "conflict", "e", "e", 0}:                               fault.Conflict("e"),
		{fault.KindPrecondition, "precondition", "f", "f", 0}:                       fault.Precondition("f"),
		{fault.KindExhausted, "exhausted", "g", "g", 3}:                             fault.Exhausted(3, "g"),
		{fault.KindUnavailable, "unavailable", "h 2", "h 2: disk on fire", 1}:       fault.Unavailable(1, cause, "h %d", 2),
		{fault.KindInvalid, "invalid", "100% is no format", "100% is no format", 0}: fault.Invalid("100% is no format"),
	} {
		got := seen{f.Kind, f.Kind.String(), f.Message, f.Error(), f.RetryAfter}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fault (-want +got):\n%s", diff)
		}
	}
}

func TestFoundInAChain(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	f := fault.Unavailable(time.Second, cause, "later")
	wrapped := errors.Join(errors.New("other"), fmt.Errorf("outer: %w", fmt.Errorf("inner: %w", f)))
	if fault.As(wrapped) != f || fault.KindOf(wrapped) != fault.KindUnavailable || !errors.Is(wrapped, cause) {
		t.Errorf("got %v of %v", fault.As(wrapped), fault.KindOf(wrapped))
	}
	for _, err := range []error{nil, cause, fmt.Errorf("outer: %w", cause)} {
		if fault.As(err) != nil || fault.KindOf(err) != fault.KindInternal {
			t.Errorf("%v: got %v of %v, want none, internal", err, fault.As(err), fault.KindOf(err))
		}
	}
	if got := fault.Kind(200).String(); got != "internal" {
		t.Errorf("an unknown kind is called %q", got)
	}
}
