package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/rollcall-id/rollcall/internal/console"
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
	SharedLimits   SharedLimits
	PublicURL      string
	TrustedProxies []netip.Prefix
	WithoutV1Beta1 bool
	// CAFile is the certificate authority that the console's examples name; empty for one that
	// everybody knows.
	CAFile    string
	Retention store.Retention
	// Admission bounds what is served at once.
	Admission Admission
}

// Node is a Core that answers requests.
type Node struct {
	*Core
	API      *httpapi.API
	Server   *server.Server
	Registry *prometheus.Registry

	limits *limits
	clock  *clockWatch
	usage  *usage.Meter
	keep   store.Retention
}

// New connects a Core with the network; nothing is listened on before Listen. The
// node closes the Core at the end of Run. A shared store of limits that does not answer
// is no error; one that refuses us is.
func New(c *Core, o Options) (*Node, error) {
	limits, err := c.openLimits(context.Background(), o.Limits, o.SharedLimits)
	if err != nil {
		return nil, err
	}
	n := &Node{Core: c, Registry: prometheus.NewRegistry(), limits: limits, clock: newClockWatch(c), usage: &usage.Meter{}, keep: o.Retention}
	n.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	n.registerMetrics()
	c.SignIn.Limiter = limits
	n.API, err = httpapi.New(httpapi.Config{
		Directory: c.Directory, OAuth: c.OAuth, SignIn: c.SignIn, Looks: looks{c.Store}, Limiter: limits, Journal: c.Journal, Usage: n.usage,
		Logger: c.logger, Registry: n.Registry, Now: c.now, Rand: c.rand,
		PublicURL: o.PublicURL, TrustedProxies: o.TrustedProxies, WithoutV1Beta1: o.WithoutV1Beta1,
		Admission: c.admission(o.Admission),
	})
	if err != nil {
		limits.close()
		return nil, err
	}
	pages := console.New(console.Config{
		Directory: c.Directory, OAuth: c.OAuth, SignIn: c.SignIn, Records: c.Records, Limiter: limits,
		Logger: c.logger, Registry: n.Registry, Now: c.now, Rand: c.rand,
		PublicURL: o.PublicURL, TrustedProxies: o.TrustedProxies, CAFile: o.CAFile,
	})
	cfg := o.Server
	cfg.Handler, cfg.Registry, cfg.Logger, cfg.TrustedProxies = withConsole(pages, n.API), n.Registry, c.logger, o.TrustedProxies
	cfg.Ready = append(cfg.Ready, server.Check{Name: "database", Run: c.Store.Ping})
	if n.Server, err = server.New(cfg); err != nil {
		limits.close()
		return nil, errors.Join(err, n.API.Close())
	}
	return n, nil
}

// withConsole gives the console its part of the paths and the API all others.
func withConsole(pages, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if console.Handles(r.URL.Path) {
			pages.ServeHTTP(w, inTime(r))
			return
		}
		api.ServeHTTP(w, r)
	})
}

func (n *Node) registerMetrics() {
	n.Registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "rollcall_audit_entries_lost_total", Help: "Audit entries of refusals that the store would not take.",
		}, func() float64 { return float64(n.lost.Load()) }),
	)
	n.limits.register(n.Registry)
	n.clock.register(n.Registry)
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

// Close lets go of a node that does not run, and of its Core.
func (n *Node) Close() error {
	n.limits.close()
	return errors.Join(n.API.Close(), n.Core.Close())
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
	n.report("compare the clock", n.clock.look(ctx))
	for {
		select {
		case <-ctx.Done():
			return
		case <-purge.C:
			n.report("purge", n.purge(ctx))
		case <-flush.C:
			n.report("write usage counters", n.flush(ctx))
		case <-sweep.C:
			n.report("forget idle limits", n.limits.sweep(ctx, n.now()))
			n.report("compare the clock", n.clock.look(ctx))
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
