package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const terminate = syscall.SIGTERM

// ticksPerSecond is the unit of times in /proc/PID/stat; USER_HZ is 100 on every Linux platform that Go runs on.
const ticksPerSecond = 100

// Memory is what a process holds in RAM, in bytes.
type Memory struct {
	Resident  int64 // now
	Peak      int64 // the most since the process began
	Anonymous int64 // the part of Resident that no file backs
}

// MemoryOf reads the memory of a process.
func MemoryOf(pid int) (Memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, fmt.Errorf("read memory: %w", err)
	}
	return parseMemory(string(text))
}

// parseMemory reads the Vm lines of a status file, proc_pid_status(5); their "kB" is 1024 bytes.
func parseMemory(status string) (Memory, error) {
	var m Memory
	wanted := map[string]*int64{"VmRSS": &m.Resident, "VmHWM": &m.Peak, "RssAnon": &m.Anonymous}
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		field, ok := wanted[name]
		if !ok {
			continue
		}
		number, unit, _ := strings.Cut(strings.TrimSpace(value), " ")
		kib, err := strconv.ParseInt(number, 10, 64)
		if err != nil || unit != "kB" {
			return Memory{}, fmt.Errorf("status line %q: want a number of kB", line)
		}
		*field = kib << 10
		delete(wanted, name)
	}
	if len(wanted) > 0 {
		return Memory{}, errors.New("status has no line VmRSS, VmHWM or RssAnon: has the process ended?")
	}
	return m, nil
}

// Times is CPU time by where it was spent, to 10 ms.
type Times struct{ User, Kernel time.Duration }

// TimesOf reads the CPU time of all threads of a process, ended ones included, split by mode. [CPU] is the exact sum.
func TimesOf(pid int) (Times, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Times{}, fmt.Errorf("read CPU times: %w", err)
	}
	return parseTimes(text)
}

// parseTimes reads utime and stime, fields 14 and 15 of a stat file, proc_pid_stat(5). Field 2 is the program's name in
// parentheses and may hold anything, parentheses and spaces too, so fields are counted from the last parenthesis.
func parseTimes(stat []byte) (Times, error) {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const utime, stime = 14 - 3, 15 - 3 // the first one here is field 3
	if len(fields) <= stime {
		return Times{}, fmt.Errorf("stat %q has too few fields", stat)
	}
	user, err := strconv.ParseInt(fields[utime], 10, 64)
	if err != nil {
		return Times{}, fmt.Errorf("utime of stat: %w", err)
	}
	kernel, err := strconv.ParseInt(fields[stime], 10, 64)
	if err != nil {
		return Times{}, fmt.Errorf("stime of stat: %w", err)
	}
	const tick = time.Second / ticksPerSecond
	return Times{User: time.Duration(user) * tick, Kernel: time.Duration(kernel) * tick}, nil
}
