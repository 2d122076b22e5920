package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/internal/audit"
)

var crashSeed = flag.Uint64("crash-seed", 0, "seed of the crash test's choices; 0 draws one")

const (
	crashes        = 22
	crashWriters   = 6
	peopleOfWriter = 12
)

// TestCrash kills the server under load, again and again on one folder. Whatever was acknowledged holds, and is in the
// audit record, whose chain is whole; what was on its way has happened wholly or not at all.
func TestCrash(t *testing.T) {
	t.Parallel()
	chance := newChance(t)
	seeded := newSeed(t, crashWriters*peopleOfWriter)
	dir := filepath.Join(t.TempDir(), "data")
	args := append([]string{"--tls=off", "--data=" + dir, "--seed=" + seeded.file}, noLimits...)
	s := start(t, args...)
	writers := newWriters(t, s, seeded, chance)
	walk := decode[api.ListUsersResponse](t, s.must(t, s.askUsers(writers[0].bearer, "?max_page_size=3"))).NextPageToken
	for range crashes {
		crash(t, s, writers, chance)
		s = start(t, args...)
		s.must(t, s.askUsers(writers[0].bearer, "?page_token="+walk))
		eachWriter(writers, func(w *writer) { w.check(t, s) })
	}
	s.stop(t)
	rec := readRecord(t, dir, seeded.account)
	acknowledged := 0
	for _, w := range writers {
		acknowledged += w.compare(t, rec)
	}
	t.Logf("%d acknowledged writes, %d changes of state", acknowledged, len(rec.states))
}

func newChance(t *testing.T) *rand.Rand {
	t.Helper()
	n := *crashSeed
	if n == 0 {
		n = rand.Uint64()
	}
	t.Logf("the choices of this run again: -crash-seed=%d", n)
	return rand.New(rand.NewPCG(n, 0))
}

// crash kills the server at some moment under load: after a number of acknowledged writes, and a moment more.
func crash(t *testing.T, s *server, writers []*writer, chance *rand.Rand) {
	t.Helper()
	load := &load{reached: make(chan struct{})}
	load.left.Store(20 + chance.Int64N(300))
	moment := time.Duration(chance.Int64N(int64(8 * time.Millisecond)))
	killer := make(chan struct{})
	go func() {
		defer close(killer)
		select {
		case <-load.reached:
			<-time.After(moment)
		case <-s.ended: // the writers will complain
		}
		load.killed.Store(true)
		s.kill()
	}()
	eachWriter(writers, func(w *writer) { w.work(t, s, load) })
	<-killer
	s.calm(t)
	if t.Failed() {
		t.FailNow()
	}
}

func eachWriter(writers []*writer, do func(*writer)) {
	var wg sync.WaitGroup
	for _, w := range writers {
		wg.Go(func() { do(w) })
	}
	wg.Wait()
}

// load is shared by the writers of one round.
type load struct {
	left    atomic.Int64  // acknowledged writes until the kill
	reached chan struct{} // closed when there are none
	killed  atomic.Bool
}

func (l *load) acknowledge() {
	if l.left.Add(-1) == 0 {
		close(l.reached)
	}
}

// writer changes people and tokens that nobody else touches, so that it knows what must be.
type writer struct {
	name   string
	chance *rand.Rand
	bearer string // never revoked
	people []person
	tokens []token
	writes []write
}

// person is what a writer knows of somebody; unsure after a change that was not acknowledged.
type person struct {
	id     string
	state  api.State
	unsure bool
}

// token is an access token; live, revoked, or unsure after a revocation that was not acknowledged.
type token struct {
	text         string
	live, unsure bool
}

// write is one write request, and the audit entry that it must have left if it was acknowledged.
type write struct {
	id           string
	acknowledged bool
	want         entry
}

func newWriters(t *testing.T, s *server, seeded seed, chance *rand.Rand) []*writer {
	t.Helper()
	writers := make([]*writer, crashWriters)
	for i := range writers {
		w := &writer{name: fmt.Sprintf("writer-%d", i), chance: rand.New(rand.NewPCG(chance.Uint64(), 0)), bearer: s.issue(t)}
		for _, id := range seeded.people[i*peopleOfWriter : (i+1)*peopleOfWriter] {
			w.people = append(w.people, person{id: id, state: api.StateActive})
		}
		writers[i] = w
	}
	return writers
}

// work writes until the server is gone.
func (w *writer) work(t *testing.T, s *server, l *load) {
	for {
		err := w.write(t, s)
		switch {
		case err == nil:
			l.acknowledge()
		case l.killed.Load():
			return
		default:
			t.Errorf("%s: before the kill: %v\n%s", w.name, err, &s.stderr)
			return
		}
	}
}

