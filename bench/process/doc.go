// Package process runs the server that is measured as a process of its own, and reads from the kernel what it costs.
//
// It owns building the binary and judging how it is linked, starting and ending processes, and three readings of a
// running one: CPU time, its share spent in the kernel, and memory. What the process is told to do belongs to the caller.
//
// What must always hold: no process outlives its owner's Stop, and a process that ended by itself is reported with the
// last lines it printed. Readings come from Linux's /proc and CPU clocks; elsewhere they are errors.
package process
