package server

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// checkTimeout bounds one round of readiness checks; load balancers commonly wait 5 s.
	checkTimeout = 2 * time.Second
	// verdictAge is how long a verdict is repeated, so that asking often, which anyone may do where health is public,
	// costs the database at most one round a second.
	verdictAge = time.Second
)

// Check is something that must work before requests should be sent here.
type Check struct {
	// Name says what is checked, in one word: "database".
	Name string
	// Run returns nil when it works. It has 2 s; one that outlives its context counts as failed, and is not started
	// again before it has returned.
	Run func(context.Context) error
}

// verdict is a round of checks; failed maps the name of each failing check to the operator's explanation.
type verdict struct {
	at     time.Time
	failed map[string]string
}

type health struct {
	checks   []Check
	running  []atomic.Bool // by index of checks
	now      func() time.Time
	draining atomic.Bool

	mu   sync.Mutex // one round at a time; those who ask meanwhile share its verdict
	last verdict
}

func newHealth(checks []Check, now func() time.Time) *health {
	return &health{checks: checks, running: make([]atomic.Bool, len(checks)), now: now}
}

// judge returns the latest verdict, at most verdictAge old.
func (h *health) judge(ctx context.Context) verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if !h.last.at.IsZero() && now.Sub(h.last.at) < verdictAge {
		return h.last
	}
	// The asker's hanging up must not become everybody's verdict.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	h.last = verdict{at: now, failed: h.round(ctx)}
	return h.last
}

func (h *health) round(ctx context.Context) map[string]string {
	results := make([]chan error, len(h.checks))
	for i := range h.checks {
		results[i] = h.start(ctx, i)
	}
	failed := map[string]string{}
	for i, result := range results {
		select {
		case err := <-result:
			if err != nil {
				failed[h.checks[i].Name] = err.Error()
			}
		case <-ctx.Done():
			failed[h.checks[i].Name] = "no answer within " + checkTimeout.String()
		}
	}
	return failed
}

// start runs one check beside the others; a check still running from an earlier round never answers this one.
func (h *health) start(ctx context.Context, i int) chan error {
	result := make(chan error, 1)
	if !h.running[i].CompareAndSwap(false, true) {
		return result
	}
	go func() {
		err := h.checks[i].Run(ctx)
		h.running[i].Store(false) // before the answer: the next round may follow at once
		result <- err
	}()
	return result
}

// report is the body of /livez and /readyz.
type report struct {
	Status string            `json:"status"` // ok, unavailable, draining
	Failed map[string]string `json:"failed,omitempty"`
}

// live says that the process serves; it never depends on anything else, or an outage elsewhere would have us restarted.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	writeReport(w, http.StatusOK, report{Status: "ok"})
}

// ready names the failing checks and their errors to the operator.
func (h *health) ready(w http.ResponseWriter, r *http.Request) {
	status, body := h.assess(r.Context())
	writeReport(w, status, body)
}

// readyPublic tells strangers only whether, not why.
func (h *health) readyPublic(w http.ResponseWriter, r *http.Request) {
	status, body := h.assess(r.Context())
	if status != http.StatusOK {
		body = report{Status: "unavailable"}
	}
	writeReport(w, status, body)
}

func (h *health) assess(ctx context.Context) (int, report) {
	if h.draining.Load() {
		return http.StatusServiceUnavailable, report{Status: "draining"}
	}
	if v := h.judge(ctx); len(v.failed) > 0 {
		return http.StatusServiceUnavailable, report{Status: "unavailable", Failed: v.failed}
	}
	return http.StatusOK, report{Status: "ok"}
}

func writeReport(w http.ResponseWriter, status int, body report) {
	text, err := json.Marshal(body)
	if err != nil { // strings always marshal; answer all the same
		status, text = http.StatusInternalServerError, []byte(`{"status":"unavailable"}`)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// public answers /livez and /readyz in front of next.
func (h *health) public(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		read := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case read && r.URL.Path == "/livez":
			h.live(w, r)
		case read && r.URL.Path == "/readyz":
			h.readyPublic(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
