package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/failover/cluster"
)

const (
	replicas = 3
	workers  = 8
	people   = 2 + workers*25
	// calm is how long the workload runs undisturbed between two events.
	calm = time.Second
	// recovery bounds how long anything may take to come back by itself.
	recovery = 90 * time.Second
)

// trial is an installation under load.
type trial struct {
	ground   *cluster.Ground
	database *cluster.Database
	binary   *cluster.Binary
	newer    string          // another binary, to be installed over the first
	wires    []*cluster.Wire // of each replica to the database
	replicas []*cluster.Replica
	front    *cluster.Front
	load     *workload
}

func newTrial(ctx context.Context, g *cluster.Ground, seed uint64) (*trial, error) {
	t := &trial{ground: g, newer: filepath.Join(g.Dir, "newer")}
	older := filepath.Join(g.Dir, "older")
	if err := errors.Join(build(ctx, older), build(ctx, t.newer, "-ldflags=-s")); err != nil {
		return nil, err
	}
	var err error
	if t.binary, err = g.Install(older); err != nil {
		return nil, err
	}
	if t.database, err = cluster.StartDatabase(ctx, g); err != nil {
		return nil, err
	}
	a, ids, err := t.seed(ctx)
	if err != nil {
		return nil, err
	}
	for i := range replicas {
		name := fmt.Sprintf("rollcall%d", i+1)
		wire, err := cluster.NewWire(name, t.database.Addr())
		if err != nil {
			return nil, err
		}
		r, err := cluster.StartReplica(ctx, t.binary, name, wire.Addr())
		if err != nil {
			return nil, err
		}
		t.wires = append(t.wires, wire)
		t.replicas = append(t.replicas, r)
	}
	root, err := repository()
	if err != nil {
		return nil, err
	}
	if t.front, err = cluster.StartFront(ctx, g, filepath.Join(root, "deploy/compose/haproxy.cfg"), t.replicas); err != nil {
		return nil, err
	}
	t.load = newWorkload(t.front.Base(), a, ids, workers, seed)
	return t, nil
}

// seed makes an account, its people, of whom the first two are owners, and an application.
func (t *trial) seed(ctx context.Context) (app, []string, error) {
	url := cluster.URL(t.database.Addr())
	var a app
	if err := t.binary.Admin(ctx, url, nil, "account", "create", "Failover"); err != nil {
		return a, nil, err
	}
	var csv strings.Builder
	csv.WriteString("email,display_name,groups\n")
	for i := range people {
		group := ""
		if i < 2 {
			group = "owners"
		}
		fmt.Fprintf(&csv, "p%d@example.com,Person %d,%s\n", i, i, group)
	}
	file, err := t.ground.Write("people.csv", csv.String(), 0o600)
	if err != nil {
		return a, nil, err
	}
	if err := t.binary.Admin(ctx, url, nil, "user", "import", file); err != nil {
		return a, nil, err
	}
	if err := t.binary.Admin(ctx, url, &a, "app", "create", "Failover", "--permissions", "users.list,users.get,users.suspend,users.reactivate"); err != nil {
		return a, nil, err
	}
	ids, err := t.ids(ctx)
	return a, ids, err
}

// ids are those of all people in the order of their addresses' numbers.
func (t *trial) ids(ctx context.Context) ([]string, error) {
	rows, err := t.people(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, people)
	for _, row := range rows {
		var n int
		if _, err := fmt.Sscanf(row.email, "p%d@example.com", &n); err != nil || n >= people {
			return nil, fmt.Errorf("somebody is %q: %w", row.email, err)
		}
		ids[n] = row.id
	}
	return ids, nil
}

type row struct{ id, email, state string }

// people reads everybody's state from the primary itself, past rollcall.
func (t *trial) people(ctx context.Context) ([]row, error) {
	c, err := t.database.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx) //nolint:errcheck // nothing was written
	rows, err := c.Query(ctx, "SELECT id, email, state FROM users")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.email, &r.state); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// run has the events happen one after the other under load, and then looks what is true.
