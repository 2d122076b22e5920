package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// Single is one PostgreSQL server, which does not wait for its disk.
type Single struct {
	*Process
	port int
}

// StartSingle makes a server with an empty database for rollcall, and waits until it answers.
func StartSingle(ctx context.Context, g *Ground) (*Single, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	p, err := NewProcess(g, "postgres", filepath.Join(bin, "postgres"), "-D", "data", "-p", fmt.Sprint(ports[0]), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=100")
	if err != nil {
		return nil, err
	}
	initdb, err := g.Command(ctx, p.Dir(), "initdb", filepath.Join(bin, "initdb"), "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	if err != nil {
		return nil, err
	}
	if err := initdb.Run(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, g.Tail("initdb"))
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	s := &Single{p, ports[0]}
	for _, statement := range []string{"CREATE ROLE " + Role + " LOGIN", "CREATE DATABASE " + Role + " OWNER " + Role} {
		var last error
		err := Until(ctx, 30*time.Second, "PostgreSQL", func(ctx context.Context) bool {
			last = s.admin(ctx, statement)
			return last == nil
		})
		if err != nil {
			return nil, fmt.Errorf("%w: %w\n%s", err, last, g.Tail("postgres"))
		}
	}
	return s, nil
}

// Addr is where it is reached.
func (s *Single) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *Single) admin(ctx context.Context, statement string) error {
	c, err := pgx.Connect(ctx, "postgres://postgres@"+s.Addr()+"/postgres?sslmode=disable&connect_timeout=5")
	if err != nil {
		return err
	}
	defer c.Close(ctx) //nolint:errcheck // what counts is said by Exec
	_, err = c.Exec(ctx, statement)
	return err
}

// CutSessions ends about half of the sessions of rollcall, whatever they are doing.
func (s *Single) CutSessions(ctx context.Context) error {
	return s.admin(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+Role+"' AND random() < 0.5")
}
