// Package console owns the web pages at /console: what the people of an account see and do
// in a browser.
//
//	request -> route -> same origin? -> session -> handler -> reply -> one log line, one metric
//
// Handlers take a visit and return a reply; one function writes answers (write), one turns
// failures into pages (problem). It leaves every rule to directory, oauth, signin and
// records, which say who may and remember it: a page offers only what the reader may do,
// and that is a courtesy, not a check. How pages look is in views. What must always hold:
// nothing is done by GET; a request from another origin changes nothing; nothing that a
// page shows is kept here; a session's token is in its cookie alone, and a secret that is
// shown once in that answer alone.
package console

import (
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/records"
	"github.com/rollcall-id/rollcall/internal/signin"
	"github.com/rollcall-id/rollcall/internal/throttle"
)

// Root is the path that all pages are under.
const Root = "/console"

// Config is what the console is made of. PublicURL, TrustedProxies and CAFile may be
// left empty.
type Config struct {
	Directory *directory.Service
	OAuth     *oauth.Service
	SignIn    *signin.Service
	Records   *records.Service
	Limiter   throttle.Limiter
	Logger    *slog.Logger
	Registry  prometheus.Registerer
	Now       func() time.Time
	Rand      io.Reader // of cryptographic quality

	// PublicURL is the base URL by which browsers and integrations reach this server; empty
	// = as the request names it.
	PublicURL string
	// TrustedProxies are believed about where a request came from.
	TrustedProxies []netip.Prefix
	// CAFile is the certificate authority that curl has to be told of, where it is not one
	// that everybody knows.
	CAFile string
}

// Console answers requests under /console.
type Console struct {
	Config
	routes  []route
	origins *http.CrossOriginProtection
	metrics *metrics
}

// New returns the handler of all pages.
func New(c Config) *Console {
	origins := http.NewCrossOriginProtection()
	if u, err := url.Parse(c.PublicURL); err == nil && u.Host != "" {
		// What can't be an origin is not trusted as one.
		_ = origins.AddTrustedOrigin(u.Scheme + "://" + u.Host)
	}
	return &Console{Config: c, routes: routes(), origins: origins, metrics: newMetrics(c.Registry, routes())}
}

// Handles tells whether a path is the console's.
func Handles(path string) bool {
	return path == Root || len(path) > len(Root) && path[:len(Root)+1] == Root+"/"
}
