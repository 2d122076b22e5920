package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options says what kind of server to start.
type Options struct {
	Version Version
	// Durable waits for the disk at each commit, as in use; otherwise nothing does,
	// which loses nothing unless the machine itself goes down.
	Durable bool
	// Settings are of postgresql.conf, over ours.
	Settings map[string]string
}

// Server is a PostgreSQL server of this process. It is safe for concurrent use.
type Server struct {
	room *room
	bin  string
	port int

	mu      sync.Mutex
	cmd     *exec.Cmd     // nil = stopped
	end     chan struct{} // closed when cmd has ended
	crashed bool

	templates sync.Map // name to *template
	used      sync.Map // kind to *spares
}

// startTimeout bounds how long a server may take until it answers, on a busy machine.
const startTimeout = time.Minute

// Launch starts a server of the caller's own, who closes it.
func Launch(ctx context.Context, o Options) (*Server, error) {
	bin, err := binaries(o.Version)
	if err != nil {
		return nil, err
	}
	r, err := openRoom()
	if err != nil {
		return nil, err
	}
	s := &Server{room: r}
	if s.bin, err = r.reachable(bin); err == nil {
		err = s.setUp(ctx, o)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL %s: %w", o.Version, err), s.Close())
	}
	return s, nil
}

func (s *Server) setUp(ctx context.Context, o Options) error {
	if err := s.room.run("initdb.log", filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", superuser, "-E", "UTF8",
		"--auth=trust", "--no-sync", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"); err != nil {
		return err
	}
	if err := s.room.write("data/pg_hba.conf", "local all all trust\nhost all "+GuardedRole+" 127.0.0.1/32 scram-sha-256\n"+
		"host all "+superuser+" 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 trust\n"); err != nil {
		return err
	}
	if err := s.room.write("data/postgresql.auto.conf", s.configuration(o)); err != nil {
		return err
	}
	// A port that was free a moment ago may be taken: then the server ends, and another is tried.
	var err error
	for range 5 {
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.Start(ctx); err == nil {
			return s.makeRoles(ctx)
		}
	}
	return err
}

func (s *Server) configuration(o Options) string {
	set := map[string]string{
		"listen_addresses": "127.0.0.1", "unix_socket_directories": s.room.dir, "max_connections": "300",
		"shared_buffers": "64MB", "log_timezone": "UTC", "timezone": "UTC", "lc_messages": "C",
	}
	if !o.Durable {
		maps.Copy(set, map[string]string{
			"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off", "max_wal_size": "1GB",
		})
	}
	maps.Copy(set, o.Settings)
	text := ""
	for _, name := range slices.Sorted(maps.Keys(set)) {
		text += fmt.Sprintf("%s = '%s'\n", name, set[name])
	}
	return text
}

func (s *Server) data() string { return filepath.Join(s.room.dir, "data") }

// Start starts a server that was stopped or killed, on the same port. After a crash it
// may have to be tried again: the crashed server's other processes need a moment to leave.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		err := s.try(ctx)
		if err == nil || !s.crashed {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

func (s *Server) try(ctx context.Context) error {
	if s.cmd != nil {
		return nil
	}
	cmd, err := s.room.command("server.log", filepath.Join(s.bin, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port))
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	end := make(chan struct{})
	go func() { defer close(end); _ = cmd.Wait() }()
	if err := s.await(ctx, end); err != nil {
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		<-end
		return err
	}
	s.cmd, s.end, s.crashed = cmd, end, false
	return nil
}

// await asks by the socket, which can only be ours, until the server answers.
func (s *Server) await(ctx context.Context, end <-chan struct{}) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := s.admin(ctx, superuser, func(*pgx.Conn) error { return nil })
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-end:
			return fmt.Errorf("it ended at once:\n%s", tail(filepath.Join(s.room.dir, "server.log")))
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w\n%s", err, tail(filepath.Join(s.room.dir, "server.log")))
		}
	}
}

// Stop ends the server in order: it breaks connections and writes everything to the disk.
func (s *Server) Stop() { s.signal(syscall.SIGINT) }

// Kill ends the server as a crash does.
func (s *Server) Kill() { s.signal(syscall.SIGKILL) }

func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	<-s.end
	s.cmd, s.crashed = nil, sig == syscall.SIGKILL
}

// Pid returns the number of the server's first process, the parent of its others; 0 if stopped.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Port returns the server's port on 127.0.0.1.
func (s *Server) Port() int { return s.port }

// Log returns the end of the server's log.
func (s *Server) Log() string { return tail(filepath.Join(s.room.dir, "server.log")) }

// Close ends the server and removes all it left.
func (s *Server) Close() error {
	s.Stop()
	return s.room.close()
}

// URL names a database of the server as Role.
func (s *Server) URL(database string) string { return address(url.User(Role), s.port, database) }

// GuardedURL names a database as the role that needs a password.
func (s *Server) GuardedURL(database, password string) string {
	return address(url.UserPassword(GuardedRole, password), s.port, database)
}

func address(who *url.Userinfo, port int, database string) string {
	u := url.URL{Scheme: "postgres", User: who, Host: fmt.Sprintf("127.0.0.1:%d", port), Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Admin runs statements, one after the other, as the superuser in a database.
func (s *Server) Admin(ctx context.Context, database string, statements ...string) error {
	return s.admin(ctx, database, func(c *pgx.Conn) error {
		for _, q := range statements {
			if _, err := c.Exec(ctx, q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		return nil
	})
}

func (s *Server) admin(ctx context.Context, database string, fn func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, fmt.Sprintf("host=%s port=%d user=%s dbname=%s", s.room.dir, s.port, superuser, database))
	if err != nil {
		return err
	}
	return errors.Join(fn(c), c.Close(ctx))
}

func (s *Server) makeRoles(ctx context.Context) error {
	return s.Admin(ctx, superuser, "CREATE ROLE "+Role+" LOGIN",
		fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s' IN ROLE %s", GuardedRole, GuardedPassword, Role))
}
