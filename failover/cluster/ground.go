package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Ground is the folder that everything runs in, and who it runs as: PostgreSQL refuses to be root.
type Ground struct {
	Dir    string
	as     *syscall.Credential // nil = as we are
	keeper *exec.Cmd
	leave  io.Closer
}

// keep waits until its input ends, which the system sees to however we end, then kills whatever works inside the
// folder: a daemon that has left us is found by its working directory.
const keep = `cat >/dev/null
for round in 1 2 3; do
	for process in /proc/[0-9]*; do
		case "$(readlink "$process/cwd" 2>/dev/null)" in
		"$1" | "$1"/*) kill -KILL "${process#/proc/}" 2>/dev/null ;;
		esac
	done
	sleep 0.1
done
[ -e "$1/.stay" ] || rm -rf "$1"`

// NewGround makes the folder.
func NewGround() (*Ground, error) {
	dir, err := os.MkdirTemp("", "failover-")
	if err != nil {
		return nil, err
	}
	g := &Ground{Dir: dir}
	if err := g.setUp(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return g, nil
}

func (g *Ground) setUp() error {
	if os.Geteuid() == 0 {
		if err := g.giveAway(); err != nil {
			return err
		}
	}
	g.keeper = exec.Command("/bin/sh", "-c", keep, "sh", g.Dir) //nolint:noctx,gosec // it outlives everything but its pipe; G204: our own words
	g.keeper.Dir = "/"
	g.keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for us
	pipe, err := g.keeper.StdinPipe()
	if err != nil {
		return err
	}
	g.leave = pipe
	return g.keeper.Start()
}

func (g *Ground) giveAway() error {
	var u *user.User
	var err error
	for _, name := range []string{"postgres", "nobody"} {
		if u, err = user.Lookup(name); err == nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root, and there is nobody else: %w", err)
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return err
	}
	g.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(g.Dir, int(uid), int(gid))
}

// Stay leaves the folder with its logs where it is when the ground is closed.
func (g *Ground) Stay() { _ = os.WriteFile(filepath.Join(g.Dir, ".stay"), nil, 0o600) }

// Close ends everything that runs in the folder and removes it.
func (g *Ground) Close() error { return errors.Join(g.leave.Close(), g.keeper.Wait()) }

// Folder makes a folder inside.
func (g *Ground) Folder(name string) (string, error) {
	dir := filepath.Join(g.Dir, name)
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err == nil && g.as != nil {
		err = os.Chown(dir, int(g.as.Uid), int(g.as.Gid))
	}
	return dir, err
}

// Write makes a file that what runs here can read.
func (g *Ground) Write(name, text string, mode fs.FileMode) (string, error) {
	path := filepath.Join(g.Dir, name)
	err := os.WriteFile(path, []byte(text), mode) //nolint:gosec // G703: names are ours
	if err == nil && g.as != nil {
		err = os.Chown(path, int(g.as.Uid), int(g.as.Gid))
	}
	return path, err
}

// Command prepares a program that works in a folder of the ground and logs to name.log there.
func (g *Ground) Command(ctx context.Context, dir, name, program string, args ...string) (*exec.Cmd, error) {
	log, err := os.OpenFile(filepath.Join(g.Dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // G204: of our own making
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: g.as, Setpgid: true}
	return cmd, nil
}

// signal sends a signal to whatever works inside a folder, and tells how many there were.
func signal(dir string, s syscall.Signal) int {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0
	}
	count := 0
	for _, process := range processes {
		cwd, err := os.Readlink(filepath.Join(process, "cwd"))
		if err != nil || (cwd != dir && !strings.HasPrefix(cwd, dir+"/")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(process))
		if err == nil && !isZombie(process) && syscall.Kill(pid, s) == nil {
			count++
		}
	}
	return count
}

func isZombie(process string) bool {
	stat, err := os.ReadFile(filepath.Join(process, "stat"))
	if err != nil {
		return true
	}
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return len(state) > 0 && state[0] == 'Z'
}

// Until waits for a condition, asking every 50 ms.
func Until(ctx context.Context, limit time.Duration, what string, holds func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited %s for: %s", limit, what)
		}
	}
	return nil
}

// FreePorts returns ports of 127.0.0.1 that nobody uses, held together so that all differ.
func FreePorts(n int) ([]int, error) {
	var ports []int
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // it does not wait
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port) //nolint:errcheck,forcetypeassert // a TCP listener has no other address
	}
	return slices.Clip(ports), nil
}

// Program finds a program, also where Debian puts those of administrators.
func Program(name string) (string, error) {
	for _, dir := range []string{"/usr/sbin", "/usr/bin", "/usr/local/bin"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: run tools/deps.sh", name)
}

// Tail returns the end of a log of the ground.
func (g *Ground) Tail(name string) string {
	text, err := os.ReadFile(filepath.Join(g.Dir, name+".log"))
	if err != nil {
		return err.Error()
	}
	const most = 3000
	return strings.TrimSpace(string(text[max(0, len(text)-most):]))
}
