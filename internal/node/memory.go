package node

import (
	"os"
	"runtime/debug"
)

// gcPercent lets the heap grow to two and a half times what lives before it is collected. The
// live heap of a server is a few MiB, so Go's default would collect many times a second
// and spend one request's time in ten on it; this costs some ten MiB.
const gcPercent = 150

// tuneMemory sets the collector, unless the operator has.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
