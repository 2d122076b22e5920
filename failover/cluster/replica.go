package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Binary is rollcall as it is installed: one file that the replicas start, which can be replaced while they run.
type Binary struct {
	ground *Ground
	path   string
}

// Install puts a program where everything that runs on the ground can start it. Replicas that run keep the one they have.
func (g *Ground) Install(program string) (*Binary, error) {
	text, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	if _, err := g.Write("rollcall.new", string(text), 0o700); err != nil { // a running file can't be written, but replaced
		return nil, err
	}
	path := filepath.Join(g.Dir, "rollcall.bin")
	return &Binary{g, path}, os.Rename(filepath.Join(g.Dir, "rollcall.new"), path)
}

// Admin runs a command of local administration to its end and returns what it prints. With --output json it is decoded
// into the value, unless that is nil.
func (b *Binary) Admin(ctx context.Context, databaseURL string, into any, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	args = append(append([]string{"admin"}, args...), "--database", databaseURL, "--output", "json")
	cmd, err := b.ground.Command(ctx, b.ground.Dir, "admin", b.path, args...)
	if err != nil {
		return err
	}
	cmd.Stdout = nil
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("rollcall %s: %w\n%s", strings.Join(args, " "), err, b.ground.Tail("admin"))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(out, into)
}

// Replica is one server of rollcall.
type Replica struct {
	*Process
	api   int
	admin int
}

// unlimited are limits that are counted and never met: what is looked for here is something else.
var unlimited = []string{
	"--users-per-minute=1000000000", "--users-per-hour=1000000000", "--token-per-minute=1000000000", "--token-per-hour=1000000000",
	"--management-reads-per-minute=1000000000", "--management-reads-per-hour=1000000000",
	"--management-writes-per-minute=1000000000", "--management-writes-per-hour=1000000000", "--auth-failures-per-minute=1000000000",
}

// DrainDelay is how long a replica that is told to end goes on accepting: longer than the balancer takes to notice.
const DrainDelay = 3 * time.Second

// StartReplica starts a server whose database is at an address, and waits until it is ready.
func StartReplica(ctx context.Context, b *Binary, name, database string) (*Replica, error) {
	ports, err := FreePorts(2)
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--database", URL(database), "--tls=off", "--trusted-proxies=127.0.0.1", "--public-health",
		fmt.Sprintf("--listen=127.0.0.1:%d", ports[0]), fmt.Sprintf("--admin-listen=127.0.0.1:%d", ports[1]),
		"--drain-delay=" + DrainDelay.String()}, unlimited...)
	p, err := NewProcess(b.ground, name, b.path, args...)
	if err != nil {
		return nil, err
	}
	r := &Replica{Process: p, api: ports[0], admin: ports[1]}
	if err := r.Start(); err != nil {
		return nil, err
	}
	return r, r.WaitReady(ctx, 30*time.Second)
}

// Base is the base URL of its API.
func (r *Replica) Base() string { return fmt.Sprintf("http://127.0.0.1:%d", r.api) }

// Ready tells what readiness says: 200, 503, or 0 where nothing answers.
func (r *Replica) Ready(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return patient(ctx, fmt.Sprintf("http://127.0.0.1:%d/readyz", r.admin))
}

// WaitReady waits until it is ready.
func (r *Replica) WaitReady(ctx context.Context, limit time.Duration) error {
	return r.WaitFor(ctx, limit, http.StatusOK)
}

// WaitFor waits until readiness says something.
func (r *Replica) WaitFor(ctx context.Context, limit time.Duration, want int) error {
	err := Until(ctx, limit, fmt.Sprintf("%s says %d", r.name, want), func(ctx context.Context) bool { return r.Ready(ctx) == want })
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, r.ground.Tail(r.name))
	}
	return err
}

var patientAsker = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// patient is status without a limit of its own.
func patient(ctx context.Context, url string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	res, err := patientAsker.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// Front is the balancer before the replicas: the one of deploy/compose, with what only a container has taken out of its
// configuration.
type Front struct {
	*Process
	port int
}

// StartFront starts it and waits until it leads to a replica. The file is deploy/compose/haproxy.cfg.
func StartFront(ctx context.Context, g *Ground, file string, replicas []*Replica) (*Front, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	config, err := frontConfig(string(text), ports[0], replicas)
	if err != nil {
		return nil, err
	}
	program, err := Program("haproxy")
	if err != nil {
		return nil, err
	}
	p, err := NewProcess(g, "balancer", program, "-db", "-f", "haproxy.cfg")
	if err != nil {
		return nil, err
	}
	if _, err := g.Write("balancer/haproxy.cfg", config, 0o600); err != nil {
		return nil, err
	}
	f := &Front{Process: p, port: ports[0]}
	if err := f.Start(); err != nil {
		return nil, err
	}
	return f, Until(ctx, 20*time.Second, "the balancer leads to a replica", func(ctx context.Context) bool {
		return status(ctx, f.Base()+"/openapi.yaml") == http.StatusOK
	})
}

// Base is the base URL of the API through the balancer.
func (f *Front) Base() string { return fmt.Sprintf("http://127.0.0.1:%d", f.port) }

// frontConfig replaces where the balancer listens and whom it leads to; everything else is as operators get it.
func frontConfig(text string, port int, replicas []*Replica) (string, error) {
	var out []string
	bound, named := false, false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch word := strings.TrimSpace(line); {
		case strings.HasPrefix(word, "bind "):
			line, bound = fmt.Sprintf("    bind 127.0.0.1:%d", port), true
		case strings.HasPrefix(word, "server-template "):
			var servers []string
			for _, r := range replicas {
				servers = append(servers, fmt.Sprintf("    server %s 127.0.0.1:%d", r.name, r.api))
			}
			line, named = strings.Join(servers, "\n"), true
		case strings.HasPrefix(word, "default-server "):
			line = strings.ReplaceAll(line, " resolvers engine init-addr none", "")
		}
		out = append(out, line)
	}
	if !bound || !named {
		return "", errors.New("the balancer's file has no line that begins with bind, or none with server-template")
	}
	return strings.Join(out, "\n") + "\n", nil
}
