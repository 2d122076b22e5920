package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/failover/history"
)

const (
	active    = "ACTIVE"
	suspended = "SUSPENDED"
	// openFor is how long a change that was not acknowledged may still happen: a server that is frozen meanwhile, and a
	// transaction that the database keeps for 15 s.
	openFor = 20 * time.Second
	// pace is how long a worker rests between two requests: this is about what is answered, not about how much.
	pace = 10 * time.Millisecond
)

// workload is several clients that each change people of their own, and two owners who are suspended at once.
type workload struct {
	client  *client
	app     app
	workers []*worker
	owners  *duel
	tally   tally
}

// worker changes its own people, one request after the other.
type worker struct {
	load   *workload
	random *rand.Rand
	people []*person
	token  string
}

type person struct {
	id    string
	state *history.Thing[string]
}

// newWorkload shares people out among workers. The first two are the owners.
func newWorkload(base string, a app, ids []string, workers int, seed uint64) *workload {
	l := &workload{client: newClient(base), app: a}
	l.tally.wrong = map[string]int{}
	l.owners = &duel{load: l, a: newPerson(ids[0]), b: newPerson(ids[1])}
	for i := range workers {
		l.workers = append(l.workers, &worker{load: l, random: rand.New(rand.NewPCG(seed, uint64(i)))}) //nolint:gosec // G404: a workload that can be had again
	}
	for i, id := range ids[2:] {
		w := l.workers[i%workers]
		w.people = append(w.people, newPerson(id))
	}
	return l
}

func newPerson(id string) *person { return &person{id, history.New(id, active)} }

// run works until ctx ends.
func (l *workload) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, w := range l.workers {
		wg.Go(func() {
			for pause(ctx, pace) {
				w.step(ctx)
			}
		})
	}
	wg.Go(func() {
		for pause(ctx, 10*pace) {
			l.owners.round(ctx)
		}
	})
	wg.Wait()
}

// pause rests, and tells whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return ctx.Err() == nil
	}
}

// step makes one change or asks one question. A request that was begun is waited for, also when the work is to end.
func (w *worker) step(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if w.token == "" {
		w.token, _ = w.issue(ctx)
		return
	}
	p := w.people[w.random.IntN(len(w.people))]
	switch n := w.random.IntN(100); {
	case n < 15:
		w.tokenLife(ctx, p)
	case n < 40 || !p.state.Settled(time.Now()):
		w.look(ctx, p)
	default:
		w.flip(ctx, p)
	}
}

func (w *worker) issue(ctx context.Context) (string, bool) {
	token, a := w.load.client.issue(ctx, w.load.app)
	if a.outcome == refused {
		w.load.tally.violation("issue a token: %d %s %v", a.status, a.body, a.err)
	}
	w.load.tally.count(a, false)
	return token, a.outcome == done
}

// look reads a person: what is read must be possible.
func (w *worker) look(ctx context.Context, p *person) {
	state, a := w.load.client.user(ctx, w.load.app, w.token, p.id, "")
	w.load.tally.count(a, false)
	switch a.outcome {
	case done:
		if err := p.state.Seen(state, a.began); err != nil {
			w.load.tally.violation("%v", err)
		}
	case refused:
		w.load.tally.violation("read %s: %d %s %v", p.id, a.status, a.body, a.err)
		w.token = ""
	case unknown:
	}
}

// flip suspends who is active and reactivates who is suspended.
func (w *worker) flip(ctx context.Context, p *person) {
	now, certain := p.state.Certain()
	if !certain {
		w.look(ctx, p)
		return
	}
	change(ctx, w.load, w.token, p, other(now))
}

func other(state string) string {
	if state == active {
		return suspended
	}
	return active
}

// change sets a person's state and remembers what is known of it then.
func change(ctx context.Context, l *workload, token string, p *person, to string) answer {
	verb := ":suspend"
	if to == active {
		verb = ":reactivate"
	}
	state, a := l.client.user(ctx, l.app, token, p.id, verb)
	l.tally.count(a, true)
	at := a.began.Add(a.took)
	switch {
	case a.outcome == done && state == to:
		p.state.Acknowledged(to, at)
	case a.outcome == done:
		l.tally.violation("%s%s: answered with state %s", p.id, verb, state)
	case a.outcome == unknown:
		p.state.Unknown(to, at, at.Add(openFor))
	default:
		p.state.Refused(to, at)
		if !strings.Contains(string(a.body), "no_owner_remain") {
			l.tally.violation("%s%s: %d %s %v", p.id, verb, a.status, a.body, a.err)
		}
	}
	return a
}

