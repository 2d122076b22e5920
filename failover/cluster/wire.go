package cluster

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Wire is a connection between two machines that can be harmed. Whoever is to be reached by it is asked at Addr instead.
type Wire struct {
	proxy *toxiproxy.Proxy
	cut   bool
}

// NewWire lays a wire to an address.
func NewWire(name, to string) (*Wire, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &Wire{proxy: toxiproxy.NewProxy(server, name, "127.0.0.1:0", to)}
	if err := w.proxy.Start(); err != nil {
		return nil, fmt.Errorf("lay the wire %s: %w", name, err)
	}
	return w, nil
}

// Addr is its near end.
func (w *Wire) Addr() string { return w.proxy.Listen }

// Port is the port of Addr.
func (w *Wire) Port() string {
	_, port, err := net.SplitHostPort(w.Addr())
	if err != nil {
		panic(err) // a listener's address
	}
	return port
}

// Slow delays every piece of data that comes back.
func (w *Wire) Slow(delay time.Duration) error {
	return w.harm("latency", fmt.Sprintf(`{"latency": %d}`, delay.Milliseconds()))
}

// Swallow takes all data in both directions and passes none on; no connection ends, as behind a firewall that drops.
func (w *Wire) Swallow() error {
	if err := w.harm("timeout", `{"timeout": 0}`); err != nil {
		return err
	}
	return w.harmStream("timeout", "upstream", `{"timeout": 0}`)
}

// Cut ends all connections and refuses others.
func (w *Wire) Cut() {
	w.cut = true
	w.proxy.Stop()
}

// Heal undoes all harm.
func (w *Wire) Heal(ctx context.Context) error {
	w.proxy.Toxics.ResetToxics(ctx)
	if !w.cut {
		return nil
	}
	w.cut = false
	return w.proxy.Start()
}

// Close takes the wire away.
func (w *Wire) Close() {
	if !w.cut {
		w.proxy.Stop()
	}
}

func (w *Wire) harm(kind, attributes string) error {
	return w.harmStream(kind, "downstream", attributes)
}

func (w *Wire) harmStream(kind, stream, attributes string) error {
	text := fmt.Sprintf(`{"name": "%[1]s_%[2]s", "type": "%[1]s", "stream": "%[2]s", "attributes": %[3]s}`, kind, stream, attributes)
	if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
		return fmt.Errorf("harm a wire by %s: %w", kind, err)
	}
	return nil
}
