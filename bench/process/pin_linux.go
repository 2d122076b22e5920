package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Pin has all threads of a process, and what they start from now on, run on the given cores only.
func Pin(pid int, cores ...int) error {
	// Twice: what a thread starts while the first round is on its way may have missed it.
	for range 2 {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return fmt.Errorf("pin process %d: %w", pid, err)
		}
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil {
				return fmt.Errorf("pin process %d: %w", pid, err)
			}
			set := setOf(cores)
			if err := unix.SchedSetaffinity(tid, &set); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("pin process %d: %w", pid, err)
			}
		}
	}
	return nil
}

// PinTree pins a process and its children, as a database server has one for each connection.
func PinTree(pid int, cores ...int) error {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	for _, path := range stats {
		fields, err := statFields(path)
		if err != nil || len(fields) < 2 || fields[1] != strconv.Itoa(pid) {
			continue // ended meanwhile, or another's
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return err
		}
		if err := Pin(child, cores...); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return Pin(pid, cores...)
}

// OnCores calls fn on a thread that is pinned: what fn starts is pinned too, and a Go program then sees so many cores.
func OnCores(fn func() error, cores ...int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("read the cores of a thread: %w", err)
	}
	set := setOf(cores)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin a thread: %w", err)
	}
	return errors.Join(fn(), unix.SchedSetaffinity(0, &before))
}

func setOf(cores []int) (set unix.CPUSet) {
	for _, core := range cores {
		set.Set(core)
	}
	return set
}

// Cores lists the cores that this process may run on.
func Cores() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("read the cores of this process: %w", err)
	}
	var cores []int
	for core := range len(set) * 64 {
		if set.IsSet(core) {
			cores = append(cores, core)
		}
	}
	return cores, nil
}
