package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/failover/cluster"
)

// event is something that happens to the installation. It returns when it is over and all is as before; unnoticed ones
// fail no request.
type event struct {
	name      string
	happen    func(context.Context, *trial) error
	unnoticed bool
	within    time.Duration // each request has an answer within it; 0 = of some nobody may ever hear
}

// The last event is one that leaves no request in doubt, and takes long enough for every doubt of before to end: then
// everything is certain when it is looked at in the end.
var events = []event{
	{name: "nothing", happen: nothing, unnoticed: true},
	{name: "the network to the database is slow", happen: slow, unnoticed: true},
	{name: "the network to the database is cut", happen: network("cut", cut), within: answerWithin},
	{name: "the network to the database swallows all", happen: network("black hole", swallow), within: answerWithin},
	{name: "the primary is killed", happen: primary((*cluster.Node).Kill, (*cluster.Node).Start)},
	{name: "the primary freezes and comes back", happen: primary((*cluster.Node).Freeze, (*cluster.Node).Thaw)},
	{name: "the primary is cut off from etcd", happen: primary(isolate, reunite)},
	{name: "a standby is killed", happen: standby},
	{name: "a replica is killed", happen: killReplica},
	{name: "a replica freezes and comes back", happen: freezeReplica},
	{name: "all replicas in turn get another binary", happen: upgrade, unnoticed: true},
}

func nothing(ctx context.Context, _ *trial) error {
	pause(ctx, 3*time.Second)
	return ctx.Err()
}

func isolate(n *cluster.Node) error {
	n.Isolate()
	return nil
}

func reunite(n *cluster.Node) error { return n.Reunite(context.Background()) }

// primary harms the primary, waits for another one, undoes the harm, and waits until the old one follows it.
func primary(harm, undo func(*cluster.Node) error) func(context.Context, *trial) error {
	return func(ctx context.Context, t *trial) error {
		leader, err := t.database.WaitHealthy(ctx, recovery)
		if err != nil {
			return err
		}
		if err := harm(leader); err != nil {
			return err
		}
		if err := t.turnsRed(ctx); err != nil {
			return err
		}
		if _, err := t.database.WaitLeader(ctx, recovery, leader); err != nil {
			return err
		}
		if err := t.isWell(ctx); err != nil { // before the old one is back
			return err
		}
		if err := undo(leader); err != nil {
			return err
		}
		_, err = t.database.WaitHealthy(ctx, recovery)
		return err
	}
}

// turnsRed waits until readiness of every replica has turned red: none has a database.
func (t *trial) turnsRed(ctx context.Context) error {
	var errs []error
	for _, r := range t.replicas {
		if err := cluster.Until(ctx, 15*time.Second, "red readiness", func(ctx context.Context) bool { return r.Ready(ctx) == http.StatusServiceUnavailable }); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func standby(ctx context.Context, t *trial) error {
	leader, err := t.database.WaitHealthy(ctx, recovery)
	if err != nil {
		return err
	}
	for _, n := range t.database.Nodes {
		if n == leader {
			continue
		}
		if err := n.Kill(); err != nil {
			return err
		}
		pause(ctx, calm)
		if err := n.Start(); err != nil {
			return err
		}
		break
	}
	_, err = t.database.WaitHealthy(ctx, recovery)
	return err
}

func killReplica(ctx context.Context, t *trial) error {
	r := t.replicas[0]
	if err := r.Kill(); err != nil {
		return err
	}
	if got := r.Ready(ctx); got != 0 {
		return fmt.Errorf("a dead replica says %d", got)
	}
	pause(ctx, 2*calm)
	return r.Start()
}

func freezeReplica(ctx context.Context, t *trial) error {
	r := t.replicas[1]
	if err := r.Freeze(); err != nil {
		return err
	}
	pause(ctx, 4*time.Second)
	return r.Thaw()
}

// upgrade installs another binary and restarts one replica after the other by SIGTERM. Readiness turns red before
// anything else, so that no request is lost.
func upgrade(ctx context.Context, t *trial) error {
	if _, err := t.ground.Install(t.newer); err != nil {
		return err
	}
	for _, r := range t.replicas {
		ended := make(chan error, 1)
		go func() { ended <- r.End(30 * time.Second) }()
		if err := r.WaitFor(ctx, cluster.DrainDelay, http.StatusServiceUnavailable); err != nil {
			return fmt.Errorf("while it drains: %w", err)
		}
		if err := <-ended; err != nil {
			return err
		}
		if code := r.ExitCode(); code != 0 {
			return fmt.Errorf("a replica that was told to end ended with %d", code)
		}
		if err := r.Start(); err != nil {
			return err
		}
		if err := r.WaitReady(ctx, recovery); err != nil {
			return err
		}
		pause(ctx, 3*calm) // until the balancer has noticed
	}
	return t.newerRuns()
}

// newerRuns asks the system which files the replicas were started from.
func (t *trial) newerRuns() error {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return err
	}
	running := 0
	want, err := os.Stat(t.newer)
	if err != nil {
		return err
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(target, t.ground.Dir+"/rollcall.bin") {
			continue
		}
		info, err := os.Stat(link)
		if err != nil || info.Size() != want.Size() {
			return fmt.Errorf("process %s runs %s of another size: %w", strconv.Quote(link), target, err)
		}
		running++
	}
	if running != replicas {
		return fmt.Errorf("%d replicas run the newer binary", running)
	}
	return nil
}

func slow(ctx context.Context, t *trial) error {
	for _, w := range t.wires {
		if err := w.Slow(50 * time.Millisecond); err != nil {
			return err
		}
	}
	pause(ctx, 4*time.Second)
	return t.heal(ctx)
}

func cut(w *cluster.Wire) error {
	w.Cut()
	return nil
}

func swallow(w *cluster.Wire) error { return w.Swallow() }

// answerWithin bounds how long anybody waits for an answer while the network to the database is gone: ten seconds are
// promised (decision 29), and two more are for the balancers and a busy machine.
const answerWithin = 12 * time.Second

// outage is how long the network is gone.
const outage = 11 * time.Second

// network harms the wires of all replicas to the database for longer than requests may take: each must be answered in a
// bounded time, with 503, and readiness must turn red and, when the wires are whole again, green.
func network(what string, harm func(*cluster.Wire) error) func(context.Context, *trial) error {
	return func(ctx context.Context, t *trial) error {
		began := time.Now()
		for _, w := range t.wires {
			if err := harm(w); err != nil {
				return err
			}
		}
		if err := t.turnsRed(ctx); err != nil {
			return err
		}
		errs := make(chan error, len(t.replicas))
		for _, r := range t.replicas {
			go func() { errs <- refuses(ctx, r, t.load.app) }()
		}
		var failed []error
		for range t.replicas {
			failed = append(failed, <-errs)
		}
		if err := errors.Join(failed...); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		pause(ctx, time.Until(began.Add(outage)))
		return t.heal(ctx)
	}
}

func (t *trial) heal(ctx context.Context) error {
	for _, w := range t.wires {
		if err := w.Heal(ctx); err != nil {
			return err
		}
	}
	return nil
}

// refuses asks one replica for a token while it has no database.
func refuses(ctx context.Context, r *cluster.Replica, a app) error {
	_, got := newClient(r.Base()).issue(ctx, a)
	if got.status != http.StatusServiceUnavailable || got.bare || got.took > answerWithin {
		return fmt.Errorf("without a database: status %d, Retry-After missing: %t, after %s: %s %w", got.status, got.bare, got.took, got.body, got.err)
	}
	return nil
}
