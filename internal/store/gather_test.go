package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// gathering is a gatherer whose runs last until they are told to end, and remember what they ran.
type gathering struct {
	*gatherer

	mu   sync.Mutex
	runs []string
	end  chan struct{} // a value for each run that is to end
	got  sync.WaitGroup
}

func gathers(runs, most int) *gathering {
	g := &gathering{end: make(chan struct{})}
	g.gatherer = newGatherer(runs, most, func(batch []*read) {
		var names []string
		for _, r := range batch {
			names = append(names, r.query)
		}
		g.mu.Lock()
		g.runs = append(g.runs, fmt.Sprint(names))
		g.mu.Unlock()
		<-g.end
		for _, r := range batch {
			r.err = errors.New("of " + r.query)
		}
	})
	return g
}

// comes lets somebody ask, and waits until all are at rest.
func (g *gathering) comes(name string, want string, t *testing.T) {
	t.Helper()
	g.got.Go(func() {
		if err := g.do(&read{query: name}); err == nil || err.Error() != want {
			t.Errorf("%s: got error %v, want %s", name, err, want)
		}
	})
	synctest.Wait()
}

func (g *gathering) wantRuns(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Equal(g.runs, want) {
		t.Errorf("ran %q, want %q", g.runs, want)
	}
}

func TestReadsGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gathers(1, 3)
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			g.comes(name, "of "+name, t)
		}
		g.wantRuns(t, "[a]")
		g.end <- struct{}{}
		g.wantRuns(t, "[a]", "[b c d]")
		g.end <- struct{}{}
		g.wantRuns(t, "[a]", "[b c d]", "[e]")
		g.end <- struct{}{}
		g.got.Wait()
	})
}

func TestRunsGoOnAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gathers(2, 3)
		for _, name := range []string{"a", "b", "c"} {
			g.comes(name, "of "+name, t)
		}
		g.wantRuns(t, "[a]", "[b]")
		for range 3 {
			g.end <- struct{}{}
			synctest.Wait()
		}
		g.wantRuns(t, "[a]", "[b]", "[c]")
		g.got.Wait()
	})
}

// TestReadIsGivenUp: who waits too long for a run to begin goes, and is not run; who is in a run stays.
func TestReadIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gathers(1, 3)
		g.comes("a", "of a", t)
		g.comes("b", errBusy.Error(), t)
		time.Sleep(longestTurn - time.Millisecond)
		g.comes("c", "of c", t)
		time.Sleep(2 * time.Millisecond)
		g.end <- struct{}{}
		g.wantRuns(t, "[a]", "[c]")
		time.Sleep(3 * longestTurn)
		g.end <- struct{}{}
		g.got.Wait()
	})
}

// TestCallIsPassedOn: one who is called at the moment when it goes lets the next one know.
func TestCallIsPassedOn(t *testing.T) {
	t.Parallel()
	for range 100 { // which of both it sees is left to chance
		synctest.Test(t, func(t *testing.T) {
			g := gathers(1, 1)
			g.comes("a", "of a", t)
			g.got.Go(func() {
				if err := g.do(&read{query: "b"}); err == nil {
					t.Error("got no error")
				}
			})
			time.Sleep(time.Millisecond)
			g.comes("c", "of c", t)
			time.Sleep(longestTurn - time.Millisecond)
			// Now b goes, and now it is called.
			for range 2 {
				g.end <- struct{}{}
			}
			synctest.Wait()
			select {
			case g.end <- struct{}{}: // b had not gone
			default:
			}
			g.got.Wait()
		})
	}
}

func TestRunBreaksOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		g := newGatherer(1, 2, func(batch []*read) {
			<-end
			batch[0].err = nil
			if batch[0].query == "b" {
				panic("broken off")
			}
		})
		var wg sync.WaitGroup
		errs := map[string]error{}
		var mu sync.Mutex
		panics := 0
		for _, name := range []string{"a", "b", "c", "d"} {
			wg.Go(func() {
				var err error
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					if recover() != nil {
						panics++
						return
					}
					errs[name] = err
				}()
				err = g.do(&read{query: name})
			})
			synctest.Wait()
		}
		for range 3 {
			end <- struct{}{}
			synctest.Wait()
		}
		wg.Wait()
		if panics != 1 || errs["a"] != nil || !errors.Is(errs["c"], errBrokeOff) || errs["d"] != nil {
			t.Errorf("%d panics and errors %v, want one and that c's read broke off", panics, errs)
		}
	})
}
