package node

import (
	"context"
	"crypto/x509"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-id/rollcall/internal/sharedlimit"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// SharedLimits says where the counts of limits are kept. The zero value keeps them where
// the database is: in it, if it is PostgreSQL, or else in memory.
type SharedLimits struct {
	URL       string         // of PostgreSQL, Valkey or Redis; LimitsInMemory for this process alone
	Password  string         // of Valkey or Redis
	Roots     *x509.CertPool // whom TLS to Valkey or Redis believes; nil = whom the system does
	Timeout   time.Duration  // how long requests wait for the store; 0 = sharedlimit.DefaultTimeout
	GivenTime bool           // count by the node's clock instead of the store's, for tests
}

// LimitsInMemory is the URL of no store.
const LimitsInMemory = "memory"

// limits is how the node meters.
type limits struct {
	throttle.Limiter
	local  *throttle.Memory
	shared *sharedlimit.Limiter // nil = the local one is all
}

func (c *Core) openLimits(ctx context.Context, s throttle.Settings, o SharedLimits) (*limits, error) {
	policies := s.Policies()
	local, err := throttle.NewMemory(policies, c.now(), 0)
	if err != nil {
		return nil, err
	}
	l := &limits{Limiter: local, local: local}
	if o.URL == "" {
		o.URL = c.database
	}
	if o.URL == "" || o.URL == LimitsInMemory {
		return l, nil
	}
	if o.Timeout == 0 {
		o.Timeout = sharedlimit.DefaultTimeout
	}
	store, err := openLimitStore(ctx, o)
	if err != nil {
		return nil, err
	}
	l.shared, err = sharedlimit.New(ctx, store, sharedlimit.Options{
		Policies: policies, Local: local, Logger: c.logger, Timeout: o.Timeout, GivenTime: o.GivenTime,
	})
	if err != nil {
		return nil, err
	}
	l.Limiter = l.shared
	return l, nil
}

func openLimitStore(ctx context.Context, o SharedLimits) (sharedlimit.Store, error) {
	if strings.HasPrefix(o.URL, "postgres://") || strings.HasPrefix(o.URL, "postgresql://") {
		return sharedlimit.NewPostgres(ctx, o.URL, o.Timeout)
	}
	return sharedlimit.NewValkey(sharedlimit.ValkeyOptions{URL: o.URL, Password: o.Password, Roots: o.Roots, Timeout: o.Timeout})
}

// sweep forgets what has become idle.
func (l *limits) sweep(ctx context.Context, now time.Time) error {
	if l.shared != nil {
		return l.shared.Sweep(ctx, now)
	}
	l.local.Sweep(now)
	return nil
}

// close lets go of the store.
func (l *limits) close() {
	if l.shared != nil {
		l.shared.Close()
	}
}

func (l *limits) register(r prometheus.Registerer) {
	r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "rollcall_limit_keys_evicted_total", Help: "Callers whose counts were forgotten because too many were counted at once.",
	}, func() float64 { return float64(l.evicted()) }))
	if l.shared == nil {
		return
	}
	stat := func(name, help string, value func(sharedlimit.Stats) float64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return value(l.shared.Stats()) }))
	}
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rollcall_limits_shared", Help: "1 while limits are counted together with the other replicas, 0 while this replica meters by itself because the shared store is away.",
	}, func() float64 {
		if l.shared.Stats().Shared {
			return 1
		}
		return 0
	}))
	stat("rollcall_limits_alone_total", "Questions about limits that this replica answered by itself because the shared store was away.",
		func(s sharedlimit.Stats) float64 { return float64(s.Alone) })
	stat("rollcall_limits_questions_total", "Questions about limits.",
		func(s sharedlimit.Stats) float64 { return float64(s.Requests) })
	stat("rollcall_limits_round_trips_total", "Round trips to the shared store of limits; each answers the questions that waited.",
		func(s sharedlimit.Stats) float64 { return float64(s.Rounds) })
	stat("rollcall_limits_round_trip_seconds_total", "How long the round trips to the shared store of limits took, together.",
		func(s sharedlimit.Stats) float64 { return s.Busy.Seconds() })
}

func (l *limits) evicted() uint64 {
	var sum uint64
	for _, c := range throttle.Classes() {
		sum += l.local.Stats(c).Evicted
	}
	return sum
}
