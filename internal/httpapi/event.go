package httpapi

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// metrics are by operation and status: a closed set, whatever clients send.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// unmatched labels requests that are no operation.
const unmatched = "none"

func newMetrics(r prometheus.Registerer, ops []Operation) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_http_requests_total", Help: "Answers by operation and status.",
		}, []string{"operation", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_http_request_duration_seconds", Help: "Time from the last byte of the request's header to the last of the answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 20},
		}, []string{"operation"}),
	}
	for _, op := range ops {
		m.duration.WithLabelValues(op.ID)
	}
	r.MustRegister(m.requests, m.duration)
	return m
}

// finish tells of a request once it is answered: one log line, one metric, one
// count of usage. Of one that was refused at the door there is the metric alone.
func (a *API) finish(c *call, status int, err error) {
	took := a.Now().Sub(c.began)
	operation := unmatched
	if c.op != nil {
		operation = c.op.ID
	}
	a.metrics.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
	if f := fault.As(err); f != nil && f.Reason == reasonBusy {
		return // the door tells of them, now and then
	}
	a.metrics.duration.WithLabelValues(operation).Observe(took.Seconds())
	if c.caller.Client != "" {
		a.Usage.Observe(c.caller.Account, c.caller.Client, c.caller.UserAgent, status, c.began)
	}
	a.log(c, operation, status, took, err)
}

// log writes the request's line. slog escapes whatever clients have put into names
// and agents, so that it stays one line. The query and the headers, which may hold
// secrets, are never written.
func (a *API) log(c *call, operation string, status int, took time.Duration, err error) {
	level := slog.LevelInfo
	if status >= 500 && c.request.Context().Err() == nil { // a client that has gone is no failure of ours
		level = slog.LevelError
	}
	if !a.Logger.Enabled(context.Background(), level) {
		return
	}
	space := [14]slog.Attr{} // as many as there can be
	attrs := append(space[:0],
		slog.String("request_id", string(c.caller.RequestID)),
		slog.String("operation", operation),
		slog.String("method", audit.Clean(c.request.Method, maxLogged)),
		slog.Int("status", status),
		slog.Duration("took", took),
		slog.String("address", audit.AddressText(c.caller.Address)),
	)
	if c.caller.Client != "" {
		attrs = append(attrs, slog.String("account", string(c.caller.Account)), slog.String("client", string(c.caller.Client)))
	}
	if c.caller.User != "" {
		attrs = append(attrs, slog.String("account", string(c.caller.Account)), slog.String("person", string(c.caller.User)))
	}
	if c.user != "" {
		attrs = append(attrs, slog.String("user", audit.Clean(ident.HideSecret(string(c.user)), maxLogged)))
	}
	if c.match.client != "" {
		attrs = append(attrs, slog.String("oauth_client", audit.Clean(string(c.match.client), maxLogged)))
	}
	if agent := c.caller.UserAgent; agent != "" {
		attrs = append(attrs, slog.String("user_agent", audit.Clean(agent, maxLogged)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", audit.Clean(err.Error(), 4*maxLogged)))
	}
	// The Logger's own methods would look up which line of this file they are called from, which
	// takes a tenth of the time and which nobody is shown.
	line := slog.NewRecord(time.Now(), level, "request", 0)
	line.AddAttrs(attrs...)
	_ = a.Logger.Handler().Handle(context.Background(), line) // nobody could be told
}

// maxLogged bounds text from outside in a log line, in bytes.
const maxLogged = 256
