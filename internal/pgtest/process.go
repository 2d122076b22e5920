package pgtest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// room is a folder for servers, owned by the user they run as, and its keeper: a shell
// that waits for us to close a pipe, which the system does for us if we are killed, and
// then ends what runs in the folder and removes it.
type room struct {
	dir    string
	as     *syscall.Credential // nil = as we are
	leave  io.Closer
	keeper *exec.Cmd
}

// keep ends each process whose number a *.pid file of the folder holds. A number may
// have been given to somebody else since: the command line must name the folder.
const keep = `
cat >/dev/null
for file in "$1"/*.pid "$1"/data/postmaster.pid; do
	pid=$(head -n 1 "$file" 2>/dev/null) || continue
	tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$1" || continue
	kill -CONT "$pid" 2>/dev/null; kill -QUIT "$pid" 2>/dev/null
	tries=0
	while kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
	kill -KILL "$pid" 2>/dev/null
done
rm -rf "$1"
`

// openRoom makes the folder in the system's folder for temporary files: the path of a
// socket in it must be short.
func openRoom() (*room, error) {
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, err
	}
	r := &room{dir: dir}
	if err := r.setUp(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return r, nil
}

func (r *room) setUp() error {
	if os.Geteuid() == 0 { // PostgreSQL and PgBouncer refuse to run as root
		if err := r.giveAway(); err != nil {
			return err
		}
	}
	r.keeper = exec.Command("/bin/sh", "-c", keep, "sh", r.dir)
	r.keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // not ended by the interrupt that ends us
	pipe, err := r.keeper.StdinPipe()
	if err != nil {
		return err
	}
	r.leave = pipe
	return r.keeper.Start()
}

func (r *room) giveAway() error {
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
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	r.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(r.dir, int(uid), int(gid))
}

// command prepares a program that runs as the folder's owner and logs to a file there.
func (r *room) command(log, name string, args ...string) (*exec.Cmd, error) {
	out, err := os.OpenFile(filepath.Join(r.dir, log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.dir, out, out
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: r.as, Setpgid: true}
	return cmd, nil
}

// run runs a program to its end.
func (r *room) run(log, name string, args ...string) error {
	cmd, err := r.command(log, name, args...)
	if err != nil {
		return err
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, tail(filepath.Join(r.dir, log)))
	}
	return nil
}

// write makes a file that the folder's owner can read.
func (r *room) write(name, text string) error {
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil || r.as == nil {
		return err
	}
	return os.Chown(path, int(r.as.Uid), int(r.as.Gid))
}

// reachable returns a folder of programs that the folder's owner can enter: dir, or a
// copy of what is around it where a folder above is closed, as root's home is.
func (r *room) reachable(bin string) (string, error) {
	if r.as == nil {
		return bin, nil
	}
	for at := bin; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return "", err
		}
		if info.Mode()&0o001 == 0 {
			break
		}
		if at == filepath.Dir(at) {
			return bin, nil
		}
	}
	home := filepath.Join(r.dir, "programs")
	if err := os.CopyFS(home, os.DirFS(filepath.Dir(bin))); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return filepath.Join(home, filepath.Base(bin)), nil
}

// close ends everything in the folder and removes it.
func (r *room) close() error {
	if err := r.leave.Close(); err != nil {
		return err
	}
	return r.keeper.Wait()
}

// freePort returns a port that nobody uses at the moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
