// Package valkeytest starts real Redis servers for tests and benchmarks: Debian's, which
// tools/deps.sh installs, and make test calls it. Valkey began as its copy and takes the
// same commands.
//
// It owns the processes and their folders. What must always hold: no server outlives the
// process that started it, however that ends; and a server listens on 127.0.0.1 only, on a
// port that was free, so that any number of test processes run side by side.
package valkeytest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a server of this process. It is safe for concurrent use.
type Server struct {
	dir  string
	port int
	args []string

	mu     sync.Mutex
	keeper *exec.Cmd // nil = stopped
	leave  io.Closer
	pid    int
}

// keep runs the server until we close a pipe, which the system does for us if we are
// killed, and then ends it.
const keep = `
"$@" >>server.log 2>&1 </dev/null &
echo $!
cat >/dev/null
kill -CONT $! 2>/dev/null
kill -KILL $! 2>/dev/null
wait $! 2>/dev/null
exit 0
`

// startTimeout bounds how long a server may take until it listens, on a busy machine.
const startTimeout = 30 * time.Second

var shared = sync.OnceValues(func() (*Server, error) { return Launch(context.Background()) })

// Shared returns the server that the tests of this process share, which ends with the
// process. Whoever kills or pauses a server starts their own with Own.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	s, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Own starts a server for one test and ends it with it. args are as on the command line
// of redis-server: "--requirepass", "secret".
func Own(tb testing.TB, args ...string) *Server {
	tb.Helper()
	s, err := Launch(tb.Context(), args...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("end the server: %v", err)
		}
	})
	return s
}

// Launch starts a server of the caller's own, who closes it.
func Launch(ctx context.Context, args ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "valkeytest")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, args: args}
	// A port that was free a moment ago may be taken: then the server ends, and another is tried.
	for range 5 {
		if s.port, err = freePort(); err != nil {
			break
		}
		if err = s.Start(ctx); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("start redis-server: %w", err), s.Close())
}

// Start starts a server that was killed, empty, on the same port.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeper != nil {
		return nil
	}
	args := append([]string{
		"-c", keep, "sh", "redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.dir,
		"--save", "", "--appendonly", "no",
	}, s.args...)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Setpgid: true} // not ended by the interrupt that ends us
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.keeper, s.leave = cmd, in
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		s.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err == nil {
		err = s.await(ctx)
	}
	if err != nil {
		s.end()
	}
	return err
}

func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Address())
		if err == nil {
			return conn.Close()
		}
		if syscall.Kill(s.pid, 0) != nil {
			return errors.New("it ended at once: " + s.Log())
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w: %s", err, s.Log())
		}
	}
}

// Kill ends the server as a crash does. What it held is lost.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

func (s *Server) end() {
	if s.keeper == nil {
		return
	}
	_ = s.leave.Close()
	_ = s.keeper.Wait()
	s.keeper = nil
}

// Pause stops the server where it stands: it answers nothing, and its connections stay.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeper == nil {
		return errors.New("the server is stopped")
	}
	return syscall.Kill(s.pid, sig)
}

// Address is the server's host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server's address as a URL.
func (s *Server) URL() string { return "redis://" + s.Address() }

// Pid returns the number of the server's process.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid
}

// Log returns what the server has logged.
func (s *Server) Log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "server.log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Close ends the server and removes its folder.
func (s *Server) Close() error {
	s.Kill()
	return os.RemoveAll(s.dir)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // it returns at once
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
