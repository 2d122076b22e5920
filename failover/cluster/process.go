package cluster

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is a program that may be started again and again. Whatever it starts itself belongs to it, as long as that
// works in its folder.
type Process struct {
	ground  *Ground
	name    string
	dir     string // no other process works there
	program string
	args    func() []string
	env     []string

	mu    sync.Mutex
	ended chan struct{} // closed when the process that was started last has ended; nil before the first
	cmd   *exec.Cmd
}

// NewProcess describes a program with a folder of its own; nothing runs yet.
func NewProcess(g *Ground, name, program string, args ...string) (*Process, error) {
	dir, err := g.Folder(name)
	if err != nil {
		return nil, err
	}
	return &Process{ground: g, name: name, dir: dir, program: program, args: func() []string { return args }}, nil
}

// Dir is its folder.
func (p *Process) Dir() string { return p.dir }

// Start starts it.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil {
		select {
		case <-p.ended:
		default:
			return fmt.Errorf("%s runs already", p.name)
		}
	}
	cmd, err := p.ground.Command(context.Background(), p.dir, p.name, p.program, p.args()...)
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Env, p.env...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	ended := make(chan struct{})
	p.cmd, p.ended = cmd, ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	return nil
}

// Running tells whether it runs.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Kill ends it and all it has started, as a power cut does.
func (p *Process) Kill() error {
	if signal(p.dir, syscall.SIGKILL) == 0 && p.Running() {
		return fmt.Errorf("%s runs and was not found", p.name)
	}
	for range 50 { // what was being started while we looked
		if signal(p.dir, syscall.SIGKILL) == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return p.wait(10 * time.Second)
}

// Freeze stops it and all it has started without their noticing, as a machine does whose host is busy.
func (p *Process) Freeze() error { return p.all(syscall.SIGSTOP) }

// Thaw lets them go on.
func (p *Process) Thaw() error { return p.all(syscall.SIGCONT) }

func (p *Process) all(s syscall.Signal) error {
	if signal(p.dir, s) == 0 {
		return fmt.Errorf("%s is not running", p.name)
	}
	return nil
}

// End asks it to end and waits until it has.
func (p *Process) End(limit time.Duration) error {
	p.mu.Lock()
	cmd := p.cmd
	p.mu.Unlock()
	if cmd == nil {
		return fmt.Errorf("%s was never started", p.name)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("end %s: %w", p.name, err)
	}
	return p.wait(limit)
}

// ExitCode is that of the last run, or -1.
func (p *Process) ExitCode() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.cmd.ProcessState == nil {
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}

var errStillRuns = errors.New("it still runs")

func (p *Process) wait(limit time.Duration) error {
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-time.After(limit):
		return fmt.Errorf("%s: %w after %s", p.name, errStillRuns, limit)
	}
}
