package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Pooler is PgBouncer in transaction mode before a server: each transaction of a client
// may run on another connection than the one before.
type Pooler struct {
	room *room
	port int
}

// poolerConfiguration keeps fewer connections to the server than clients have to it, so
// that they do change places.
const poolerConfiguration = `[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir = %s
auth_type = trust
auth_file = %[3]s/users.txt
pool_mode = transaction
default_pool_size = 5
max_client_conn = 1000
server_idle_timeout = 5
server_round_robin = 1
pidfile = %[3]s/pgbouncer.pid
`

// LaunchPooler starts a pooler before a server, for the caller to close.
func LaunchPooler(ctx context.Context, s *Server) (*Pooler, error) {
	path, err := program("pgbouncer")
	if err != nil {
		return nil, err
	}
	r, err := openRoom()
	if err != nil {
		return nil, err
	}
	p := &Pooler{room: r}
	if err := r.write("users.txt", fmt.Sprintf("%q \"\"\n%q %q\n", Role, GuardedRole, GuardedPassword)); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	for range 5 { // as Server.setUp
		if p.port, err = freePort(); err == nil {
			err = p.start(ctx, path, s)
		}
		if err == nil {
			return p, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("start PgBouncer: %w", err), p.Close())
}

func (p *Pooler) start(ctx context.Context, path string, s *Server) error {
	if err := p.room.write("pgbouncer.ini", fmt.Sprintf(poolerConfiguration, s.port, p.port, p.room.dir)); err != nil {
		return err
	}
	cmd, err := p.room.command("pgbouncer.log", path, filepath.Join(p.room.dir, "pgbouncer.ini"))
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	end := make(chan struct{})
	go func() { defer close(end); _ = cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		c, err := pgx.Connect(ctx, fmt.Sprintf("host=%s port=%d user=%s dbname=%s", p.room.dir, p.port, Role, superuser))
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-again.C:
		case <-end:
			return fmt.Errorf("it ended at once:\n%s", tail(filepath.Join(p.room.dir, "pgbouncer.log")))
		case <-ctx.Done():
			_ = cmd.Process.Signal(syscall.SIGKILL)
			<-end
			return fmt.Errorf("it does not answer: %w\n%s", err, tail(filepath.Join(p.room.dir, "pgbouncer.log")))
		}
	}
}

// URL names a database of the server behind the pooler, as Role.
func (p *Pooler) URL(database string) string { return address(url.User(Role), p.port, database) }

// Close ends the pooler.
func (p *Pooler) Close() error { return p.room.close() }

var poolers sync.Map // *Server to func() (*Pooler, error)

// Pooler returns the pooler before a server that the tests of this process share.
func (s *Server) Pooler(tb testing.TB) *Pooler {
	tb.Helper()
	start, _ := poolers.LoadOrStore(s, sync.OnceValues(func() (*Pooler, error) {
		return LaunchPooler(context.Background(), s)
	}))
	p, err := start.(func() (*Pooler, error))()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}
