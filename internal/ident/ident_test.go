package ident_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// counting is 00 01 02 ... 0f, the bytes of one id.
func counting() io.Reader {
	return bytes.NewReader([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
}

// makers lists every constructor; at is the time for those that need one.
func makers(at time.Time) map[string]func(io.Reader) (string, error) {
	return map[string]func(io.Reader) (string, error){
		"account": func(r io.Reader) (string, error) { id, err := ident.NewAccountID(r); return string(id), err },
		"user":    func(r io.Reader) (string, error) { id, err := ident.NewUserID(r); return string(id), err },
		"request": func(r io.Reader) (string, error) { id, err := ident.NewRequestID(r); return string(id), err },
		"client":  func(r io.Reader) (string, error) { id, err := ident.NewClientID(r); return string(id), err },
		"entry":   func(r io.Reader) (string, error) { id, err := ident.NewEntryID(at, r); return string(id), err },
	}
}

func TestNewFromKnownBytes(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"account": "AAAQEAYEAUDAOCAJBIFQYDIOB4",
		"user":    "AAAQEAYEAUDAOCAJBIFQYDIOB4",
		"request": "AAAQEAYEAUDAOCAJBIFQYDIOB4",
		"client":  "00010203-0405-4607-8809-0a0b0c0d0e0f",
		// One millisecond in 6 bytes, then the bytes 06 to 0f.
		"entry": "000000000430E209185GO38E1S",
	}
	got := map[string]string{}
	for name, make := range makers(time.UnixMilli(1)) {
		id, err := make(counting())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got[name] = id
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestNewReportsShortRandomness(t *testing.T) {
	t.Parallel()
	broken := errors.New("no entropy")
	for name, make := range makers(time.UnixMilli(1)) {
		if id, err := make(iotest.ErrReader(broken)); !errors.Is(err, broken) || id != "" {
			t.Errorf("%s: got %q, %v; want the reader's error", name, id, err)
		}
		if id, err := make(io.LimitReader(counting(), 15)); !errors.Is(err, io.ErrUnexpectedEOF) || id != "" {
			t.Errorf("%s of 15 bytes: got %q, %v; want ErrUnexpectedEOF", name, id, err)
		}
	}
}

func TestGeneratedForms(t *testing.T) {
	t.Parallel()
	base32 := regexp.MustCompile(`^[A-Z2-7]{26}$`)
	forms := map[string]*regexp.Regexp{
		"account": base32, "user": base32, "request": base32,
		"client": regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
		"entry":  regexp.MustCompile(`^[0-9A-V]{26}$`),
	}
	rapid.Check(t, func(t *rapid.T) {
		random := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "random")
		at := time.UnixMilli(rapid.Int64Range(0, 1<<48-1).Draw(t, "ms"))
		for name, make := range makers(at) {
			id, err := make(bytes.NewReader(random))
			if err != nil || !forms[name].MatchString(id) || !ident.Possible(id) {
				t.Fatalf("%s id of %x at %v = %q, %v", name, random, at, id, err)
			}
		}
	})
}

func TestEntryIDsSortByTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		source := rand.NewChaCha8([32]byte{rapid.Uint8().Draw(t, "seed")})
		times := rapid.SliceOfNDistinct(rapid.Int64Range(0, 1<<48-1), 2, 20, rapid.ID[int64]).Draw(t, "ms")
		slices.Sort(times)
		var ids []ident.EntryID
		for _, ms := range times {
			id, err := ident.NewEntryID(time.UnixMilli(ms), source)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if !slices.IsSorted(ids) {
			t.Fatalf("ids of rising times %v do not rise: %v", times, ids)
		}
	})
}

func TestEntryIDRefusesTimesThatWouldNotSort(t *testing.T) {
	t.Parallel()
	for _, ms := range []int64{-1, 1 << 48} {
		if id, err := ident.NewEntryID(time.UnixMilli(ms), counting()); err == nil {
			t.Errorf("NewEntryID at %d ms = %q; want an error", ms, id)
		}
	}
}

func TestParseRequestID(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{
		"":                              false,
		"a":                             true,
		"!~":                            true,
		"4bf92f35-77b3/x:1":             true,
		strings.Repeat("x", 128):        true,
		strings.Repeat("x", 129):        false,
		"a b":                           true,
		"a\r\nSet-Cookie: x":            false,
		"a\x1b[2J":                      false,
		"a\x7f":                         false,
		"caf\u00e9":                     false,
		string([]byte{'a', 0x80}):       false,
		"{\"json\":\"is,printable\"}\\": true,
	}
	for in, want := range cases {
		got, ok := ident.ParseRequestID(in)
		if ok != want || ok && string(got) != in || !ok && got != "" {
			t.Errorf("ParseRequestID(%q) = %q, %v; want %v", in, got, ok, want)
		}
	}
}

func TestValidateGiven(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"a", "acct-1", "IR7V", "a.b", "...", "x@y", strings.Repeat("a", 64)} {
		if err := ident.ValidateGiven("user id", in); err != nil {
			t.Errorf("ValidateGiven(%q): %v", in, err)
		}
	}
	for _, in := range []string{
		"", ".", "..", "a/b", "a:suspend", "a%2F", "a?", "a#", "a b", "\x00", "a\n", "caf\u00e9", strings.Repeat("a", 65),
	} {
		err := ident.ValidateGiven("user id", in)
		const want = `user id must be 1 to 64 visible ASCII characters without spaces and / : % ? #, and not "." or ".."`
		if f := fault.As(err); f == nil || f.Kind != fault.KindInvalid || f.Message != want {
			t.Errorf("ValidateGiven(%q)\n got %v\nwant %s", in, err, want)
		}
	}
}
