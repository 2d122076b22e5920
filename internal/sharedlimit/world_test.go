package sharedlimit_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/rollcall-id/rollcall/internal/pgtest"
	"github.com/rollcall-id/rollcall/internal/sharedlimit"
	"github.com/rollcall-id/rollcall/internal/valkeytest"
)

// server is a store's server that a test may mistreat.
type server struct {
	address string
	open    func(t testing.TB, address string, timeout time.Duration) sharedlimit.Store
	kill    func()
	start   func(context.Context) error
	signal  func(syscall.Signal) error
}

// everyServer runs the test for each kind of store, with a server of its own.
func everyServer(t *testing.T, test func(t *testing.T, s server)) {
	t.Helper()
	kinds := map[string]func(*testing.T) server{"Redis": ownRedis, "PostgreSQL": ownPostgres}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, kind(t))
		})
	}
}

func ownRedis(t *testing.T) server {
	s := valkeytest.Own(t)
	return server{
		address: s.Address(),
		open: func(t testing.TB, address string, timeout time.Duration) sharedlimit.Store {
			return valkeyStore(t, "redis://"+address, timeout)
		},
		kill: s.Kill, start: s.Start,
		signal: func(sig syscall.Signal) error { return syscall.Kill(s.Pid(), sig) },
	}
}

func ownPostgres(t *testing.T) server {
	s := pgtest.Own(t, pgtest.Options{Version: pgtest.Newest, Durable: true})
	url := s.URL(s.Database(t))
	if err := tables(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port()))
	return server{
		address: address,
		open: func(t testing.TB, at string, timeout time.Duration) sharedlimit.Store {
			return postgresStore(t, strings.Replace(url, address, at, 1), timeout)
		},
		// Its children first: they go on for a moment without their parent.
		kill: func() {
			if err := signalTree(s.Pid(), syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			s.Kill()
		},
		start:  s.Start,
		signal: func(sig syscall.Signal) error { return signalTree(s.Pid(), sig) },
	}
}

// signalTree signals a process and its children.
func signalTree(pid int, sig syscall.Signal) error {
	lists, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		return err
	}
	for _, path := range lists {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return err
			}
			if err := syscall.Kill(child, sig); err != nil && err != syscall.ESRCH {
				return err
			}
		}
	}
	return syscall.Kill(pid, sig)
}

// proxy stands between a limiter and a server and spoils what goes through it.
func proxy(t *testing.T, upstream string) *toxiproxy.Proxy {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p := toxiproxy.NewProxy(api, "store", "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// spoil adds a toxic, as toxiproxy's documentation names it, in both directions.
func spoil(t *testing.T, p *toxiproxy.Proxy, kind, attributes string) (mend func()) {
	t.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		json := `{"name":"` + stream + `","type":"` + kind + `","stream":"` + stream + `","attributes":` + attributes + `}`
		if _, err := p.Toxics.AddToxicJson(strings.NewReader(json)); err != nil {
			t.Fatal(err)
		}
	}
	return func() { p.Toxics.ResetToxics(context.Background()) }
}

// logs keeps what a limiter logs.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// until waits for a condition; the test's own deadline ends it.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	for !condition() {
		select {
		case <-again.C:
		case <-limit.C:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
