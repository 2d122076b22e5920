package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/failover/cluster"
	"github.com/rollcall-id/rollcall/failover/history"
)

const (
	// operations is how many answers are judged at least.
	operations = 100_000
	// disturbed is how long the test may take.
	disturbed = 8 * time.Minute
)

// TestNoStaleAnswers: what was acknowledged by one replica holds on the others at the next request, while
// replicas are frozen for moments and sessions with the database are cut at any time.
func TestNoStaleAnswers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), disturbed)
	defer cancel()
	s := newSite(ctx, t)
	work, finish := context.WithCancel(ctx)
	defer finish()
	var wg sync.WaitGroup
	for i := range staleWorkers {
		w := s.worker(i)
		wg.Go(func() {
			for work.Err() == nil && s.judged.Load() < operations {
				w.round(ctx)
			}
		})
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.disturb(work, t)
	}()
	wg.Wait()
	finish()
	<-stopped
	t.Logf("%d answers judged: %d changes acknowledged, %d without an answer or 503; %d freezes, %d cuts",
		s.judged.Load(), s.changed.Load(), s.lost.Load(), s.freezes, s.cuts)
	if got := s.judged.Load(); got < operations {
		t.Errorf("only %d operations in %s", got, disturbed)
	}
	if s.freezes == 0 || s.cuts == 0 { // the store hides most cuts from clients, so that none may be lost
		t.Error("nothing was disturbed")
	}
	for _, wrong := range s.violations {
		t.Error(wrong)
	}
}

const staleWorkers = 16

// tenant is an account of one worker's own: a change holds an account's row, and if its replica is frozen then, it
// holds up everybody of the account.
type tenant struct {
	manager app // may manage applications
	ids     []string
}

// site is three replicas on one database, each called by itself.
type site struct {
	ground   *cluster.Ground
	database *cluster.Single
	replicas []*cluster.Replica
	clients  []*client
	tenants  []tenant

	judged, changed, lost atomic.Int64
	freezes, cuts         int

	mu         sync.Mutex
	violations []string
}

func newSite(ctx context.Context, t *testing.T) *site {
	t.Helper()
	g, err := cluster.NewGround()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for i := range 3 {
				t.Log(g.Tail(fmt.Sprintf("rollcall%d", i+1)))
			}
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{ground: g}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(g.Dir, "built")
	must(build(ctx, program))
	binary, err := g.Install(program)
	must(err)
	s.database, err = cluster.StartSingle(ctx, g)
	must(err)
	url := cluster.URL(s.database.Addr())
	for i := range staleWorkers {
		made, err := newTenant(ctx, g, binary, url, i)
		must(err)
		s.tenants = append(s.tenants, made)
	}
	for i := range 3 {
		r, err := cluster.StartReplica(ctx, binary, fmt.Sprintf("rollcall%d", i+1), s.database.Addr())
		must(err)
		s.replicas = append(s.replicas, r)
		s.clients = append(s.clients, newClient(r.Base()))
	}
	return s
}

func newTenant(ctx context.Context, g *cluster.Ground, binary *cluster.Binary, url string, number int) (tenant, error) {
	var made tenant
	var account struct{ ID string }
	if err := binary.Admin(ctx, url, &account, "account", "create", fmt.Sprintf("Tenant %d", number)); err != nil {
		return made, err
	}
	var csv strings.Builder
	csv.WriteString("id,email,display_name\n")
	for i := range stalePeople {
		id := fmt.Sprintf("%016d%06dAAAA", number, i)
		id = strings.NewReplacer("0", "B", "1", "C", "8", "D", "9", "E").Replace(id) // of the letters of base32
		made.ids = append(made.ids, id)
		fmt.Fprintf(&csv, "%s,p%d@example.com,Person %d\n", id, i, i)
	}
	file, err := g.Write("people.csv", csv.String(), 0o600)
	if err != nil {
		return made, err
	}
	if err := binary.Admin(ctx, url, nil, "user", "import", file, "--account", account.ID); err != nil {
		return made, err
	}
	return made, binary.Admin(ctx, url, &made.manager, "app", "create", "Manager", "--permissions", allPermissions, "--account", account.ID)
}

const (
	stalePeople    = 40 // of each tenant
	allPermissions = "users.list,users.get,users.suspend,users.reactivate,oauth_clients.read,oauth_clients.write"
)

