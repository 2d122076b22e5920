// Package httpapi owns the HTTP face of rollcall: the list of operations, the way
// every request goes, and the forms of every answer.
//
//	request -> caps -> route -> admit -> authenticate -> meter -> handler -> reply -> one log line, one metric
//
// Handlers take values and return values; one function writes answers (write), one
// table turns kinds of failure into statuses (problem.go). Security steps stand in
// the pipeline, and what an operation needs of them is told by its row in
// operations.go: skipping one shows there. It leaves rules to directory and oauth,
// and sockets to server. What must always hold: every answer is JSON or empty where
// the contract says so, carries X-Request-Id, and says nothing internal.
package httpapi

import (
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/throttle"
	"github.com/rollcall-id/rollcall/internal/usage"
)

// Config is what the API is made of. Only SignIn, PublicURL, TrustedProxies,
// Admission and WithoutV1Beta1 may be left empty.
type Config struct {
	Directory *directory.Service
	OAuth     *oauth.Service
	Looks     Looks
	SignIn    *signin.Service // nil = no sessions of people
	Limiter   throttle.Limiter
	Journal   *audit.Journal
	Usage     *usage.Meter
	Logger    *slog.Logger
	Registry  prometheus.Registerer
	Now       func() time.Time
	Rand      io.Reader // of cryptographic quality

	// PublicURL is the base URL that metadata names; empty = as the request names it.
	PublicURL string
	// TrustedProxies are believed about where a request came from.
	TrustedProxies []netip.Prefix
	// Admission bounds what is served at once; the zero value bounds nothing.
	Admission Admission
	// WithoutV1Beta1 turns the preview version's routes off.
	WithoutV1Beta1 bool
}

// API answers the public listener's requests.
type API struct {
	Config
	router  *router
	metrics *metrics
	door    *door
}

// New returns the handler of the whole public API. Whoever calls it closes it.
func New(c Config) (*API, error) {
	ops := Operations()
	if c.WithoutV1Beta1 {
		ops = without(ops, "v1beta1")
	}
	a := &API{Config: c, router: newRouter(ops), metrics: newMetrics(c.Registry, ops)}
	if c.Admission == (Admission{}) {
		return a, nil
	}
	var err error
	a.door, err = newDoor(c.Admission, c.Logger, c.Registry)
	return a, err
}

// Close lets go of what admits requests, once there are none.
func (a *API) Close() error {
	if a.door == nil {
		return nil
	}
	return a.door.close()
}
