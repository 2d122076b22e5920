package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// The times of the cluster. A leader that can't renew its key for leaderTTL is replaced; the balancer must have
// noticed before that and have ended all sessions to it, or a leader that comes back from being frozen could
// answer what is no longer so. So checkEvery * checkFalls + checkTimeout is well below leaderTTL - loopWait.
const (
	leaderTTL    = 8 // seconds
	loopWait     = 1
	retryTimeout = 3
)

// Database is three PostgreSQL servers of which one is primary, and a balancer that leads there.
type Database struct {
	ground *Ground
	etcd   *Process
	proxy  *Process
	Nodes  []*Node
	port   int
}

// Node is one of the servers and the Patroni that keeps it.
type Node struct {
	*Process
	Name string
	rest int   // port of Patroni
	sql  int   // port of PostgreSQL
	etcd *Wire // to the store of the leader's key
}

const (
	nodes = 3
	// Role owns the database of the same name. It may connect from this machine without a password.
	Role = "rollcall"
)

// StartDatabase starts all of it and waits until there is a primary that a synchronous standby follows.
func StartDatabase(ctx context.Context, g *Ground) (*Database, error) {
	d := &Database{ground: g}
	ports, err := FreePorts(3 + 2*nodes)
	if err != nil {
		return nil, err
	}
	d.port = ports[2]
	if err := d.startStore(ctx, ports[0], ports[1]); err != nil {
		return nil, err
	}
	for i := range nodes {
		n, err := d.newNode(fmt.Sprintf("db%d", i+1), ports[3+2*i], ports[4+2*i], ports[0])
		if err != nil {
			return nil, err
		}
		d.Nodes = append(d.Nodes, n)
		if err := n.Start(); err != nil {
			return nil, err
		}
	}
	if err := d.startProxy(); err != nil {
		return nil, err
	}
	leader, err := d.WaitHealthy(ctx, time.Minute)
	if err != nil {
		return nil, err
	}
	return d, d.create(ctx, leader)
}

func (d *Database) startStore(ctx context.Context, client, peer int) error {
	program, err := Program("etcd")
	if err != nil {
		return err
	}
	clientURL, peerURL := fmt.Sprintf("http://127.0.0.1:%d", client), fmt.Sprintf("http://127.0.0.1:%d", peer)
	d.etcd, err = NewProcess(d.ground, "etcd", program, "--name=etcd", "--data-dir=data", "--listen-client-urls="+clientURL, "--advertise-client-urls="+clientURL,
		"--listen-peer-urls="+peerURL, "--initial-advertise-peer-urls="+peerURL, "--initial-cluster=etcd="+peerURL, "--logger=zap", "--enable-v2=true")
	if err != nil {
		return err
	}
	if err := d.etcd.Start(); err != nil {
		return err
	}
	return Until(ctx, 20*time.Second, "etcd", func(ctx context.Context) bool { return status(ctx, clientURL+"/health") == http.StatusOK })
}

const patroniConfig = `scope: rollcall
name: %[1]s
restapi: {listen: "127.0.0.1:%[2]d", connect_address: "127.0.0.1:%[2]d"}
# By the second version of etcd's protocol: over the third, Patroni before 3.1 may keep a stale copy of the keys after it was
# frozen, for good (its issue 2779). use_proxies, as it would learn the way around the wire from etcd itself.
etcd: {hosts: ["%[4]s"], use_proxies: true}
bootstrap:
  dcs:
    ttl: %[7]d
    loop_wait: %[8]d
    retry_timeout: %[9]d
    maximum_lag_on_failover: 1048576
    master_start_timeout: 0
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      parameters: {max_connections: 100, wal_level: replica, hot_standby: "on", max_wal_senders: 10, wal_keep_size: 64MB, shared_buffers: 64MB}
  initdb: [{encoding: UTF8}, {locale: C.UTF-8}, data-checksums]
postgresql:
  listen: 127.0.0.1:%[3]d
  connect_address: 127.0.0.1:%[3]d
  data_dir: %[5]s/data
  bin_dir: %[6]s
  pgpass: %[5]s/pgpass
  pg_hba: ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
  authentication:
    superuser: {username: postgres}
    replication: {username: replicator}
    rewind: {username: postgres}
  parameters: {unix_socket_directories: %[5]s, logging_collector: "off"}
`