// disturb freezes a replica, or cuts sessions, again and again until ctx ends.
func (s *site) disturb(ctx context.Context, t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for pause(ctx, 600*time.Millisecond) {
		if random.IntN(3) == 0 {
			if err := s.database.CutSessions(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("cut sessions: %v", err)
			}
			s.cuts++
			continue
		}
		r := s.replicas[random.IntN(len(s.replicas))]
		if err := r.Freeze(); err != nil {
			t.Error(err)
			return
		}
		pause(ctx, time.Duration(50+random.IntN(250))*time.Millisecond)
		if err := r.Thaw(); err != nil {
			t.Error(err)
			return
		}
		s.freezes++
	}
}

func (s *site) violation(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.violations) < 20 {
		s.violations = append(s.violations, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

// count counts an answer, and tells whether there is one to judge.
func (s *site) count(a answer, change bool) bool {
	switch {
	case a.bare:
		s.violation("503 without Retry-After: %s", a.body)
	case a.outcome == unknown:
		s.lost.Add(1)
	default:
		s.judged.Add(1)
		if change && a.outcome == done {
			s.changed.Add(1)
		}
		return true
	}
	return false
}

// staleWorker owns people and one application that others may not touch.
type staleWorker struct {
	*site
	tenant

	random  *rand.Rand
	people  []*person
	manages string // a token of the manager
	subject app
	token   string // a token of the subject
}

func (s *site) worker(i int) *staleWorker {
	w := &staleWorker{site: s, tenant: s.tenants[i], random: rand.New(rand.NewPCG(2, uint64(i)))}
	for _, id := range w.ids {
		w.people = append(w.people, &person{id, history.New(id, active)})
	}
	return w
}

// three returns the replicas in a random order: one to change something by, two to look.
func (w *staleWorker) three() (a, b, c *client) {
	order := w.random.Perm(3)
	return w.clients[order[0]], w.clients[order[1]], w.clients[order[2]]
}

// round makes one change by one replica and looks by the others.
func (w *staleWorker) round(ctx context.Context) {
	if !w.equipped(ctx) {
		return
	}
	switch n := w.random.IntN(100); {
	case n < 60:
		w.person(ctx)
	case n < 80:
		w.revocation(ctx)
	case n < 86:
		w.rotation(ctx)
	case n < 92:
		w.disabling(ctx)
	case n < 98:
		w.permission(ctx)
	default:
		w.deletion(ctx)
	}
}

// equipped gets what is missing: an application after one that was deleted, or of which nobody knows how it is.
func (w *staleWorker) equipped(ctx context.Context) bool {
	a, b, c := w.three()
	if w.manages == "" {
		token, got := a.issue(ctx, w.manager)
		w.count(got, true)
		w.manages = token
		return false
	}
	if w.subject.ID == "" {
		made, got := b.create(ctx, w.manager, w.manages)
		w.count(got, true)
		w.subject, w.token = made, ""
		return false
	}
	if w.token == "" {
		token, got := c.issue(ctx, w.subject)
		if w.count(got, true) && got.outcome == refused {
			w.violation("a secret that was acknowledged is refused: %d %s", got.status, got.body)
			w.subject = app{}
		}
		w.token = token
	}
	return w.token != ""
}

// expect asks for a person by the subject's token and judges the status.
func (w *staleWorker) expect(ctx context.Context, c *client, token string, want int, after string) {
	_, a := c.user(ctx, w.subject, token, w.people[0].id, "")
	if w.count(a, false) && a.status != want {
		w.violation("after %s: status %d, want %d: %s", after, a.status, want, a.body)
	}
}

// expectIssue asks for a token by a secret and judges the status.
func (w *staleWorker) expectIssue(ctx context.Context, c *client, a app, want int, after string) {
	_, got := c.issue(ctx, a)
	if w.count(got, false) && got.status != want {
		w.violation("after %s: a token is answered with %d, want %d: %s", after, got.status, want, got.body)
	}
}

func (w *staleWorker) person(ctx context.Context) {
	a, b, c := w.three()
	p := w.people[w.random.IntN(len(w.people))]
	now, certain := p.state.Certain()
	if certain {
		to, verb := suspended, ":suspend"
		if now == suspended {
			to, verb = active, ":reactivate"
		}
		_, got := a.user(ctx, w.subject, w.token, p.id, verb)
		at := got.began.Add(got.took)
		switch {
		case !w.count(got, true):
			p.state.Unknown(to, at, at.Add(openFor))
		case got.outcome == done:
			p.state.Acknowledged(to, at)
		default:
			w.violation("%s%s: %d %s", p.id, verb, got.status, got.body)
			return
		}
	}
	for _, other := range []*client{b, c} {
		state, got := other.user(ctx, w.subject, w.token, p.id, "")
		if !w.count(got, false) {
			continue
		}
		if got.outcome != done {
			w.violation("read %s: %d %s", p.id, got.status, got.body)
		} else if err := p.state.Seen(state, got.began); err != nil {
			w.violation("%v", err)
		}
	}
}

// revocation issues a token by one replica, and ends it by another.
func (w *staleWorker) revocation(ctx context.Context) {
	a, b, c := w.three()
	token, got := a.issue(ctx, w.subject)
	if !w.count(got, true) || got.outcome != done {
		return
	}
	w.expect(ctx, b, token, http.StatusOK, "issuing a token")
	w.expect(ctx, c, token, http.StatusOK, "issuing a token")
	if got := c.revoke(ctx, w.subject, token); !w.count(got, true) || got.outcome != done {
		return
	}
	w.expect(ctx, a, token, http.StatusUnauthorized, "revoking it")
	w.expect(ctx, b, token, http.StatusUnauthorized, "revoking it")
}

// manage changes the subject by one replica, and tells whether it was acknowledged. Of an application of which that is
// not known nothing more is asked.
func (w *staleWorker) manage(ctx context.Context, c *client, method, verb, body string) (answer, bool) {
	got := c.application(ctx, w.manager, w.manages, method, w.subject.ID+verb, body)
	if w.count(got, true) && got.outcome == done {
		return got, true
	}
	if got.outcome == refused {
		w.violation("%s %s: %d %s %v", method, verb, got.status, got.body, got.err)
	}
	w.subject, w.token = app{}, ""
	return got, false
}

func (w *staleWorker) rotation(ctx context.Context) {
	a, b, c := w.three()
	before, token := w.subject, w.token
	got, ok := w.manage(ctx, a, http.MethodPost, ":rotate-secret", "")
	if !ok {
		return
	}
	w.expect(ctx, b, token, http.StatusUnauthorized, "rotating its secret")
	w.expectIssue(ctx, c, before, http.StatusUnauthorized, "rotating it")
	w.subject.Secret, w.token = secretOf(got), ""
	w.expectIssue(ctx, b, w.subject, http.StatusOK, "making it by rotating")
}

func (w *staleWorker) disabling(ctx context.Context) {
	a, b, c := w.three()
	if _, ok := w.manage(ctx, a, http.MethodPost, ":disable", ""); !ok {
		return
	}
	w.expect(ctx, b, w.token, http.StatusUnauthorized, "disabling its application")
	w.expectIssue(ctx, c, w.subject, http.StatusUnauthorized, "disabling the application")
	if _, ok := w.manage(ctx, b, http.MethodPost, ":enable", ""); !ok {
		return
	}
	w.expect(ctx, a, w.token, http.StatusOK, "enabling its application")
	w.expectIssue(ctx, c, w.subject, http.StatusOK, "enabling the application")
}

func (w *staleWorker) permission(ctx context.Context) {
	a, b, c := w.three()
	if _, ok := w.manage(ctx, a, http.MethodPatch, "", `{"permissions":["users.list"]}`); !ok {
		return
	}
	w.expect(ctx, b, w.token, http.StatusForbidden, "taking the permission away")
	w.expect(ctx, c, w.token, http.StatusForbidden, "taking the permission away")
	if _, ok := w.manage(ctx, c, http.MethodPatch, "", `{"permissions":["`+strings.ReplaceAll(subjectPermissions, ",", `","`)+`"]}`); !ok {
		return
	}
	w.expect(ctx, a, w.token, http.StatusOK, "giving the permission back")
}

func (w *staleWorker) deletion(ctx context.Context) {
	a, b, c := w.three()
	before, token := w.subject, w.token
	if _, ok := w.manage(ctx, a, http.MethodDelete, "", ""); !ok {
		return
	}
	w.expect(ctx, b, token, http.StatusUnauthorized, "deleting its application")
	w.expectIssue(ctx, c, before, http.StatusUnauthorized, "deleting the application")
	w.subject, w.token = app{}, ""
}