// write makes one change; the error is that of a request that was not answered.
func (w *writer) write(t *testing.T, s *server) error {
	switch n := w.chance.IntN(100); {
	case n < 60:
		return w.change(t, s, &w.people[w.chance.IntN(len(w.people))])
	case n < 80 && len(w.tokens) > 0:
		if tok := &w.tokens[w.chance.IntN(len(w.tokens))]; tok.live {
			return w.revoke(t, s, tok)
		}
	}
	return w.issue(t, s)
}

// change suspends or reactivates somebody; every fourth time it changes nothing.
func (w *writer) change(t *testing.T, s *server, p *person) error {
	aim, verb, action := api.StateSuspended, "suspend", audit.UserSuspend
	if (p.state == api.StateSuspended) != (w.chance.IntN(4) == 0) {
		aim, verb, action = api.StateActive, "reactivate", audit.UserReactivate
	}
	outcome := audit.Done
	if p.state == aim {
		outcome = audit.Unchanged
	}
	p.unsure = p.state != aim
	a, err := w.send(t, s, entry{action, p.id, outcome}, func(id string) ask { return s.askAct(w.bearer, p.id, verb, id) })
	if err != nil {
		return err
	}
	p.state, p.unsure = aim, false
	if got := decode[api.User](t, a).State; got != aim {
		t.Errorf("%s of %s: the answer says %s, want %s", verb, p.id, got, aim)
	}
	return nil
}

func (w *writer) issue(t *testing.T, s *server) error {
	a, err := w.send(t, s, entry{audit.TokenIssue, "", audit.Done}, s.askToken)
	if err == nil {
		w.tokens = append(w.tokens, token{text: decode[api.TokenResponse](t, a).AccessToken, live: true})
	}
	return err
}

func (w *writer) revoke(t *testing.T, s *server, tok *token) error {
	tok.live, tok.unsure = false, true
	_, err := w.send(t, s, entry{audit.TokenRevoke, "", audit.Done}, func(id string) ask { return s.askRevoke(tok.text, id) })
	tok.unsure = err != nil
	return err
}

// send makes a write under a new request id, and remembers what it must leave in the record.
func (w *writer) send(t *testing.T, s *server, want entry, q func(id string) ask) (answer, error) {
	id := fmt.Sprintf("%s-%d", w.name, len(w.writes))
	a, err := s.do(t.Context(), q(id))
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s %s: got %v, want 200", want.Action, want.Target, a)
	}
	w.writes = append(w.writes, write{id, err == nil, want})
	return a, err
}

// check asks the restarted server for everything the writer knows.
func (w *writer) check(t *testing.T, s *server) {
	for i := range w.people {
		p := &w.people[i]
		a, err := s.do(t.Context(), s.askUsers(w.bearer, "/"+p.id))
		if err != nil || a.status != http.StatusOK {
			t.Errorf("%s: %s after the restart: %v, %v", w.name, p.id, a, err)
			return
		}
		got := decode[api.User](t, a).State
		if got != p.state && !p.unsure {
			t.Errorf("%s is %s after the restart; %s was acknowledged", p.id, got, p.state)
		}
		p.state, p.unsure = got, false
	}
	for i := range w.tokens {
		w.checkToken(t, s, &w.tokens[i])
	}
}

func (w *writer) checkToken(t *testing.T, s *server, tok *token) {
	a, err := s.do(t.Context(), s.askUsers(tok.text, "/"+w.people[0].id))
	if err != nil || (a.status != http.StatusOK && a.status != http.StatusUnauthorized) {
		t.Errorf("%s: with a token after the restart: %v, %v, want 200 or 401", w.name, a, err)
		return
	}
	works := a.status == http.StatusOK
	if works != tok.live && !tok.unsure {
		t.Errorf("%s: a token that is live: %v, works after the restart: %v", w.name, tok.live, works)
	}
	tok.live, tok.unsure = works, false
}

// compare holds what was acknowledged against the audit record, and returns how much it was.
func (w *writer) compare(t *testing.T, rec record) (acknowledged int) {
	for _, wr := range w.writes {
		got := rec.byID[wr.id]
		if len(got) == 0 && !wr.acknowledged {
			continue // it never happened
		}
		acknowledged++
		if diff := cmp.Diff([]entry{wr.want}, got); diff != "" {
			t.Errorf("audit entries of request %s (acknowledged: %v): (-want +got)\n%s", wr.id, wr.acknowledged, diff)
		}
	}
	for _, p := range w.people {
		state := api.StateActive
		for _, e := range rec.states {
			if e.Target != p.id {
				continue
			}
			if (e.Action == audit.UserSuspend) != (state == api.StateActive) {
				t.Errorf("%s was %s when entry %d of the chain says %s", p.id, state, e.Seq, e.Action)
			}
			state = map[audit.Action]api.State{audit.UserSuspend: api.StateSuspended, audit.UserReactivate: api.StateActive}[e.Action]
		}
		if state != p.state {
			t.Errorf("%s is %s, and %s by the record", p.id, p.state, state)
		}
	}
	return acknowledged
}
