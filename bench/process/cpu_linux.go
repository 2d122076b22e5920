package process

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// schedClock marks a clock id as the scheduler's clock of a whole process (clock_getcpuclockid(3), the kernel's
// CPUCLOCK_SCHED), and pidShift is where the complemented process id begins in it.
const (
	schedClock = 2
	pidShift   = 3
)

// CPU returns the CPU time that a process has used since it began: user and kernel mode, all threads, ended ones
// included, in nanoseconds as the scheduler counted them and not in ticks. Its children are not included.
func CPU(pid int) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<pidShift|schedClock, &t); err != nil {
		return 0, fmt.Errorf("read CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}
