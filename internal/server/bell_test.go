package server

import (
	"sync"
	"testing"
)

// TestBell: each ring after a wait wakes once, and closing ends the waiting.
func TestBell(t *testing.T) {
	t.Parallel()
	b, err := NewBell()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		b.Ring()
		b.Ring()
		if !b.Wait() {
			t.Fatal("the bell is closed")
		}
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if b.Wait() {
			t.Error("a bell that was rung twice between two waits woke twice")
		}
	})
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	waiting.Wait()
	b.Ring() // harmless
}
