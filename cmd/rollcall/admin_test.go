package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// TestInterruptedIsNoSuccess: Ctrl-C before the work is done ends with status 1.
func TestInterruptedIsNoSuccess(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "d")
	w, _, stderr := inMemory()
	if status := runContext(t.Context(), []string{"admin", "account", "create", "Example", "--data", data}, w); status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stderr.Reset()
	status := runContext(ctx, []string{"admin", "account", "create", "Late", "--data", data}, w)
	if status != exitError || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("status %d, standard error %q, want %d and that it was interrupted", status, stderr, exitError)
	}
}
