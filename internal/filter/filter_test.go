package filter_test

import (
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
)

func TestParse(t *testing.T) {
	t.Parallel()
	accepted := map[string]filter.Filter{
		"":                          filter.Any,
		" \t\r\n":                   filter.Any,
		"user.isActive()":           filter.Active,
		"user.isSuspended()":        filter.Suspended,
		"  user.isActive()\n":       filter.Active,
		"\u00a0user.isSuspended() ": filter.Suspended,
	}
	for in, want := range accepted {
		if got, err := filter.Parse(in); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"user.isactive()", "USER.ISACTIVE()", "user.isActive", "user.isActive( )", "user .isActive()", "user.isPending()",
		"!user.isActive()", "user.isActive() || user.isSuspended()", "user.isActive()user.isActive()", "ACTIVE",
		"\x00", "<script>", strings.Repeat("user.isActive()", 1000),
	} {
		got, err := filter.Parse(in)
		f := fault.As(err)
		if f == nil || f.Kind != fault.KindInvalid {
			t.Errorf("Parse(%q) = %v, %v; want an invalid fault", in, got, err)
			continue
		}
		const want = "filter must be user.isActive() or user.isSuspended(), or be left out for users in both states"
		if f.Message != want {
			t.Errorf("Parse(%q) says\n got %q\nwant %q", in, f.Message, want)
		}
	}
}

// The numbers are inside page tokens that live for days: a release must not renumber them.
func TestValuesAreFixed(t *testing.T) {
	t.Parallel()
	want := [...]filter.Filter{0: filter.Any, 1: filter.Active, 2: filter.Suspended}
	for n := range 256 {
		f := filter.Filter(n)
		if f.Valid() != (n < len(want)) {
			t.Errorf("Filter(%d).Valid() = %v", n, f.Valid())
		}
		if n < len(want) && want[n] != f {
			t.Errorf("filter %v is numbered %d, want %d", want[n], want[n], n)
		}
		back, err := filter.Parse(f.String())
		if f.Valid() != (err == nil) || f.Valid() && back != f {
			t.Errorf("Parse(%q) = %v, %v; want %v", f.String(), back, err, f)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", " ", "user.isActive()", " user.isSuspended()\t", "user.isactive()"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := filter.Parse(in)
		if err != nil {
			if fault.KindOf(err) != fault.KindInvalid {
				t.Fatalf("Parse(%q): %v; want an invalid fault", in, err)
			}
			return
		}
		if strings.TrimSpace(in) != got.String() {
			t.Fatalf("Parse(%q) = %q", in, got)
		}
		if back, err := filter.Parse(got.String()); err != nil || back != got {
			t.Fatalf("Parse(%q) = %v, %v; want %v", got.String(), back, err, got)
		}
	})
}
