package page_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/page"
)

// shelf is a Store in memory. A call waits for gate, if there is one, and fails with err, if there is one.
type shelf struct {
	mu          sync.Mutex
	keys        []page.Key
	reads, adds int
	err         error
	gate        chan struct{}
}

func (s *shelf) enter() error {
	s.mu.Lock()
	gate, err := s.gate, s.err
	s.mu.Unlock()
	if gate != nil {
		<-gate
	}
	return err
}

func (s *shelf) PageKeys(context.Context) ([]page.Key, error) {
	err := s.enter()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return slices.Clone(s.keys), err
}

func (s *shelf) AddPageKey(_ context.Context, key page.Key) error {
	err := s.enter()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adds++
	if err == nil {
		s.keys = append(s.keys, key)
	}
	return err
}

func (s *shelf) set(change func(*shelf)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// world is a shelf, a clock and randomness shared by the keyrings of several replicas.
type world struct {
	shelf
	clock sync.Mutex
	at    time.Time
	dice  sync.Mutex
	seed  *rand.ChaCha8
}

func newWorld() *world { return &world{at: issued, seed: nonces()} }

func (w *world) now() time.Time {
	w.clock.Lock()
	defer w.clock.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) {
	w.clock.Lock()
	defer w.clock.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) Read(p []byte) (int, error) {
	w.dice.Lock()
	defer w.dice.Unlock()
	return w.seed.Read(p)
}

func (w *world) replica() *page.Keyring { return page.NewKeyring(w, w.now, w) }

func seal(t *testing.T, k *page.Keyring) string {
	t.Helper()
	token, err := k.Seal(t.Context(), "A", middle)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func opens(t *testing.T, k *page.Keyring, token string) {
	t.Helper()
	got, err := k.Open(t.Context(), "A", token)
	if diff := cmp.Diff(middle, got); diff != "" || err != nil {
		t.Fatalf("Open: %v (-want +got):\n%s", err, diff)
	}
}

func refuses(t *testing.T, k *page.Keyring, account ident.AccountID, token string) {
	t.Helper()
	if _, err := k.Open(t.Context(), account, token); refused(err) != "" {
		t.Fatal(refused(err))
	}
}

// calls fails unless the store has been read and added to that often.
func (w *world) calls(t *testing.T, reads, adds int) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if diff := cmp.Diff([]int{reads, adds}, []int{w.reads, w.adds}); diff != "" {
		t.Fatalf("reads and adds of the store (-want +got):\n%s", diff)
	}
}

func TestKeyringMakesOneKeyAndRemembersIt(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.replica()
	for range 50 {
		opens(t, k, seal(t, k))
	}
	w.calls(t, 1, 1)
	refuses(t, k, "B", seal(t, k))
}

func TestKeyringSharesTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld()
	token := seal(t, w.replica())
	after := w.replica()
	opens(t, after, token)
	seal(t, after)
	w.calls(t, 2, 1)
}

func TestKeyringReplacesAKeyDaily(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k, idle := w.replica(), w.replica()
	first := seal(t, k)
	opens(t, idle, first)
	w.pass(page.RotateAfter - time.Second)
	last := seal(t, k)
	w.calls(t, 2, 1)
	w.pass(time.Second)
	fresh := seal(t, k)
	w.calls(t, 3, 2)
	for _, token := range []string{first, last, fresh} {
		opens(t, k, token)
		opens(t, idle, token) // which learns of the new key by this token
	}
	seal(t, idle)
	w.calls(t, 4, 2)
}

func TestKeyringKeepsAKeyForItsLastToken(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.replica()
	seal(t, k)
	w.pass(page.RotateAfter - time.Second)
	last := seal(t, k)
	w.pass(page.Lifetime - time.Second)
	seal(t, k) // reads the store and drops what is too old
	opens(t, k, last)
	opens(t, w.replica(), last)
	w.pass(time.Second)
	refuses(t, k, "A", last)
}

// A key of zeros cannot be used; that it does no harm shows that it was dropped.
func TestKeyringDropsKeysPastTheirLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.keys = []page.Key{{ID: 1, CreatedAt: issued.Add(-page.KeyLifetime)}}
	seal(t, w.replica())
	w.pass(-time.Microsecond)
	if _, err := w.replica().Seal(t.Context(), "A", middle); err == nil {
		t.Error("a key was dropped within KeyLifetime")
	}
}

func TestKeyringPassesOverAKeyFromTheFuture(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.keys = []page.Key{{ID: 1, Secret: page.Secret{1}, CreatedAt: issued.AddDate(10, 0, 0)}}
	k := w.replica()
	token := seal(t, k)
	w.calls(t, 1, 1)
	opens(t, k, token)
}

// foreign is a token in perfect form under a key that no store holds.
func foreign(t *testing.T, id uint32) string {
	t.Helper()
	return sealed(t, page.Key{ID: id, Secret: page.Secret{0xff}}, "A", middle, issued)
}

func TestKeyringPacesReadsForUnknownKeys(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.replica()
	seal(t, k)
	flood := func() {
		for id := range uint32(200) {
			refuses(t, k, "A", foreign(t, id))
		}
	}
	flood()
	w.calls(t, 1+4, 1)
	for second := range 5 {
		w.pass(time.Second)
		flood()
		w.calls(t, 1+4+second+1, 1)
	}
	w.pass(time.Hour)
	flood()
	w.calls(t, 1+4+5+4, 1)
}

