package process

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseMemory(t *testing.T) {
	t.Parallel()
	const status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t     120 kB\nVmRSS:\t     100 kB\nRssAnon:\t      60 kB\nRssFile:\t 40 kB\n"
	tests := map[string]struct {
		status string
		want   Memory
		fails  bool
	}{
		"all":          {status: status, want: Memory{Resident: 100 << 10, Peak: 120 << 10, Anonymous: 60 << 10}},
		"zombie":       {status: "Name:\tx\nState:\tZ (zombie)\n", fails: true},
		"not a number": {status: strings.Replace(status, "120", "many", 1), fails: true},
		"another unit": {status: strings.Replace(status, "100 kB", "100 MB", 1), fails: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseMemory(tt.status)
			if (err != nil) != tt.fails {
				t.Fatalf("got error %v, want one: %v", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseTimes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		stat  string
		want  Times
		fails bool
	}{
		"plain":      {stat: "7 (x) S 1 7 7 0 -1 0 5 6 7 8 150 25 9 9 20 0\n", want: Times{User: 1500 * time.Millisecond, Kernel: 250 * time.Millisecond}},
		"odd name":   {stat: "7 (a) b) (c) S 1 7 7 0 -1 0 5 6 7 8 1 2 9 9\n", want: Times{User: 10 * time.Millisecond, Kernel: 20 * time.Millisecond}},
		"too short":  {stat: "7 (x) S 1 7 7 0 -1 0 5 6 7 8 150", fails: true},
		"no number":  {stat: "7 (x) S 1 7 7 0 -1 0 5 6 7 8 a 25", fails: true},
		"no number2": {stat: "7 (x) S 1 7 7 0 -1 0 5 6 7 8 150 b", fails: true},
		"empty":      {fails: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseTimes([]byte(tt.stat))
			if (err != nil) != tt.fails {
				t.Fatalf("got error %v, want one: %v", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestReadOwn: what is read of this very process is plausible, and the two CPU readings agree but for their resolution.
func TestReadOwn(t *testing.T) {
	t.Parallel()
	pid := os.Getpid()
	before := spendInKernel(t, pid)
	cpu, err := CPU(pid)
	if err != nil {
		t.Fatal(err)
	}
	after, err := TimesOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	const ticks = 100 * time.Millisecond
	if low, high := before.User+before.Kernel-ticks, after.User+after.Kernel+ticks; cpu < low || cpu > high {
		t.Errorf("CPU is %v, want between %v and %v", cpu, low, high)
	}
	memory, err := MemoryOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	if memory.Anonymous <= 0 || memory.Resident < memory.Anonymous || memory.Peak < memory.Resident {
		t.Errorf("got %+v, want 0 < anonymous <= resident <= peak", memory)
	}
}

// spendInKernel keeps the process busy until a good part of its CPU time was spent in the kernel, so that a clock which
// leaves that out is found.
func spendInKernel(t *testing.T, pid int) Times {
	t.Helper()
	const enough = 200 * time.Millisecond
	for range 100_000 {
		times, err := TimesOf(pid)
		if err != nil {
			t.Fatal(err)
		}
		if times.Kernel >= enough {
			return times
		}
	}
	t.Fatalf("100000 readings of a file have not spent %v in the kernel", enough)
	return Times{}
}

func TestReadNobody(t *testing.T) {
	t.Parallel()
	const nobody = 5_000_000 // above 2^22, the largest process id of Linux
	if _, err := CPU(nobody); err == nil {
		t.Error("CPU: got no error")
	}
	if _, err := TimesOf(nobody); err == nil {
		t.Error("TimesOf: got no error")
	}
	if _, err := MemoryOf(nobody); err == nil {
		t.Error("MemoryOf: got no error")
	}
}

func start(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(t.Context(), filepath.Join(t.TempDir(), "log"), "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// waitFor waits until the process has printed the word.
func waitFor(t *testing.T, p *Process, word string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(string(p.Tail()), word) {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("%q was never printed", word)
		}
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ script, want string }{
		"clean":  {`trap 'kill $!; exit 0' TERM; sleep 1000 & echo up; wait`, ""},
		"fails":  {`trap 'kill $!; echo no luck; exit 3' TERM; sleep 1000 & echo up; wait`, "exit status 3; its last words:\nup\nno luck"},
		"killed": {`echo up; exec sleep 1000`, "signal: terminated"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, tt.script)
			waitFor(t, p, "up")
			if err := p.Ended(); err != nil {
				t.Errorf("before Stop: %v", err)
			}
			err := p.Stop()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err := p.Ended(); err == nil {
				t.Error("after Stop: the process still runs")
			}
			if err := p.Stop(); err != nil {
				t.Errorf("second Stop: %v", err)
			}
		})
	}
}

func TestEndsByItself(t *testing.T) {
	t.Parallel()
	p := start(t, "echo the disk is gone; exit 4")
	<-p.ended
	err := p.Ended()
	if err == nil || !strings.Contains(err.Error(), "exit status 4") || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("got %v, want the exit code and the last words", err)
	}
}

func TestCancelKills(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Start(ctx, filepath.Join(t.TempDir(), "log"), "/bin/sh", "-c", "exec sleep 1000")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-p.ended
	if err := p.Ended(); !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("got %v, want: killed", err)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Start(t.Context(), filepath.Join(dir, "log"), filepath.Join(dir, "absent")); err == nil {
		t.Error("got no error for an absent program")
	}
	if _, err := Start(t.Context(), filepath.Join(dir, "no", "log"), "/bin/sh"); err == nil {
		t.Error("got no error for an absent folder")
	}
}

func TestBuildAndLinkage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "main")
	if err := Build(t.Context(), source, "off", out); err != nil {
		t.Fatal(err)
	}
	got, err := LinkageOf(out)
	if err != nil {
		t.Fatal(err)
	}
	if got.Dynamic != 0 || got.Size < 100_000 {
		t.Errorf("got %+v, want a static binary", got)
	}
	if got, err = LinkageOf("/bin/sh"); err != nil || got.Dynamic == 0 {
		t.Errorf("/bin/sh: got %+v, %v, want a dynamic binary", got, err)
	}
	if _, err = LinkageOf(source); err == nil {
		t.Error("got no error for a file that is no binary")
	}
	if err = os.WriteFile(source, []byte("package main\n\nfunc main() { oops }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err = Build(t.Context(), source, "off", out); err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("got %v, want the compiler's complaint", err)
	}
}

func TestPinning(t *testing.T) {
	t.Parallel()
	cores, err := Cores()
	if err != nil || len(cores) == 0 {
		t.Fatalf("got cores %v, %v", cores, err)
	}
	err = OnCores(func() error {
		pinned, err := Cores()
		if err != nil || len(pinned) != 1 || pinned[0] != cores[0] {
			t.Errorf("pinned to %v, %v, want %d alone", pinned, err, cores[0])
		}
		return nil
	}, cores[0])
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Cores(); err != nil || len(again) != len(cores) {
		t.Errorf("afterwards %v, %v, want %v", again, err, cores)
	}
}
