package server

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// drain ends the public server without cutting a request, in the order of the package comment. accepting is closed when
// the accept loop has ended, which is when every accepted connection is known.
func (s *Server) drain(ctx context.Context, public *http.Server, accepting <-chan struct{}) error {
	s.health.draining.Store(true)
	s.conns.draining.Store(true)
	s.log.InfoContext(ctx, "draining", "delay", s.config.DrainDelay, "limit", s.config.ShutdownTimeout)
	wait(s.config.DrainDelay)

	ctx, cancel := context.WithTimeout(ctx, s.config.ShutdownTimeout)
	defer cancel()
	_ = s.public.Close() // the accept loop reports if it ended for another reason
	<-accepting
	s.conns.drainHeaders(ctx, s.config.QuietGrace)
	if err := public.Shutdown(ctx); err != nil {
		cut := len(s.conns.snapshot())
		_ = public.Close()
		return fmt.Errorf("server: drain: %d connections cut after %s: %w", cut, s.config.ShutdownTimeout, err)
	}
	s.log.InfoContext(ctx, "drained")
	return nil
}

func wait(d time.Duration) {
	if d <= 0 {
		return
	}
	<-time.After(d)
}

// adminGrace is how long a scrape under way may take to finish; a profile is not waited for.
const adminGrace = time.Second

func closeAdmin(ctx context.Context, admin *http.Server) {
	ctx, cancel := context.WithTimeout(ctx, adminGrace)
	defer cancel()
	if admin.Shutdown(ctx) != nil {
		_ = admin.Close()
	}
}
