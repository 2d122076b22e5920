package ident_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/ident"
)

func TestUserPath(t *testing.T) {
	t.Parallel()
	if got, want := string(ident.AppendUserPath([]byte("/"), "A", "U")), "/accounts/A/users/U"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCutVerb(t *testing.T) {
	t.Parallel()
	type cut struct {
		Name, Verb string
		Found      bool
	}
	cases := map[string]cut{
		"":            {"", "", false},
		"U":           {"U", "", false},
		"U:suspend":   {"U", "suspend", true},
		"a:b:suspend": {"a:b", "suspend", true},
		"U:":          {"U", "", true},
		":suspend":    {"", "suspend", true},
		"U%3Asuspend": {"U%3Asuspend", "", false},
	}
	for in, want := range cases {
		name, verb, found := ident.CutVerb(in)
		if diff := cmp.Diff(want, cut{name, verb, found}); diff != "" {
			t.Errorf("CutVerb(%q) (-want +got):\n%s", in, diff)
		}
	}
}

func TestSplitPath(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("/s", ident.MaxSegments)
	cases := map[string][]string{
		"/":               {""},
		"/v1/accounts":    {"v1", "accounts"},
		"/v1/":            {"v1", ""},
		"//v1":            {"", "v1"},
		"/a/./../b":       {"a", ".", "..", "b"},
		"/a%2Fb/c":        {"a/b", "c"},
		"/a%2fb":          {"a/b"},
		"/U%3Asuspend":    {"U:suspend"},
		"/%2525":          {"%25"},
		"/a+b":            {"a+b"},
		"/%00":            {"\x00"},
		"/%C3%A9":         {"\u00e9"},
		longest:           strings.Split(longest[1:], "/"),
		"":                nil,
		"v1/accounts":     nil,
		"*":               nil,
		"/a/%":            nil,
		"/a/%2":           nil,
		"/%zz/b":          nil,
		longest + "/":     nil,
		longest + "/more": nil,
	}
	for in, want := range cases {
		got, ok := ident.SplitPath(nil, in)
		if ok != (want != nil) {
			t.Errorf("SplitPath(%q) = %q, %v", in, got, ok)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("SplitPath(%q) (-want +got):\n%s", in, diff)
		}
	}
}

func TestSplitPathAppends(t *testing.T) {
	t.Parallel()
	buffer := append(make([]string, 0, 8), "kept")
	got, ok := ident.SplitPath(buffer, "/a/b")
	if diff := cmp.Diff([]string{"kept", "a", "b"}, got); diff != "" || !ok {
		t.Errorf("SplitPath: %v (-want +got):\n%s", ok, diff)
	}
	got, ok = ident.SplitPath(buffer, "/a/%")
	if diff := cmp.Diff([]string{"kept"}, got); diff != "" || ok {
		t.Errorf("SplitPath of a broken path: %v (-want +got):\n%s", ok, diff)
	}
}

// Not parallel: it counts the allocations of the whole process.
func TestSplitPathDoesNotAllocate(t *testing.T) { //nolint:paralleltest // AllocsPerRun may not run in parallel
	var buffer [ident.MaxSegments]string
	got := testing.AllocsPerRun(100, func() {
		if _, ok := ident.SplitPath(buffer[:0], "/v1/accounts/A/users/U:suspend"); !ok {
			t.Error("refused")
		}
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func FuzzSplitPath(f *testing.F) {
	for _, seed := range []string{"/", "/v1/accounts/A/users/U%3Asuspend", "//a/%2F/..", "/%", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		segments, ok := ident.SplitPath(nil, in)
		if !ok {
			_, err := url.PathUnescape(in)
			if err == nil && strings.HasPrefix(in, "/") && strings.Count(in, "/") <= ident.MaxSegments {
				t.Fatalf("SplitPath(%q) refused a sound path", in)
			}
			return
		}
		var rebuilt strings.Builder
		for _, s := range segments {
			rebuilt.WriteString("/" + url.PathEscape(s))
		}
		again, ok := ident.SplitPath(nil, rebuilt.String())
		if diff := cmp.Diff(segments, again); diff != "" || !ok || len(segments) > ident.MaxSegments {
			t.Fatalf("SplitPath(%q) does not survive escaping: %v (-want +got):\n%s", in, ok, diff)
		}
	})
}
