package page_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/page"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	cases := map[string]int32{
		"": 25, "0": 25, "1": 1, "007": 7, "25": 25, "999": 999, "1000": 1000, "1001": 1000, "2147483647": 1000,
	}
	for in, want := range cases {
		if got, err := page.ParseSize(in); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{
		"-1", "-0", "+5", "2147483648", "99999999999999999999", " 5", "5 ", "1e3", "1_000", "0x10", "2.0", "ten", "\u0661", "\x00",
	} {
		got, err := page.ParseSize(in)
		f := fault.As(err)
		if f == nil || f.Kind != fault.KindInvalid || !strings.HasPrefix(f.Message, "max_page_size must be ") {
			t.Errorf("ParseSize(%q) = %d, %v; want an invalid fault naming max_page_size", in, got, err)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	for _, seed := range []string{"", "0", "1000", "-1", "+1", "2147483648"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		n, err := page.ParseSize(in)
		if err == nil && (n < 1 || n > page.MaxSize || strings.Trim(in, "0123456789") != "") {
			t.Fatalf("ParseSize(%q) = %d", in, n)
		}
		if err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Fatalf("ParseSize(%q): %v; want an invalid fault", in, err)
		}
	})
}

func TestResume(t *testing.T) {
	t.Parallel()
	token := page.Cursor{Filter: filter.Active, Size: 10, After: page.Position{ID: "U"}}
	resized := token
	resized.Size = 99
	cases := []struct {
		name   string
		filter *filter.Filter
		size   *int32
		want   page.Cursor
	}{
		{"nothing present", nil, nil, token},
		{"the same filter", new(filter.Active), nil, token},
		{"another size", nil, new(int32(99)), resized},
		{"both", new(filter.Active), new(int32(99)), resized},
	}
	for _, c := range cases {
		got, err := page.Resume(token, c.filter, c.size)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for _, other := range []filter.Filter{filter.Any, filter.Suspended} {
		_, err := page.Resume(token, &other, nil)
		if f := fault.As(err); f == nil || f.Kind != fault.KindInvalid || !strings.HasPrefix(f.Message, "filter ") {
			t.Errorf("filter %v with a token of %v: %v; want an invalid fault naming filter", other, token.Filter, err)
		}
	}
}