func TestKeyringReadsForNothingOnATokenWithoutForm(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.replica()
	const fits, version2 = "AQ", "Ag"
	for _, token := range []string{
		"", "x", "not a token!", "AAAA", fits + strings.Repeat("A", 514), version2 + strings.Repeat("A", 98),
	} {
		refuses(t, k, "A", token)
	}
	w.calls(t, 0, 0)
	refuses(t, k, "A", fits+strings.Repeat("A", 98)) // which has the form
	w.calls(t, 1, 0)
}

func TestKeyringPassesOnTheStoresFailure(t *testing.T) {
	t.Parallel()
	w := newWorld()
	down := errors.New("store is down")
	w.err = down
	k := w.replica()
	if _, err := k.Seal(t.Context(), "A", middle); !errors.Is(err, down) {
		t.Errorf("Seal: %v, want %v", err, down)
	}
	if _, err := k.Open(t.Context(), "A", foreign(t, 1)); !errors.Is(err, down) {
		t.Errorf("Open: %v, want %v", err, down)
	}
	w.set(func(s *shelf) { s.err = nil })
	opens(t, k, seal(t, k))
}

// readOnly is a Store that cannot keep a key.
type readOnly struct{ *world }

var errReadOnly = errors.New("read-only")

func (readOnly) AddPageKey(context.Context, page.Key) error { return errReadOnly }

func TestKeyringNeverSealsUnderAKeyThatIsNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := page.NewKeyring(readOnly{w}, w.now, w)
	for range 3 {
		if token, err := k.Seal(t.Context(), "A", middle); !errors.Is(err, errReadOnly) {
			t.Fatalf("Seal = %q, %v; want %v", token, err, errReadOnly)
		}
	}
}

func TestKeyringGivesEachKeyItsOwnID(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.keys = []page.Key{{ID: 7, Secret: page.Secret{1}, CreatedAt: issued.Add(-page.RotateAfter)}}
	secret, taken, free, nonce := bytes.Repeat([]byte{2}, 32), []byte{0, 0, 0, 7}, []byte{0, 0, 0, 8}, make([]byte, 12)
	k := page.NewKeyring(w, w.now, bytes.NewReader(slices.Concat(secret, taken, free, nonce)))
	opens(t, k, seal(t, k))
	if got := w.keys[1].ID; got != 8 {
		t.Errorf("the new key has the id %d, want 8", got)
	}
}

func TestKeyringNeedsRandomness(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := page.NewKeyring(w, w.now, iotest.ErrReader(errReadOnly))
	if token, err := k.Seal(t.Context(), "A", middle); !errors.Is(err, errReadOnly) {
		t.Fatalf("Seal = %q, %v; want %v", token, err, errReadOnly)
	}
	w.calls(t, 1, 0)
}

// Replicas that start at the same moment each make a key at most; every token opens everywhere.
func TestKeyringsStartTogether(t *testing.T) {
	t.Parallel()
	w := newWorld()
	replicas := []*page.Keyring{w.replica(), w.replica(), w.replica()}
	var group sync.WaitGroup
	for i := range 60 {
		group.Go(func() {
			token, err := replicas[i%3].Seal(context.Background(), "A", middle)
			if err != nil {
				t.Error(err)
				return
			}
			for _, k := range replicas {
				if _, err := k.Open(context.Background(), "A", token); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if w.adds < 1 || w.adds > len(replicas) {
		t.Errorf("%d keys were made by %d replicas", w.adds, len(replicas))
	}
}

func TestKeyringWaitsOnlyForWhatItLacks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		k := w.replica()
		token := seal(t, k)
		gate := make(chan struct{})
		w.set(func(s *shelf) { s.gate = gate })
		stuck := make(chan error)
		go func() {
			_, err := k.Open(t.Context(), "A", foreign(t, 1))
			stuck <- err
		}()
		synctest.Wait() // the store is being read now

		opens(t, k, token)
		seal(t, k)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := k.Open(ctx, "A", foreign(t, 2)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Open behind a stuck store: %v, want %v", err, context.DeadlineExceeded)
		}
		close(gate)
		if wrong := refused(<-stuck); wrong != "" {
			t.Error(wrong)
		}
	})
}

// TestListsAreApart: a token of one list opens nothing of another, nor does an account
// that looks like both.
func TestListsAreApart(t *testing.T) {
	t.Parallel()
	k := newWorld().replica()
	c := page.Cursor{Size: 5, After: page.Position{CreateTime: time.UnixMicro(1).UTC(), ID: "c"}}
	lists := []page.List{page.Users, page.Applications}
	for _, sealed := range lists {
		token, err := k.SealList(t.Context(), sealed, "A", c)
		if err != nil {
			t.Fatal(err)
		}
		for _, opened := range lists {
			got, err := k.OpenList(t.Context(), opened, "A", token)
			if (err == nil) != (sealed == opened) || err == nil && got != c {
				t.Errorf("sealed for %q, opened for %q: got %v, error %v", sealed, opened, got, err)
			}
			if _, err := k.OpenList(t.Context(), opened, "B", token); err == nil {
				t.Errorf("sealed for %q of A, opened for %q of B", sealed, opened)
			}
		}
	}
}
