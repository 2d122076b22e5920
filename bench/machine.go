package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/bench/report"
)

// lookAtMachine describes where the figures come from; dir is where the databases will be. What can't be read is left
// empty: it is for the reader only.
func lookAtMachine(dir string) (report.Machine, error) {
	forced, err := timeSync(dir)
	if err != nil {
		return report.Machine{}, err
	}
	read := func(path string) string {
		text, _ := os.ReadFile(path) // see above
		return string(text)
	}
	load, _, _ := strings.Cut(read("/proc/loadavg"), " ")
	average, _ := strconv.ParseFloat(load, 64) // see above
	return report.Machine{
		CPU: cpuModel(read("/proc/cpuinfo")), Cores: runtime.NumCPU(),
		Kernel: strings.TrimSpace(read("/proc/sys/kernel/osrelease")), Go: runtime.Version(),
		Filesystem: filesystem(read("/proc/mounts"), dir), Sync: forced, Load: average,
	}, nil
}

// cpuModel returns the first model name in /proc/cpuinfo.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// filesystem returns the type of the deepest mount of /proc/mounts, proc_pid_mounts(5), that holds the folder.
func filesystem(mounts, folder string) string {
	kind, deepest := "", -1
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		rest, err := filepath.Rel(fields[1], folder)
		inside := err == nil && rest != ".." && !strings.HasPrefix(rest, "../")
		if inside && len(fields[1]) >= deepest {
			kind, deepest = fields[2], len(fields[1])
		}
	}
	return kind
}

// timeSync returns the median time of appending 4 KiB to a file and forcing it to the disk: what a commit waits for.
func timeSync(dir string) (time.Duration, error) {
	const times = 50
	file, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return 0, fmt.Errorf("try the disk: %w", err)
	}
	defer file.Close() //nolint:errcheck // the file is thrown away
	var took report.Sample
	block := make([]byte, 4<<10)
	for range times {
		begun := time.Now()
		if _, err := file.Write(block); err != nil {
			return 0, fmt.Errorf("try the disk: %w", err)
		}
		if err := file.Sync(); err != nil {
			return 0, fmt.Errorf("try the disk: %w", err)
		}
		took = append(took, float64(time.Since(begun)))
	}
	return time.Duration(took.Median()), nil
}
