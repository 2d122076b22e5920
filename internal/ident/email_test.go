package ident_test

import (
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

func TestParseEmail(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("l", 64) + "@" + strings.Repeat("d", 254-65)
	accepted := []string{
		"a@b", "wendy.appleseed@example.com", "o'brien+tag@example.co.uk", "J\u00f6rg@m\u00fcnchen.example", "A_B-c=d@EXAMPLE.com", longest,
	}
	for _, in := range accepted {
		if got, err := ident.ParseEmail(in); err != nil || string(got) != in {
			t.Errorf("ParseEmail(%q) = %q, %v", in, got, err)
		}
	}
	refused := []string{
		"", "@", "a", "a@", "@b", "a@b@c", "a b@c", " a@b", "a@b ", "a@b\n", "a@b\r\nBcc: c@d", "a\x00@b",
		"Wendy <a@b>", "<a@b>", "a@b(comment)", "\"a\"@b", "\"a b\"@c", "a@b,c@d", "a..b@c", ".a@b", "a.@b",
		"a\u202e@b", "a\u200b@b", "a\u00a0@b", "a\xff@b", "group:a@b;",
		longest + "d", strings.Repeat("l", 65) + "@d", "\"a@b\"@c", "a@[b@c]", "\xff@b", "a@\xff",
	}
	for _, in := range refused {
		got, err := ident.ParseEmail(in)
		if f := fault.As(err); f == nil || f.Kind != fault.KindInvalid || !strings.HasPrefix(f.Message, "email must be ") || got != "" {
			t.Errorf("ParseEmail(%q) = %q, %v; want an invalid fault", in, got, err)
		}
	}
}

func TestEmailKey(t *testing.T) {
	t.Parallel()
	cases := map[ident.Email]string{
		"wendy@example.com":     "wendy@example.com",
		"Wendy@EXAMPLE.com":     "wendy@example.com",
		"J\u00d6RG@example.com": "j\u00f6rg@example.com",
	}
	for in, want := range cases {
		if got := in.Key(); got != want {
			t.Errorf("%q.Key() = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{"a@b", "Wendy <a@b>", "\"a\"@b", "a@[::1]", "J\u00d6RG@example.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ident.ParseEmail(in)
		if err != nil {
			if fault.KindOf(err) != fault.KindInvalid || got != "" {
				t.Fatalf("ParseEmail(%q) = %q, %v; want an invalid fault", in, got, err)
			}
			return
		}
		if string(got) != in || len(in) > ident.MaxEmail || strings.Count(in, "@") != 1 || strings.ContainsAny(in, " \t\r\n\x00") {
			t.Fatalf("ParseEmail(%q) = %q", in, got)
		}
		if key := got.Key(); ident.Email(key).Key() != key {
			t.Fatalf("the key of %q folds further: %q", in, key)
		}
	})
}
