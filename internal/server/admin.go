package server

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// DefaultAdminAddr is where /metrics, /livez, /readyz and /debug/pprof are served unless the operator says otherwise.
const DefaultAdminAddr = "127.0.0.1:9091"

// AdminConfig is the administrative listener: plain HTTP without authentication, hence loopback only.
type AdminConfig struct {
	// Addr is host:port; empty means [DefaultAdminAddr], "off" means no administrative listener.
	Addr string
	// AllowRemote permits an address that other machines can reach, for scrapers in a private network.
	AllowRemote bool
	// Hosts are the names, besides localhost and IP addresses, under which the listener may be asked for. Other names
	// are refused, because a web page can point a name of its own at this address (DNS rebinding).
	Hosts []string
	// Handler serves paths that the listener does not know; nil means 404.
	Handler http.Handler
}

// adminOff is the address that stands for no administrative listener.
const adminOff = "off"

func (c AdminConfig) check() error {
	if c.Addr == adminOff || c.AllowRemote {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("server: administrative address %q: %w", c.Addr, err)
	}
	addr, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && addr.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("server: administrative address %q is reachable from other machines, and metrics and profiles have no"+
		" authentication; listen on 127.0.0.1, or allow a remote administrative listener explicitly", c.Addr)
}

// maxProfile is how long a CPU profile or trace may run.
const maxProfile = 2 * time.Minute

func newAdminServer(config AdminConfig, h *health, gatherer prometheus.Gatherer, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           guardAdmin(config.Hosts, adminRoutes(config.Handler, h, gatherer, logger)),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      maxProfile + 30*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          newErrorLog(logger, "admin"),
	}
}

func adminRoutes(rest http.Handler, h *health, gatherer prometheus.Gatherer, logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", h.live)
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{
		ErrorLog: newErrorLog(logger, "admin"), MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol) // go tool pprof asks this way
	if rest != nil {
		mux.Handle("/", rest)
	}
	return mux
}

// guardAdmin keeps browsers out: a page of another site may be able to send requests to loopback, and by rebinding its
// own name even to read the answers.
func guardAdmin(hosts []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch site := r.Header.Get("Sec-Fetch-Site"); {
		case !knownHost(r.Host, hosts):
			http.Error(w, "unknown host name; ask by IP address or as localhost", http.StatusMisdirectedRequest)
		case site != "" && site != "same-origin" && site != "none", r.Header.Get("Origin") != "":
			http.Error(w, "not for web pages", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func knownHost(host string, hosts []string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return strings.EqualFold(name, "localhost") || slices.ContainsFunc(hosts, func(known string) bool { return strings.EqualFold(name, known) })
}
