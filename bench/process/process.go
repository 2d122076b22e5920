package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

const (
	grace    = 20 * time.Second // from SIGTERM to SIGKILL: longer than a server may drain
	tailSize = 2 << 10          // bytes of output that an error quotes
)

// Process is a running program. Its owner calls Stop.
type Process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed once the program has ended and err is set
	err   error
}

// Start runs a program with its output going to the file log, which is made or appended to. Cancelling the context kills
// the program.
func Start(ctx context.Context, log, program string, args ...string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", program, err)
	}
	defer out.Close()                                 //nolint:errcheck // the child has its own descriptor
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // G204: running the program under test is the purpose
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	p := &Process{cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended returns an error that quotes the last output once the program has ended, and nil while it runs.
func (p *Process) Ended() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s ended: %w; its last words:\n%s", p.cmd.Path, errors.Join(errEnded, p.err), p.Tail())
	default:
		return nil
	}
}

var errEnded = errors.New("unexpected end")

// Tail returns the end of what the program has printed.
func (p *Process) Tail() []byte {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return []byte(err.Error())
	}
	if cut := len(text) - tailSize; cut > 0 {
		text = text[cut:]
	}
	return bytes.TrimSpace(text)
}

// Stop asks the program to end, by SIGTERM, and waits until it has; after 20 s it is killed, which is an error, as is
// an exit code other than 0. Stopping a process that was killed or stopped is harmless.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(terminate); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	select {
	case <-p.ended:
	case <-time.After(grace):
		p.Kill()
		return fmt.Errorf("%s did not end within %v of SIGTERM; its last words:\n%s", p.cmd.Path, grace, p.Tail())
	}
	if p.err != nil {
		return fmt.Errorf("%s after SIGTERM: %w; its last words:\n%s", p.cmd.Path, p.err, p.Tail())
	}
	return nil
}

// Kill ends the program by SIGKILL, as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only when the process has ended
	<-p.ended
}
