package signin_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// TestHashes: at the cost that is for real use.
func TestHashes(t *testing.T) {
	t.Parallel()
	h := signin.NewHasher(1, signin.DefaultCost)
	a, err := h.Hash(t.Context(), rand.Reader, good)
	if err != nil || !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatal(a, err)
	}
	b, err := h.Hash(t.Context(), rand.Reader, good)
	if err != nil || a == b {
		t.Errorf("two hashes of a password are the same: %v", err)
	}
	cheap, err := signin.NewHasher(1, signin.Cost{Memory: 8, Passes: 1}).Hash(t.Context(), rand.Reader, good)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		encoded, password string
		want              bool
	}{
		{a, good, true}, {b, good, true}, {cheap, good, true}, {a, another, false}, {cheap, another, false},
		{"", "", false}, {"", good, false}, {a, "", false}, {a, good + "\x00", false},
	} {
		if got, err := h.Check(t.Context(), tt.encoded, tt.password); got != tt.want || err != nil {
			t.Errorf("%.12q: got %t, %v, want %t", tt.password, got, err, tt.want)
		}
	}
	for _, broken := range []string{"x", "$argon2id$", "$argon2i" + a[len("$argon2id"):], strings.Replace(a, "m=19456", "m=99999999", 1), a + "$", "$2a$10$" + a} {
		if _, err := h.Check(t.Context(), broken, good); err == nil || fault.As(err) != nil {
			t.Errorf("%q: got %v, want a defect", broken, err)
		}
	}
}

// TestHashingWaitsItsTurn: no longer than a few seconds.
func TestHashingWaitsItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := signin.NewHasher(1, signin.Cost{Memory: 8, Passes: 1})
		blocked, release := make(chan struct{}), make(chan struct{})
		var first error
		go func() { _, first = h.Hash(context.Background(), blocking{blocked, release}, good) }()
		<-blocked
		if _, err := h.Hash(t.Context(), rand.Reader, good); err == nil || fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("while another hashes: got %v, want to be told to come back", err)
		}
		if _, err := h.Check(t.Context(), "", good); err == nil || fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("checking, while another hashes: got %v", err)
		}
		close(release)
		synctest.Wait()
		if _, err := h.Check(t.Context(), "", good); err != nil || first != nil {
			t.Errorf("afterwards: %v, %v", err, first)
		}
	})
}

// blocking is a source of chance that makes whoever reads it wait.
type blocking struct{ entered, release chan struct{} }

func (b blocking) Read(p []byte) (int, error) {
	close(b.entered)
	<-b.release
	return len(p), nil
}

// FuzzHash: what is stored never makes checking a password spend more than it may, or fall.
func FuzzHash(f *testing.F) {
	for _, seed := range []string{"", "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=8,t=1,p=1 $AA$AA", "$argon2id$v=19$m=0,t=0,p=0$$"} {
		f.Add(seed)
	}
	h := signin.NewHasher(4, signin.Cost{Memory: 8, Passes: 1})
	f.Fuzz(func(t *testing.T, encoded string) {
		if len(encoded) > 300 || strings.Contains(encoded, "m=") && !strings.Contains(encoded, "m=8,t=1,p=1$") {
			return // those it would take would make the fuzzing slow
		}
		if ok, _ := h.Check(t.Context(), encoded, good); ok {
			t.Errorf("%q is the hash of our password", encoded)
		}
	})
}
