package testkit

import (
	"context"
	"sync"

	"github.com/rollcall-id/rollcall/internal/httpapi"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/oauth"
)

// Stall makes storage slow: requests for the person "STUCK", and those of the application
// "stuck", wait in it until release is called.
func (s *Server) Stall() (release func()) {
	gate := make(chan struct{})
	release = sync.OnceFunc(func() { close(gate) })
	s.t.Cleanup(release)
	s.OAuth.Store = stalledOAuth{s.OAuth.Store, gate}
	s.API.Looks = stalledLooks{s.API.Looks, gate}
	return release
}

// stalledLooks is slow in what the API reads of one person.
type stalledLooks struct {
	httpapi.Looks

	gate <-chan struct{}
}

// LookAtUser implements httpapi.Looks.
func (l stalledLooks) LookAtUser(account ident.AccountID, id ident.UserID) httpapi.Look {
	if id == "STUCK" {
		<-l.gate
	}
	return l.Looks.LookAtUser(account, id)
}

// stalledOAuth is slow in what the API reads of one application.
type stalledOAuth struct {
	oauth.Store

	gate <-chan struct{}
}

// Client implements oauth.Store.
func (o stalledOAuth) Client(ctx context.Context, id ident.ClientID) (oauth.Client, error) {
	if id == "stuck" {
		<-o.gate
	}
	return o.Store.Client(ctx, id)
}

// Metric returns the sum of a metric of the server, over all its labels that match.
func (s *Server) Metric(name string, labels map[string]string) float64 {
	s.t.Helper()
	families, err := s.Registry.Gather()
	if err != nil {
		s.t.Fatalf("testkit: gather metrics: %v", err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			matching := 0
			for _, pair := range m.GetLabel() {
				if labels[pair.GetName()] == pair.GetValue() {
					matching++
				}
			}
			if matching == len(labels) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
