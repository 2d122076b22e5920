package console

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// metrics are those of the API, by operation and status: a closed set.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

const unmatched = "console.none"

func newMetrics(r prometheus.Registerer, all []route) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_console_requests_total", Help: "Answers of the console by page and status.",
		}, []string{"page", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_console_request_duration_seconds", Help: "Time from the last byte of the request's header to the last of the answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 20},
		}, []string{"page"}),
	}
	for _, route := range all {
		m.duration.WithLabelValues(route.name)
	}
	r.MustRegister(m.requests, m.duration)
	return m
}

// finish tells of a request once it is answered: one log line, one metric.
func (c *Console) finish(v *visit, status int, err error) {
	took := c.Now().Sub(v.began)
	page := unmatched
	if v.route != nil {
		page = "console." + v.route.name
	}
	c.metrics.requests.WithLabelValues(page, strconv.Itoa(status)).Inc()
	c.metrics.duration.WithLabelValues(page).Observe(took.Seconds())
	c.log(v, page, status, took, err)
}

// log writes the request's line. It names the page and never the address of the request,
// which may hold a one-time link; nor the form, the query or a header with a secret.
func (c *Console) log(v *visit, page string, status int, took time.Duration, err error) {
	level := slog.LevelInfo
	gone := v.request.Context().Err() != nil // a client that has gone is no failure of ours
	if (status >= 500 || errors.Is(err, errBroken)) && !gone {
		level = slog.LevelError
	}
	if !c.Logger.Enabled(context.Background(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", string(v.from.RequestID)),
		slog.String("operation", page),
		slog.String("method", audit.Clean(v.request.Method, maxLogged)),
		slog.Int("status", status),
		slog.Duration("took", took),
		slog.String("address", audit.AddressText(v.from.Address)),
	}
	if v.known {
		attrs = append(attrs, slog.String("account", string(v.account())), slog.String("person", string(v.signed.User.ID)))
	}
	for _, name := range []string{"user", "client"} {
		if value := v.values[name]; value != "" {
			attrs = append(attrs, slog.String(name, audit.Clean(ident.HideSecret(value), maxLogged)))
		}
	}
	if agent := v.from.UserAgent; agent != "" {
		attrs = append(attrs, slog.String("user_agent", audit.Clean(agent, maxLogged)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", audit.Clean(err.Error(), 16*maxLogged)))
	}
	c.Logger.LogAttrs(context.Background(), level, "request", attrs...)
}

// maxLogged bounds text from outside in a log line, in bytes.
const maxLogged = 256
