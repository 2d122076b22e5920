package httpapi

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-id/rollcall/internal/admit"
)

// register shows what the gates see.
func (d *door) register(r prometheus.Registerer) {
	held := func(reason string, value func() int) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rollcall_refusals_held", Help: "Refusals that are held back, so that whoever asks again at once is slowed down.",
			ConstLabels: prometheus.Labels{"reason": reason},
		}, func() float64 { return float64(value()) }))
	}
	held("busy", d.pacer.Holding)
	held("limit", d.limited.Holding)
	for kind, g := range map[string]*admit.Gate{"read": d.reads, "write": d.writes} {
		labels := prometheus.Labels{"kind": kind}
		gauge := func(name, help string, value func(admit.Stats) int) {
			r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels},
				func() float64 { return float64(value(g.Stats())) }))
		}
		counter := func(name, help string, l prometheus.Labels, value func(admit.Stats) uint64) {
			r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: l},
				func() float64 { return float64(value(g.Stats())) }))
		}
		gauge("rollcall_requests_working", "Requests in work.", func(s admit.Stats) int { return s.Working })
		gauge("rollcall_requests_waiting", "Requests that wait for their turn.", func(s admit.Stats) int { return s.Waiting })
		counter("rollcall_requests_waited_total", "Requests that were not admitted at once.", labels,
			func(s admit.Stats) uint64 { return s.Waited })
		const refused, help = "rollcall_requests_refused_total", "Requests refused before any work, by why: too many waited, or the turn came too late."
		counter(refused, help, prometheus.Labels{"kind": kind, "reason": "too_many"}, func(s admit.Stats) uint64 { return s.Displaced })
		counter(refused, help, prometheus.Labels{"kind": kind, "reason": "too_late"}, func(s admit.Stats) uint64 { return s.Late })
	}
}
