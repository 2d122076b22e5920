package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config is everything a [Server] needs. Addr and Handler are required.
type Config struct {
	// Addr is the public host:port; port 0 takes a free one, see [Server.Addr].
	Addr string
	// Handler answers the API. With [Config.PublicHealth] it never sees GET and HEAD of /livez and /readyz.
	Handler http.Handler
	// Certificates make the public listener speak TLS; nil is plain HTTP/1.1, for use behind a proxy that ends TLS.
	Certificates CertificateSource
	// Limits bound connections and requests; zero fields take defaults.
	Limits Limits
	// TrustedProxies are not subject to the limit of connections per address.
	TrustedProxies []netip.Prefix
	// PublicHealth answers /livez and /readyz on the public listener too, without naming what failed.
	PublicHealth bool
	// Ready are the readiness checks.
	Ready []Check
	// Admin is the administrative listener.
	Admin AdminConfig
	// DrainDelay is how long to go on accepting after readiness turned red, so that a load balancer can notice. Default 0.
	DrainDelay time.Duration
	// QuietGrace is how long a connection without a request under way is kept at a drain, for a request that is already
	// travelling to us. Default 250 ms.
	QuietGrace time.Duration
	// ShutdownTimeout bounds a drain after DrainDelay; what has not finished then is cut. Default 30 s.
	ShutdownTimeout time.Duration
	// Registry receives our metrics and is what /metrics shows; nil makes an empty one. One registry serves one server.
	Registry *prometheus.Registry
	// Logger receives what has no request; nil discards it.
	Logger *slog.Logger
	// Now is the clock of the health verdicts; nil means time.Now. Timeouts of sockets are the system's.
	Now func() time.Time
}

// Server is the public and the administrative listener of one process. Use it once: New, Listen, Run.
type Server struct {
	config  Config
	log     *slog.Logger
	metrics *metrics
	health  *health
	conns   *connSet

	public, admin net.Listener
	ran           atomic.Bool
}

// New checks the configuration and registers the metrics. It opens nothing.
func New(config Config) (*Server, error) {
	if config.Handler == nil {
		return nil, errors.New("server: no handler")
	}
	config = withDefaults(config)
	if err := config.Admin.check(); err != nil {
		return nil, err
	}
	s := &Server{config: config, log: config.Logger, metrics: newMetrics(), health: newHealth(config.Ready, config.Now)}
	s.conns = newConnSet(config.Limits, config.TrustedProxies, s.metrics)
	var more []prometheus.Collector
	if source, ok := config.Certificates.(prometheus.Collector); ok {
		more = append(more, source)
	}
	return s, s.metrics.register(config.Registry, more...)
}

func withDefaults(config Config) Config {
	config.Limits = config.Limits.withDefaults()
	orDefault(&config.ShutdownTimeout, 30*time.Second)
	orDefault(&config.QuietGrace, 250*time.Millisecond)
	if config.Admin.Addr == "" {
		config.Admin.Addr = DefaultAdminAddr
	}
	if config.Registry == nil {
		config.Registry = prometheus.NewRegistry()
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return config
}

// Listen binds both addresses, so that they are known and connections queue before Run serves them. A caller that
// does not go on to Run must Close.
func (s *Server) Listen(ctx context.Context) error {
	var listener net.ListenConfig
	public, err := listener.Listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("server: public listener: %w", err)
	}
	if s.config.Admin.Addr != adminOff {
		if s.admin, err = listener.Listen(ctx, "tcp", s.config.Admin.Addr); err != nil {
			_ = public.Close()
			return fmt.Errorf("server: administrative listener: %w", err)
		}
	}
	s.public = public
	return nil
}

// Addr is the bound public address; nil before Listen.
func (s *Server) Addr() net.Addr { return addrOf(s.public) }

// AdminAddr is the bound administrative address; nil before Listen or without such a listener.
func (s *Server) AdminAddr() net.Addr { return addrOf(s.admin) }

func addrOf(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}

// Close releases the addresses of a server that is not run.
func (s *Server) Close() error {
	var errs []error
	for _, l := range []net.Listener{s.public, s.admin} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

// Run serves until ctx is done and then drains; nil means that every request was answered. It also returns when a
// listener or the certificate source fails, after the same drain. It listens first if [Server.Listen] was not called.
func (s *Server) Run(ctx context.Context) error {
	if s.ran.Swap(true) {
		return errors.New("server: already run; make a new one")
	}
	if s.public == nil {
		if err := s.Listen(ctx); err != nil {
			return err
		}
	}
	public := s.newPublicServer()
	admin := newAdminServer(s.config.Admin, s.health, s.config.Registry, s.log)

	// The certificates and the administrative listener outlive ctx: the drain needs both.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	failed := make(chan error, 3) // one place for each task: none ever waits to report
	accepting := make(chan struct{})
	tasks.Go(func() {
		defer close(accepting)
		failed <- s.servePublic(public)
	})
	if s.admin != nil {
		tasks.Go(func() { failed <- serveErr("administrative listener", admin.Serve(s.admin)) })
	}
	if s.config.Certificates != nil {
		tasks.Go(func() { failed <- s.config.Certificates.Maintain(background, s.public.Addr()) })
	}

	err := s.untilDone(ctx, failed)
	err = errors.Join(err, s.drain(background, public, accepting))
	closeAdmin(background, admin)
	stop()
	tasks.Wait()
	return err
}

// untilDone returns the first failure, or nil when ctx ends first.
func (s *Server) untilDone(ctx context.Context, failed <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			if err != nil {
				return err
			}
		}
	}
}

func (s *Server) newPublicServer() *http.Server {
	handler := s.config.Handler
	if s.config.PublicHealth {
		handler = s.health.public(handler)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(s.config.Certificates != nil)
	srv := &http.Server{
		Handler:           guardFraming(s.conns, handler),
		Protocols:         protocols,
		ConnState:         s.conns.observe,
		ConnContext:       withConn,
		ErrorLog:          newErrorLog(s.log, "public"),
		ReadHeaderTimeout: s.config.Limits.ReadHeader,
		// Otherwise net/http answers "OPTIONS *" by itself, past the framing guard and the pipeline.
		DisableGeneralOptionsHandler: true,
	}
	s.config.Limits.apply(srv)
	srv.HTTP2.CountError = func(kind string) { s.metrics.http2.WithLabelValues(kind).Inc() }
	return srv
}

func (s *Server) servePublic(srv *http.Server) error {
	listener := limitListener{s.public, s.conns}
	if s.config.Certificates == nil {
		return serveErr("public listener", srv.Serve(listener))
	}
	srv.TLSConfig = tlsConfig(s.config.Certificates)
	return serveErr("public listener", srv.ServeTLS(listener, "", ""))
}

// serveErr is nil when we closed the listener ourselves.
func serveErr(listener string, err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("server: %s: %w", listener, err)
}
