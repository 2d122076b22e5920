package page_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/filter"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

const refusal = "page_token is not valid or has expired: start the walk again without it"

var (
	issued  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	testKey = page.Key{ID: 7, Secret: page.Secret{1, 2, 3}, CreatedAt: issued.Add(-time.Hour)}
	middle  = page.Cursor{
		Filter: filter.Suspended,
		Size:   100,
		After:  page.Position{CreateTime: time.Date(2024, 1, 15, 10, 30, 0, 123456000, time.UTC), ID: "IR7VAAAAAAAAAAAAAAAAAAAAAA"},
	}
)

func keySet(t testing.TB, keys ...page.Key) *page.KeySet {
	t.Helper()
	set, err := page.NewKeySet(keys)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func nonces() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func sealed(t testing.TB, key page.Key, account ident.AccountID, c page.Cursor, at time.Time) string {
	t.Helper()
	token, err := page.Seal(key, account, c, at, nonces())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// refused says what is wrong with err as the refusal of a token, or nothing.
func refused(err error) string {
	f := fault.As(err)
	if f == nil || f.Kind != fault.KindInvalid || f.Message != refusal {
		return fmt.Sprintf("got %v, want the one invalid fault %q", err, refusal)
	}
	return ""
}

func cursors() *rapid.Generator[page.Cursor] {
	return rapid.Custom(func(t *rapid.T) page.Cursor {
		return page.Cursor{
			Filter: filter.Filter(rapid.Uint8Range(0, 2).Draw(t, "filter")),
			Size:   rapid.Int32Range(1, page.MaxSize).Draw(t, "size"),
			After: page.Position{
				// From the year -9999 to 9999.
				CreateTime: time.UnixMicro(rapid.Int64Range(-377705116800e6, 253402300799e6).Draw(t, "micro")).UTC(),
				ID:         ident.UserID(rapid.SliceOfN(rapid.Byte(), 1, page.MaxID).Draw(t, "id")),
			},
		}
	})
}

func TestSealOpenRoundTrip(t *testing.T) {
	t.Parallel()
	set := keySet(t, testKey)
	rapid.Check(t, func(t *rapid.T) {
		account := ident.AccountID(rapid.String().Draw(t, "account"))
		other := ident.AccountID(rapid.String().Draw(t, "other"))
		want := cursors().Draw(t, "cursor")
		token, err := page.Seal(testKey, account, want, issued, nonces())
		if err != nil {
			t.Fatal(err)
		}
		if len(token) > page.MaxToken || strings.Trim(token, "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Fatalf("token of %d characters: %q", len(token), token)
		}
		age := time.Duration(rapid.Int64Range(int64(-5*time.Minute), int64(page.Lifetime-time.Second)).Draw(t, "age"))
		got, err := page.Open(set, account, token, issued.Add(age))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("Open: %v (-want +got):\n%s", err, diff)
		}
		if account != other {
			if _, err := page.Open(set, other, token, issued); refused(err) != "" {
				t.Fatalf("opened for %q, sealed for %q: %s", other, account, refused(err))
			}
		}
	})
}

func TestOpenRefusesEveryChangedBit(t *testing.T) {
	t.Parallel()
	// A second id for the same secret, one bit away: the id itself is authenticated.
	set := keySet(t, testKey, page.Key{ID: testKey.ID ^ 1, Secret: testKey.Secret})
	raw, err := base64.RawURLEncoding.DecodeString(sealed(t, testKey, "A", middle, issued))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		raw[bit/8] ^= 1 << (bit % 8)
		_, err := page.Open(set, "A", base64.RawURLEncoding.EncodeToString(raw), issued)
		if wrong := refused(err); wrong != "" {
			t.Errorf("bit %d changed: %s", bit, wrong)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
	if _, err := page.Open(set, "A", base64.RawURLEncoding.EncodeToString(raw), issued); err != nil {
		t.Errorf("unchanged again: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	set := keySet(t, testKey)
	token := sealed(t, testKey, "A", middle, issued)
	sameID := page.Key{ID: testKey.ID, Secret: page.Secret{9}}
	cases := map[string]string{
		"empty":           "",
		"not base64":      "not a token!",
		"padded":          token + "=",
		"a line break":    token[:9] + "\n" + token[9:],
		"a return":        token + "\r",
		"a space":         token + " ",
		"cut short":       token[:len(token)-1],
		"head only":       token[:24],
		"twice":           token + token,
		"513 characters":  strings.Repeat("A", 513),
		"512 characters":  strings.Repeat("A", 512),
		"unknown key":     sealed(t, page.Key{ID: 8, Secret: testKey.Secret}, "A", middle, issued),
		"another secret":  sealed(t, sameID, "A", middle, issued),
		"another account": sealed(t, testKey, "B", middle, issued),
		"no account":      sealed(t, testKey, "", middle, issued),
		"expired":         sealed(t, testKey, "A", middle, issued.Add(-page.Lifetime)),
		"long expired":    sealed(t, testKey, "A", middle, time.Unix(0, 0)),
		"the future":      sealed(t, testKey, "A", middle, issued.Add(5*time.Minute+time.Second)),
		"the far future":  sealed(t, testKey, "A", middle, issued.AddDate(1000, 0, 0)),
	}
	for name, in := range cases {
		if _, err := page.Open(set, "A", in, issued); refused(err) != "" {
			t.Errorf("%s: %s", name, refused(err))
		}
	}
}

// A last character with unused bits set would be a second spelling of the same token.
func TestOpenRefusesASecondSpelling(t *testing.T) {
	t.Parallel()
	set := keySet(t, testKey)
	c := middle
	for len(c.After.ID)%3 != 0 { // 52 + 3n bytes leave four bits unused in the last character
		c.After.ID += "A"
	}
	token := sealed(t, testKey, "A", c, issued)
	last := strings.IndexByte(alphabet, token[len(token)-1])
	for low := 1; low < 16; low++ {
		again := token[:len(token)-1] + alphabet[last|low:][:1]
		if _, err := page.Open(set, "A", again, issued); refused(err) != "" {
			t.Errorf("%q for %q: %s", again, token, refused(err))
		}
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func TestTokensOfOneCursorDiffer(t *testing.T) {
	t.Parallel()
	random := nonces()
	seen := map[string]bool{}
	for range 100 {
		token, err := page.Seal(testKey, "A", middle, issued, random)
		if err != nil || seen[token] {
			t.Fatalf("Seal = %q, %v; want a token not seen before", token, err)
		}
		seen[token] = true
	}
}

func TestLongestTokenFits(t *testing.T) {
	t.Parallel()
	c := middle
	c.After.ID = ident.UserID(strings.Repeat("U", page.MaxID))
	if got := len(sealed(t, testKey, ident.AccountID(strings.Repeat("A", 128)), c, issued)); got != 240 {
		t.Errorf("the longest token has %d characters, documented is 240", got)
	}
}

func TestSealRefusesWhatOpenWould(t *testing.T) {
	t.Parallel()
	spoil := map[string]func(*page.Cursor){
		"filter":   func(c *page.Cursor) { c.Filter = 3 },
		"no size":  func(c *page.Cursor) { c.Size = 0 },
		"minus":    func(c *page.Cursor) { c.Size = -1 },
		"too many": func(c *page.Cursor) { c.Size = page.MaxSize + 1 },
		"no id":    func(c *page.Cursor) { c.After.ID = "" },
		"long id":  func(c *page.Cursor) { c.After.ID = ident.UserID(strings.Repeat("U", page.MaxID+1)) },
	}
	for name, spoil := range spoil {
		c := middle
		spoil(&c)
		if token, err := page.Seal(testKey, "A", c, issued, nonces()); err == nil || fault.As(err) != nil {
			t.Errorf("%s: Seal = %q, %v; want an error that is nobody's fault but ours", name, token, err)
		}
	}
	if _, err := page.Seal(testKey, "A", middle, issued, iotest.ErrReader(iotest.ErrTimeout)); err == nil {
		t.Error("sealed without randomness")
	}
	if _, err := page.Seal(page.Key{ID: 1}, "A", middle, issued, nonces()); err == nil {
		t.Error("sealed with a key of zeros")
	}
}

func TestNewKeySetRefuses(t *testing.T) {
	t.Parallel()
	if _, err := page.NewKeySet([]page.Key{testKey, testKey}); err == nil {
		t.Error("two keys of one id accepted")
	}
	if _, err := page.NewKeySet([]page.Key{{ID: 1}}); err == nil {
		t.Error("a key of zeros accepted")
	}
}

func TestSecretNeverShows(t *testing.T) {
	t.Parallel()
	key := page.Key{ID: 7, Secret: page.Secret(bytes.Repeat([]byte{0xab}, 32))}
	encoded, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprint(key), fmt.Sprintf("%+v %#v", key, key), fmt.Sprintf("%x %X %d %s %q", key.Secret, key.Secret, key.Secret, key.Secret, key.Secret),
		string(encoded),
	} {
		low := strings.ToLower(shown)
		if strings.Contains(low, "abab") || strings.Contains(low, "171") || strings.Contains(low, "0xab") || !strings.Contains(shown, "[redacted]") {
			t.Errorf("the secret shows in %q", shown)
		}
	}
}

func FuzzOpen(f *testing.F) {
	set := keySet(f, testKey)
	f.Add(sealed(f, testKey, "A", middle, issued))
	f.Add(sealed(f, testKey, "B", middle, issued))
	f.Add("")
	f.Add(strings.Repeat("A", 100))
	f.Add(strings.Repeat("_", 513))
	f.Fuzz(func(t *testing.T, token string) {
		c, err := page.Open(set, "A", token, issued)
		if err != nil {
			if wrong := refused(err); wrong != "" {
				t.Fatal(wrong)
			}
			return
		}
		again, err := page.Open(set, "A", sealed(t, testKey, "A", c, issued), issued)
		if diff := cmp.Diff(c, again); diff != "" || err != nil {
			t.Fatalf("%q does not survive sealing: %v (-want +got):\n%s", token, err, diff)
		}
	})
}

func FuzzSeal(f *testing.F) {
	set := keySet(f, testKey)
	f.Add("A", uint8(1), int32(25), int64(1705314600000000), "IR7V", 3, uint8(1))
	f.Fuzz(func(t *testing.T, account string, kind uint8, size int32, micro int64, id string, at int, mask uint8) {
		want := page.Cursor{
			Filter: filter.Filter(kind), Size: size,
			After: page.Position{CreateTime: time.UnixMicro(micro).UTC(), ID: ident.UserID(id)},
		}
		token, err := page.Seal(testKey, ident.AccountID(account), want, issued, nonces())
		if err != nil {
			return
		}
		got, err := page.Open(set, ident.AccountID(account), token, issued)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("Open: %v (-want +got):\n%s", err, diff)
		}
		altered := []byte(token)
		altered[uint(at)%uint(len(altered))] ^= mask
		if _, err := page.Open(set, ident.AccountID(account), string(altered), issued); mask != 0 && refused(err) != "" {
			t.Fatalf("%q for %q: %s", altered, token, refused(err))
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	set := keySet(b, testKey)
	token := sealed(b, testKey, "A", middle, issued)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := page.Open(set, "A", token, issued); err != nil {
			b.Fatal(err)
		}
	}
}