func (t *trial) run(ctx context.Context, only string) error {
	work, finish := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { t.load.run(work) })
	err := t.events(ctx, only)
	finish()
	wg.Wait()
	return errors.Join(err, t.load.tally.err(), t.verify(ctx))
}

func (t *trial) events(ctx context.Context, only string) error {
	fmt.Printf("%-44s %8s %9s %6s %6s %9s %9s\n", "event", "took", "answered", "503", "cut", "gap", "slowest")
	for _, e := range events {
		if !strings.Contains(e.name, only) {
			continue
		}
		pause(ctx, calm)
		t.load.tally.reset()
		began := time.Now()
		err := e.happen(ctx, t)
		if err == nil {
			err = t.isWell(ctx)
		}
		s := t.load.tally.reset()
		fmt.Printf("%-44s %6.1f s %9d %6d %6d %7.1f s %7.1f s\n", e.name, time.Since(began).Seconds(), s.answered, s.busy, s.cut, s.gap.Seconds(), s.slowest.Seconds())
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", e.name, err)
		case e.unnoticed && s.busy+s.cut > 0:
			return fmt.Errorf("%s: %d requests got 503 and %d no answer; none should", e.name, s.busy, s.cut)
		case e.within > 0 && s.slowest > e.within:
			return fmt.Errorf("%s: a request had no answer for %s; at most %s was promised", e.name, s.slowest, e.within)
		}
	}
	return nil
}

// isWell waits until every replica is ready and changes are made again.
func (t *trial) isWell(ctx context.Context) error {
	for _, r := range t.replicas {
		if err := r.WaitReady(ctx, recovery); err != nil {
			return err
		}
	}
	var last answer
	err := cluster.Until(ctx, recovery, "a token is issued", func(ctx context.Context) bool {
		_, last = t.load.client.issue(ctx, t.load.app)
		return last.outcome == done
	})
	if err != nil {
		return fmt.Errorf("%w: %d %s %w", err, last.status, last.body, last.err)
	}
	return nil
}

// verify looks at everybody, by the API and in the database, once nothing can happen any more, and at the audit record.
func (t *trial) verify(ctx context.Context) error {
	began := time.Now()
	if !pause(ctx, openFor) {
		return ctx.Err()
	}
	token, a := t.load.client.issue(ctx, t.load.app)
	if a.outcome != done {
		return fmt.Errorf("verify: issue a token: %d %s %w", a.status, a.body, a.err)
	}
	all := []*person{t.load.owners.a, t.load.owners.b}
	for _, w := range t.load.workers {
		all = append(all, w.people...)
	}
	inDatabase, err := t.people(ctx)
	if err != nil {
		return err
	}
	states := map[string]string{}
	for _, row := range inDatabase {
		states[row.id] = strings.ToUpper(row.state)
	}
	var errs []error
	certain, activeOwners := 0, 0
	for i, p := range all {
		if _, ok := p.state.Certain(); ok {
			certain++
		}
		state, a := t.load.client.user(ctx, t.load.app, token, p.id, "")
		if a.status != http.StatusOK {
			errs = append(errs, fmt.Errorf("verify %s: %d %s %w", p.id, a.status, a.body, a.err))
			continue
		}
		if i < 2 && state == active {
			activeOwners++
		}
		errs = append(errs, p.state.Seen(state, a.began))
		if states[p.id] != state {
			errs = append(errs, fmt.Errorf("verify %s: the API says %s, the database %s", p.id, state, states[p.id]))
		}
	}
	if activeOwners == 0 {
		errs = append(errs, errors.New("verify: no owner is left"))
	}
	if t.load.owners.won == 0 {
		errs = append(errs, errors.New("verify: no owner was ever suspended, so the rule was not tried"))
	}
	errs = append(errs, t.binary.Admin(ctx, cluster.URL(t.database.Addr()), nil, "audit", "verify"))
	fmt.Printf("%-44s %6.1f s   %d people, of %d nothing was in doubt; owners suspended %d times\n", "verify", time.Since(began).Seconds(), len(all), certain, t.load.owners.won)
	return errors.Join(errs...)
}
