package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// TreeCPU returns the CPU time of a process and its children, as a database server has
// one for each connection. Children that have ended count to 10 ms.
func TreeCPU(pid int) (time.Duration, error) {
	sum, err := CPU(pid)
	if err != nil {
		return 0, err
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, path := range stats {
		fields, err := statFields(path)
		if errors.Is(err, fs.ErrNotExist) || len(fields) < 2 {
			continue // ended meanwhile
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || fields[1] != strconv.Itoa(pid) {
			continue
		}
		if spent, err := CPU(child); err == nil {
			sum += spent
		}
	}
	ended, err := endedChildren(pid)
	return sum + ended, err
}

// endedChildren reads cutime and cstime, fields 16 and 17 of a stat file.
func endedChildren(pid int) (time.Duration, error) {
	fields, err := statFields(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read CPU times: %w", err)
	}
	var ticks int64
	for _, i := range []int{16 - 3, 17 - 3} { // the first one here is field 3
		if len(fields) <= i {
			return 0, fmt.Errorf("the stat file of process %d has too few fields", pid)
		}
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// statFields returns the fields of a stat file from the third, the state, on.
func statFields(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])), nil
}
