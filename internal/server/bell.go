package server

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// Bell wakes a goroutine by way of the network poller. Go asks the poller what has come
// over sockets only when no goroutine is ready to run (or after 10 ms): as long as one
// piece of work wakes the next, requests that have arrived are not even read. Whoever is
// woken by a Bell runs after all that had arrived when it was rung has been brought in.
type Bell struct {
	read, write *os.File
	rung        atomic.Bool
}

// NewBell makes a bell. It holds two file descriptors until Close.
func NewBell() (*Bell, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("server: make a bell: %w", err)
	}
	return &Bell{read: r, write: w}, nil
}

// Ring wakes the one who waits, now or when they next wait. Ringing again before that
// changes nothing. It is safe for concurrent use and never blocks.
func (b *Bell) Ring() {
	if b.rung.CompareAndSwap(false, true) {
		_, _ = b.write.Write([]byte{1}) // fails after Close alone
	}
}

// Wait waits until the bell is rung; false after Close. One goroutine waits.
func (b *Bell) Wait() bool {
	var one [1]byte
	_, err := b.read.Read(one[:])
	b.rung.Store(false)
	return err == nil
}

// Close ends the waiting.
func (b *Bell) Close() error { return errors.Join(b.write.Close(), b.read.Close()) }