// tokenLife gets a token, uses it, ends it, and tries to use it again.
func (w *worker) tokenLife(ctx context.Context, p *person) {
	token, ok := w.issue(ctx)
	if !ok {
		return
	}
	l := w.load
	if _, a := l.client.user(ctx, l.app, token, p.id, ""); a.status == http.StatusUnauthorized {
		l.tally.violation("a token that was acknowledged is refused: %s", a.body)
	}
	a := l.client.revoke(ctx, l.app, token)
	l.tally.count(a, true)
	switch a.outcome {
	case refused:
		l.tally.violation("revoke a token: %d %s %v", a.status, a.body, a.err)
	case done:
		if _, a := l.client.user(ctx, l.app, token, p.id, ""); a.status != http.StatusUnauthorized && a.outcome != unknown {
			l.tally.violation("a token that was revoked works: %d %s", a.status, a.body)
		}
	case unknown:
	}
}

// duel suspends the only two owners at the same moment, again and again: at most one may be.
type duel struct {
	load  *workload
	a, b  *person
	token string
	won   int
}

func (d *duel) round(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if d.token == "" {
		d.token, _ = (&worker{load: d.load}).issue(ctx)
		return
	}
	if !d.restored(ctx) {
		return
	}
	var answers [2]answer
	var wg sync.WaitGroup
	for i, p := range []*person{d.a, d.b} {
		wg.Go(func() { answers[i] = change(ctx, d.load, d.token, p, suspended) })
	}
	wg.Wait()
	if answers[0].outcome == done && answers[1].outcome == done {
		d.load.tally.violation("both owners were suspended: %s and %s", d.a.id, d.b.id)
	}
	if answers[0].outcome == done || answers[1].outcome == done {
		d.won++
	}
}

// restored brings both back, and tells whether they are: it takes several rounds when answers are missing.
func (d *duel) restored(ctx context.Context) bool {
	ready := true
	for _, p := range []*person{d.a, d.b} {
		if !p.state.Settled(time.Now()) {
			return false
		}
		if state, certain := p.state.Certain(); certain && state == active {
			continue
		}
		// A suspension that was refused or is over: reactivating is right whatever came of it.
		ready = change(ctx, d.load, d.token, p, active).outcome == done && ready
	}
	return ready
}

// tally counts what was answered.
type tally struct {
	mu       sync.Mutex
	answered int // as it should be
	changes  int // of these, changes
	busy     int // 503 with Retry-After
	cut      int // no answer
	slowest  time.Duration
	wrong    map[string]int
	lastGood time.Time     // when a change was acknowledged last
	gap      time.Duration // the longest time without one since reset
}

func (t *tally) count(a answer, isChange bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slowest = max(t.slowest, a.took)
	switch {
	case a.bare:
		t.wrong["503 without Retry-After: "+string(a.body)]++
	case a.outcome == unknown && a.err != nil:
		t.cut++
	case a.outcome == unknown:
		t.busy++
	case a.outcome == done:
		t.answered++
		if isChange {
			t.changes++
			now := time.Now()
			if !t.lastGood.IsZero() {
				t.gap = max(t.gap, now.Sub(t.lastGood))
			}
			t.lastGood = now
		}
	}
}

// violation notes an answer that can't be right.
func (t *tally) violation(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong[fmt.Sprintf(format, args...)]++
}

// snapshot is what was counted since the one before, which it ends.
type snapshot struct {
	answered, changes, busy, cut int
	slowest, gap                 time.Duration
}

func (t *tally) reset() snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := snapshot{t.answered, t.changes, t.busy, t.cut, t.slowest, max(t.gap, since(t.lastGood))}
	t.answered, t.changes, t.busy, t.cut, t.slowest, t.gap = 0, 0, 0, 0, 0, 0
	return s
}

func since(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return time.Since(at)
}

// err is everything that was wrong.
func (t *tally) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for what, times := range t.wrong {
		errs = append(errs, fmt.Errorf("wrong answer, %d times: %s", times, what))
		if len(errs) == 20 {
			break
		}
	}
	return errors.Join(errs...)
}
