package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/rollcall-id/rollcall/internal/httpapi"
	"github.com/rollcall-id/rollcall/internal/server"
	"github.com/rollcall-id/rollcall/internal/store"
	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// Options says how a Core is served. Zero fields of Server take its defaults;
// Handler, Ready, Registry and Logger of it are filled in.
type Options struct {
	Server         server.Config
	Limits         throttle.Settings
	PublicURL      string
	TrustedProxies []netip.Prefix
	WithoutV1Beta1 bool
	Retention      store.Retention
}

// Node is a Core that answers requests.
type Node struct {
	*Core
	API      *httpapi.API
	Server   *server.Server
	Registry *prometheus.Registry

	limiter *throttle.Memory
	usage   *usage.Meter
	keep    store.Retention
}

// New connects a Core with the network; nothing is listened on before Listen. The
// node closes the Core at the end of Run.
func New(c *Core, o Options) (*Node, error) {
	limiter, err := throttle.NewMemory(o.Limits.Policies(), c.now(), 0)
	if err != nil {
		return nil, err
	}
	n := &Node{Core: c, Registry: prometheus.NewRegistry(), limiter: limiter, usage: &usage.Meter{}, keep: o.Retention}
	n.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	n.registerMetrics()
	n.API = httpapi.New(httpapi.Config{
		Directory: c.Directory, OAuth: c.OAuth, Looks: looks{c.Store}, Limiter: limiter, Journal: c.Journal, Usage: n.usage,
		Logger: c.logger, Registry: n.Registry, Now: c.now, Rand: c.rand,
		PublicURL: o.PublicURL, TrustedProxies: o.TrustedProxies, WithoutV1Beta1: o.WithoutV1Beta1,
	})
	cfg := o.Server
	cfg.Handler, cfg.Registry, cfg.Logger, cfg.TrustedProxies = n.API, n.Registry, c.logger, o.TrustedProxies
	cfg.Ready = append(cfg.Ready, server.Check{Name: "database", Run: c.Store.Ping})
	n.Server, err = server.New(cfg)
	return n, err
}

func (n *Node) registerMetrics() {
	n.Registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "rollcall_audit_entries_lost_total", Help: "Audit entries of refusals that the store would not take.",
		}, func() float64 { return float64(n.lost.Load()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "rollcall_limit_keys_evicted_total", Help: "Callers whose counts were forgotten because too many were counted at once.",
		}, func() float64 {
			return float64(n.limiter.Stats(throttle.ClassUsers).Evicted + n.limiter.Stats(throttle.ClassToken).Evicted +
				n.limiter.Stats(throttle.ClassAuthFailures).Evicted + n.limiter.Stats(throttle.ClassManagementRead).Evicted +
				n.limiter.Stats(throttle.ClassManagementWrite).Evicted)
		}),
	)
}

// Listen opens the sockets, so that the addresses are known before Run serves them.
func (n *Node) Listen(ctx context.Context) (net.Addr, error) {
	if err := n.Server.Listen(ctx); err != nil {
		return nil, err
	}
	return n.Server.Addr(), nil
}

// Run serves until ctx ends, drains, writes what is left and closes the Core.
func (n *Node) Run(ctx context.Context) error {
	tuneMemory()
	upkeep, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { n.upkeep(upkeep) })
	err := n.Server.Run(ctx)
	stop()
	wg.Wait()
	final, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if flushErr := n.flush(final); flushErr != nil {
		err = errors.Join(err, fmt.Errorf("write the usage counters: %w", flushErr))
	}
	return errors.Join(err, n.Close())
}

// How often the housekeeping looks after things.
const (
	flushEvery = 10 * time.Second
	sweepEvery = time.Minute
)

// purgeEvery keeps expired tokens below a fortieth of the living ones: the table
// never holds more than 5 % above lifetime x rate.
func (n *Node) purgeEvery() time.Duration {
	return min(max(n.OAuth.Lifetime/40, 250*time.Millisecond), 30*time.Second)
}

// upkeep purges, sweeps and flushes until ctx ends.
func (n *Node) upkeep(ctx context.Context) {
	purge, flush, sweep := time.NewTicker(n.purgeEvery()), time.NewTicker(flushEvery), time.NewTicker(sweepEvery)
	defer purge.Stop()
	defer flush.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-purge.C:
			n.report("purge", n.purge(ctx))
		case <-flush.C:
			n.report("write usage counters", n.flush(ctx))
		case <-sweep.C:
			n.limiter.Sweep(n.now())
		}
	}
}

// flush writes what is counted and noted in memory.
func (n *Node) flush(ctx context.Context) error {
	return errors.Join(n.usage.Flush(ctx, n.Store), n.OAuth.Uses.Flush(ctx, n.Store))
}

func (n *Node) purge(ctx context.Context) error {
	_, err := n.Store.Purge(ctx, n.now(), n.keep)
	return err
}

// report logs a failed round: the next one tries again.
func (n *Node) report(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		n.logger.Warn("housekeeping failed, to be tried again", "task", what, "error", err)
	}
}
