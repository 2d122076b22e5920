package audit_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/audit"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":               "",
		"plain":          "plain",
		"twelve bytes":   "twelve b",
		"ünïcödé":        "ünïcö", // the eighth byte begins nothing whole
		"1234567ü":       "1234567",
		"a\x00b\xffc":    "abc",
		"\x00\x00":       "",
		"line\r\n\x1b[m": "line\r\n\x1b[",
	} {
		if got := audit.Clean(in, 8); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "in")
		most := rapid.IntRange(0, 20).Draw(t, "most")
		got := audit.Clean(in, most)
		if len(got) > most || !utf8.ValidString(got) || strings.Contains(got, "\x00") || audit.Clean(got, most) != got {
			t.Fatalf("%q cut to %d is %q", in, most, got)
		}
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	c := access.Caller{
		Kind: access.Application, Client: "C", Name: "not shown", Account: "other", RequestID: "R",
		Address: netip.MustParseAddr("192.0.2.1"), UserAgent: strings.Repeat("ü", 300),
	}
	at := time.Date(2026, 1, 15, 13, 0, 0, 1999, time.FixedZone("x", 3600))
	got := audit.New(c, "A", audit.UserGet, strings.Repeat("x", 300), audit.Denied, at).With(strings.Repeat("y", 3000))
	want := audit.Entry{
		Account: "A", At: noon.Add(time.Microsecond), ActorKind: access.Application, Actor: "C", Action: audit.UserGet,
		Target: strings.Repeat("x", audit.MaxTarget), Outcome: audit.Denied, Detail: strings.Repeat("y", audit.MaxDetail),
		Address: c.Address, UserAgent: strings.Repeat("ü", 128), RequestID: "R", Count: 1,
	}
	if got != want {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestIsChange(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		entry audit.Entry
		want  bool
	}{
		"a suspension":          {audit.Entry{Account: "A", Action: audit.UserSuspend, Outcome: audit.Done}, true},
		"one that was so":       {audit.Entry{Account: "A", Action: audit.UserSuspend, Outcome: audit.Unchanged}, false},
		"one refused":           {audit.Entry{Account: "A", Action: audit.UserSuspend, Outcome: audit.Refused}, false},
		"one denied":            {audit.Entry{Account: "A", Action: audit.UserSuspend, Outcome: audit.Denied}, false},
		"one limited":           {audit.Entry{Account: "A", Action: audit.UserSuspend, Outcome: audit.Limited}, false},
		"one in no account":     {audit.Entry{Action: audit.UserSuspend, Outcome: audit.Done}, false},
		"a token":               {audit.Entry{Account: "A", Action: audit.TokenIssue, Outcome: audit.Done}, false},
		"a token's end":         {audit.Entry{Account: "A", Action: audit.TokenRevoke, Outcome: audit.Done}, false},
		"a deleted application": {audit.Entry{Account: "A", Action: audit.ApplicationDelete, Outcome: audit.Done}, true},
	} {
		if got := tt.entry.IsChange(); got != tt.want {
			t.Errorf("%s: got %t, want %t", name, got, tt.want)
		}
	}
}

// filled is an entry in which every field says something.
func filled() audit.Entry {
	return audit.Entry{
		ID: "1", Account: "2", At: noon, ActorKind: "4", Actor: "5", Action: "6", Target: "7", Outcome: "8", Detail: "9",
		Address: netip.MustParseAddr("192.0.2.10"), UserAgent: "11", RequestID: "12", Count: 13, Seq: 14, Prev: audit.Hash{15},
	}
}

// TestDigestCoversEverything changes each field there is, those added later too.
func TestDigestCoversEverything(t *testing.T) {
	t.Parallel()
	base := filled()
	first := base.Digest()
	for field := range reflect.TypeFor[audit.Entry]().Fields() {
		e := filled()
		switch v := reflect.ValueOf(&e).Elem().FieldByIndex(field.Index); p := v.Addr().Interface().(type) {
		case *time.Time:
			*p = p.Add(time.Microsecond)
		case *netip.Addr:
			*p = p.Next()
		case *int64:
			*p++
		case *audit.Hash:
			p[31]++
		default:
			v.SetString(v.String() + "x")
		}
		if same := e.Digest() == first; same != (field.Name == "Hash") {
			t.Errorf("%s: the digest is the same = %t", field.Name, same)
		}
	}
}

// TestDigestTellsNeighboursApart: text that moves from one field to the next changes it.
func TestDigestTellsNeighboursApart(t *testing.T) {
	t.Parallel()
	seen := map[audit.Hash]audit.Entry{}
	for _, e := range []audit.Entry{
		{Actor: "ab", Action: "c"}, {Actor: "a", Action: "bc"}, {Actor: "abc"}, {Action: "abc"}, {Target: "abc"},
		{Actor: "abc", Seq: 1}, {Actor: "abc", Count: 1}, {Detail: "abc"}, {UserAgent: "abc"}, {},
	} {
		d := e.Digest()
		if other, ok := seen[d]; ok {
			t.Errorf("%+v and %+v have one digest", e, other)
		}
		seen[d] = e
	}
	// Fixed for ever, and computed elsewhere: a digest that changes makes every record there is look rewritten.
	base := filled()
	if got := base.Digest().String(); got != "85b1679811de49b64b4aeb77d756299ffad5695e1e76190b43ecb5f60a165f8e" {
		t.Errorf("the digest of a known entry is %s", got)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	head := audit.Head{Seq: 7, Hash: audit.Hash{7}}
	change := audit.Entry{Account: "A", Action: audit.UserSuspend, Outcome: audit.Done}
	next := head.Link(&change)
	if change.Seq != 8 || change.Prev != head.Hash || change.Hash != change.Digest() || next != (audit.Head{Seq: 8, Hash: change.Hash}) {
		t.Errorf("a change: got %+v and head %+v", change, next)
	}
	other := audit.Entry{Account: "A", Action: audit.UserSuspend, Outcome: audit.Refused}
	if same := next.Link(&other); same != next || other.Seq != 8 || other.Prev != next.Hash || other.Hash != other.Digest() {
		t.Errorf("a refusal: got %+v and head %+v", other, same)
	}
}
