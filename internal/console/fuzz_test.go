package console

import (
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/page"
)

// FuzzLocal: whatever is asked for, the place to go is a path of the console, and asking for
// that place gives it again.
func FuzzLocal(f *testing.F) {
	for _, seed := range []string{"/console", "/console/people?q=a", "//evil.example", "/\\evil", "https://evil.example/console", "/console/../x", "/console/%2e%2e/x", "/console\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, to string) {
		got := local(to)
		u, err := url.Parse("https://us.example" + got)
		if err != nil || u.Host != "us.example" || !Handles(u.Path) || strings.Contains(u.Path, "//") || strings.ContainsAny(got, "\\\r\n") || !strings.HasPrefix(got, "/console") {
			t.Fatalf("%q leads to %q", to, got)
		}
		if again := local(got); again != got {
			t.Fatalf("%q leads to %q, and that to %q", to, got, again)
		}
	})
}

// FuzzPosition: what can't be a place in a list is its start, and a place reads back.
func FuzzPosition(f *testing.F) {
	for _, seed := range []string{"", "1.a", "-5.b", "99999999999999999999.c", "1.", ".x", "1.2.3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := readPosition(text)
		if got == (page.Position{}) {
			return
		}
		if again := readPosition(writePosition(got)); again.ID != got.ID || !again.CreateTime.Equal(got.CreateTime) {
			t.Fatalf("%q reads as %+v, and that as %+v", text, got, again)
		}
	})
}

// FuzzRoute: a path fits at most one route of a method, and its values are never empty.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{"/console", "/console/people/new", "/console/people/a%2Fb", "/console/people//edit", "/console/people/%zz", "/console/link/x"} {
		f.Add(seed)
	}
	c := &Console{routes: routes()}
	f.Fuzz(func(t *testing.T, path string) {
		r, values, _ := c.find("GET", path)
		if r == nil {
			return
		}
		for name, value := range values {
			if value == "" || !strings.Contains(r.path, "{"+name+"}") {
				t.Fatalf("%q fits %s with %q", path, r.path, values)
			}
		}
		if r.method != "GET" {
			t.Fatalf("%q fits %s %s", path, r.method, r.path)
		}
	})
}
