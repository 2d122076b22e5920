package e2e

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// output keeps what a program prints, up to maxOutput bytes.
type output struct {
	mu   sync.Mutex
	text []byte
}

const maxOutput = 8 << 20

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p[:min(len(p), maxOutput-len(o.text))]...)
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// process is a running program.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr output
	ended          chan struct{} // closed when err is set
	err            error
}

// launch starts a program that is killed at the end of the test, if it still runs.
func launch(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.stdout, &p.stderr
	cmd.WaitDelay = 5 * time.Second // for a grandchild that keeps the pipes open
	if cmd.Env == nil {
		cmd.Env = cleanEnv()
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// cleanEnv is the environment without settings of rollcall.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ROLLCALL_") })
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends the program as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended
	<-p.ended
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("send %v: %v\n%s", s, err, &p.stderr)
	}
}

// wait returns how the program ended.
func (p *process) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		t.Fatalf("the program does not end; it printed:\n%s", &p.stderr)
		return nil
	}
}

// stop ends the program by SIGTERM, and asks for exit status 0 and for no panic on the way.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	if err := p.wait(t); err != nil {
		t.Errorf("after SIGTERM: %v, want exit status 0\n%s", err, &p.stderr)
	}
	p.calm(t)
}

// goTrace is how the Go runtime ends a program that panics or deadlocks, and how the pipeline logs a panic.
var goTrace = regexp.MustCompile(`(?m)^(panic|fatal error): |^goroutine \d+ \[|panic: `)

// calm fails the test if the program panicked.
func (p *process) calm(t *testing.T) {
	t.Helper()
	if text := p.stderr.String(); goTrace.MatchString(text) {
		t.Errorf("a panic was printed:\n%s", text)
	}
}

// refusal waits for a program that must not start, and returns what it says.
func (p *process) refusal(t *testing.T) string {
	t.Helper()
	err := p.wait(t)
	p.calm(t)
	if code := p.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("ended with %v, want exit status 1\n%s", err, &p.stderr)
	}
	if text := p.stdout.String(); text != "" {
		t.Errorf("a program that refuses to start printed on standard output:\n%s", text)
	}
	return p.stderr.String()
}

// stderrOf is what a program that failed has printed on standard error.
func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}
