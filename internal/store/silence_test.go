package store_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/admit"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/store"
)

// silent is a store on a server which a black hole can swallow.
func silent(t *testing.T) (s *store.Store, swallow func(), proxy *toxiproxy.Proxy) {
	t.Helper()
	server := pgtest.Shared(t, pgtest.Oldest)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(server.Port()))
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy = toxiproxy.NewProxy(api, "database", "127.0.0.1:0", address)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	url := strings.Replace(server.URL(migrated(t, server)), address, proxy.Listen, 1)
	return opened(t, store.Options{URL: url, Connections: few}), func() {
		for _, stream := range []string{"upstream", "downstream"} {
			json := `{"name":"` + stream + `","type":"timeout","stream":"` + stream + `","attributes":{"timeout":0}}`
			if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(json)); err != nil {
				t.Fatal(err)
			}
		}
	}, proxy
}

// TestSilencesDoNotAddUp: when the network swallows everything, whoever has a bound is
// answered when it is reached, however many connections are tried on the way; who has none
// still waits then.
func TestSilencesDoNotAddUp(t *testing.T) {
	t.Parallel()
	s, swallow, proxy := silent(t)
	by := access.Caller{Kind: access.Operator, Name: "olga"}
	entry := func(a audit.Action) audit.Entry {
		return audit.New(by, "ACCOUNT", a, "ADA", audit.Done, time.Unix(1, 0))
	}
	account := directory.Account{ID: "ACCOUNT", Name: "Acme", Provisioning: directory.NoProvisioning, State: directory.Open, CreateTime: time.Unix(1, 0)}
	if err := s.CreateAccount(t.Context(), account, entry(audit.AccountCreate)); err != nil {
		t.Fatal(err)
	}
	operations := map[string]func(context.Context) error{
		"read": func(ctx context.Context) error { _, err := s.User(ctx, "ACCOUNT", "ADA"); return err },
		"change": func(ctx context.Context) error {
			_, err := s.Change(ctx, "ACCOUNT", "ADA", func(directory.Standing) directory.Decision { return directory.Decision{} })
			return err
		},
		"free write": func(ctx context.Context) error {
			return s.Append(ctx, []audit.Entry{{ID: ident.EntryID("E"), Action: audit.Authenticate, Outcome: audit.Refused, At: time.Unix(1, 0), Count: 1}})
		},
	}
	for name, do := range operations { // so that there are connections, as in use
		if err := do(t.Context()); err != nil && fault.KindOf(err) != fault.KindNotFound {
			t.Fatalf("%s: %v", name, err)
		}
	}
	swallow()
	patient := make(chan error, 1)
	go func() { patient <- operations["read"](t.Context()) }()
	bound := admit.WithUntil(t.Context(), time.Now().Add(admit.RequestTime/2))
	errs := make(chan error, len(operations))
	for _, do := range operations {
		go func() { errs <- do(bound) }()
	}
	for range operations {
		if err := <-errs; fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("got %v, want that storage is unavailable", err)
		}
	}
	select {
	case err := <-patient:
		t.Errorf("whoever had no bound was answered before: %v", err)
	default:
	}
	proxy.Stop() // cuts what hangs
	<-patient
}