func (d *Database) newNode(name string, rest, sql, store int) (*Node, error) {
	program, err := Program("patroni")
	if err != nil {
		return nil, err
	}
	wire, err := NewWire(name+"-etcd", fmt.Sprintf("127.0.0.1:%d", store))
	if err != nil {
		return nil, err
	}
	p, err := NewProcess(d.ground, name, program, "patroni.yml")
	if err != nil {
		return nil, err
	}
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(patroniConfig, name, rest, sql, wire.Addr(), p.Dir(), bin, leaderTTL, loopWait, retryTimeout)
	if _, err := d.ground.Write(filepath.Join(name, "patroni.yml"), text, 0o600); err != nil {
		return nil, err
	}
	return &Node{Process: p, Name: name, rest: rest, sql: sql, etcd: wire}, nil
}

// binaries is where Debian has the newest PostgreSQL.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", errors.Join(errors.New("PostgreSQL is not installed: run tools/deps.sh"), err)
	}
	return filepath.Dir(found[len(found)-1]), nil
}

const proxyConfig = `global
    maxconn 1000
defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
    timeout check 500ms
listen primary
    bind 127.0.0.1:%d
    option httpchk GET /primary
    http-check expect status 200
    default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
`

func (d *Database) startProxy() error {
	program, err := Program("haproxy")
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, proxyConfig, d.port)
	for _, n := range d.Nodes {
		fmt.Fprintf(&text, "    server %s 127.0.0.1:%d check port %d\n", n.Name, n.sql, n.rest)
	}
	if d.proxy, err = NewProcess(d.ground, "db-balancer", program, "-db", "-f", "haproxy.cfg"); err != nil {
		return err
	}
	if _, err := d.ground.Write("db-balancer/haproxy.cfg", text.String(), 0o600); err != nil {
		return err
	}
	return d.proxy.Start()
}

func (d *Database) create(ctx context.Context, leader *Node) error {
	c, err := pgx.Connect(ctx, leader.url("postgres", "postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx) //nolint:errcheck // what counts is said by Exec
	for _, statement := range []string{"CREATE ROLE " + Role + " LOGIN", "CREATE DATABASE " + Role + " OWNER " + Role} {
		if _, err := c.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// Addr is where the primary is reached.
func (d *Database) Addr() string { return fmt.Sprintf("127.0.0.1:%d", d.port) }

// URL names the database by an address, Addr or a wire to it.
func URL(address string) string {
	return "postgres://" + Role + "@" + address + "/" + Role + "?sslmode=disable"
}

func (n *Node) url(role, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable&connect_timeout=2", role, n.sql, database)
}

// Isolate cuts the node off from the store of the leader's key, and from nothing else.
func (n *Node) Isolate() { n.etcd.Cut() }

// Reunite undoes it.
func (n *Node) Reunite(ctx context.Context) error { return n.etcd.Heal(ctx) }

func (n *Node) is(ctx context.Context, role string) bool {
	return status(ctx, fmt.Sprintf("http://127.0.0.1:%d/%s", n.rest, role)) == http.StatusOK
}

// Leader returns the node that is primary, or nil.
func (d *Database) Leader(ctx context.Context) *Node {
	for _, n := range d.Nodes {
		if n.is(ctx, "primary") {
			return n
		}
	}
	return nil
}

// WaitLeader waits for a primary other than one that was harmed.
func (d *Database) WaitLeader(ctx context.Context, limit time.Duration, other *Node) (leader *Node, err error) {
	err = Until(ctx, limit, "another primary", func(ctx context.Context) bool {
		leader = d.Leader(ctx)
		return leader != nil && leader != other
	})
	return leader, err
}

// WaitHealthy waits for a primary, all others as its standbys, one of them synchronous, and the balancer leading to the primary.
func (d *Database) WaitHealthy(ctx context.Context, limit time.Duration) (leader *Node, err error) {
	err = Until(ctx, limit, "a primary and its standbys", func(ctx context.Context) bool {
		leader = d.Leader(ctx)
		if leader == nil {
			return false
		}
		standbys, synchronous := 0, 0
		for _, n := range d.Nodes {
			if n != leader && n.is(ctx, "replica") {
				standbys++
				if n.is(ctx, "synchronous") {
					synchronous++
				}
			}
		}
		return standbys == nodes-1 && synchronous > 0 && d.leadsTo(ctx, leader)
	})
	return leader, err
}

// leadsTo tells whether the balancer leads to the node.
func (d *Database) leadsTo(ctx context.Context, n *Node) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, "postgres://postgres@"+d.Addr()+"/postgres?sslmode=disable")
	if err != nil {
		return false
	}
	defer c.Close(ctx) //nolint:errcheck // nothing was written
	var port int
	return c.QueryRow(ctx, "SELECT inet_server_port()").Scan(&port) == nil && port == n.sql
}

// Connect opens a session with the primary.
func (d *Database) Connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, URL(d.Addr()))
}

var asker = &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// status is that of an answer, or 0 where there is none within a second.
func status(ctx context.Context, url string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	res, err := asker.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}
