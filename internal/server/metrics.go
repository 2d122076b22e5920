package server

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counters of the transport; those of requests belong to the pipeline.
type metrics struct {
	accepted prometheus.Counter
	refused  *prometheus.CounterVec // by limit: total, address
	open     prometheus.Gauge
	http2    *prometheus.CounterVec // by error type, as net/http names it
}

func newMetrics() *metrics {
	m := &metrics{
		accepted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rollcall_connections_accepted_total", Help: "Connections admitted by the public listener."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_connections_refused_total", Help: "Connections closed at once, by the limit they met."}, []string{"limit"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rollcall_connections_open", Help: "Open connections of the public listener."}),
		http2: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_http2_errors_total", Help: "HTTP/2 protocol errors, by type."}, []string{"type"}),
	}
	for _, limit := range []string{limitTotal, limitAddress} {
		m.refused.WithLabelValues(limit) // shown from the start: an alert must see it grow from 0
	}
	return m
}

// The limits that a connection may meet.
const (
	limitTotal   = "total"
	limitAddress = "address"
)

func (m *metrics) register(registry prometheus.Registerer, more ...prometheus.Collector) error {
	for _, c := range append([]prometheus.Collector{m.accepted, m.refused, m.open, m.http2}, more...) {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("server: register metrics (one registry serves one server): %w", err)
		}
	}
	return nil
}
