package oauth

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/internal/ident"
)

// shelf keeps the latest uses; it fails as often as it is told to, and may be used
// meanwhile by somebody else.
type shelf struct {
	kept      map[ident.EntryID]time.Time
	failures  int
	meanwhile func()
}

func (s *shelf) SetSecretsUsed(_ context.Context, uses []Use) error {
	if s.meanwhile != nil {
		s.meanwhile()
	}
	if s.failures > 0 {
		s.failures--
		return errors.New("not now")
	}
	for _, u := range uses {
		if u.Time.After(s.kept[u.Secret]) {
			s.kept[u.Secret] = u.Time
		}
	}
	return nil
}

func at(second int) time.Time { return time.Unix(int64(second), 0).UTC() }

// TestUsesReachTheStore: after any series of uses, failed and successful flushes, what is
// stored and what is pending together are the latest use of each secret.
func TestUsesReachTheStore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u, store := &Uses{}, &shelf{kept: map[ident.EntryID]time.Time{}}
		want := map[ident.EntryID]time.Time{}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			id := rapid.SampledFrom([]ident.EntryID{"a", "b", "c"}).Draw(t, "secret")
			when := at(rapid.IntRange(1, 100).Draw(t, "second"))
			use := func() {
				u.note(id, when)
				if when.After(want[id]) {
					want[id] = when
				}
			}
			switch rapid.SampledFrom([]string{"use", "flush", "fail", "use meanwhile"}).Draw(t, "step") {
			case "use":
				use()
			case "flush":
				if err := u.Flush(context.Background(), store); err != nil {
					t.Fatal(err)
				}
			case "fail":
				store.failures = 1
				err := u.Flush(context.Background(), store)
				if pending := store.failures == 0; pending != (err != nil) {
					t.Fatalf("got error %v, want one: %t", err, pending)
				}
				store.failures = 0
			case "use meanwhile":
				store.meanwhile = func() { use(); store.meanwhile = nil }
				if err := u.Flush(context.Background(), store); err != nil {
					t.Fatal(err)
				}
				store.meanwhile = nil
			}
			for id, when := range want {
				if got := u.latest(id, store.kept[id]); !got.Equal(when) {
					t.Fatalf("secret %s was last used at %v, want %v", id, got, when)
				}
			}
		}
		if err := u.Flush(context.Background(), store); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(want, func(_ ident.EntryID, when time.Time) bool { return when.IsZero() })
		if diff := cmp.Diff(want, store.kept); diff != "" || len(u.pending) > 0 {
			t.Fatalf("stored (-want +got):\n%s\nstill pending: %v", diff, u.pending)
		}
	})
}

func TestNoUsesRememberNothing(t *testing.T) {
	t.Parallel()
	var u *Uses
	u.note("a", at(1))
	if got := u.latest("a", at(2)); !got.Equal(at(2)) {
		t.Errorf("got %v, want what is stored", got)
	}
}
