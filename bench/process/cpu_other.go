//go:build !linux

package process

import (
	"errors"
	"time"
)

// CPU is known on Linux only.
func CPU(int) (time.Duration, error) {
	return 0, errors.New("the CPU clock of another process is read on Linux only; run the benchmark there")
}
