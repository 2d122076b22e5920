// Package lines writes the lines of a busy log together: under load a write to the system for
// each of them costs more than making it.
//
//	callers --Write--> [ gathered ] --one goroutine--> out
//
// It owns when lines leave, and what becomes of them where out takes none; how they look is
// left to whoever writes them. A line that comes after a quiet time leaves at once, those after
// it a moment later, together. What must always hold: lines leave whole and in their order;
// no caller ever waits for out; what is kept is bounded; lines that there was no room for are
// counted, and told of once out takes lines again.
package lines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// pause is how long lines gather: at most so long ago is what a crash may take along.
	pause = 50 * time.Millisecond
	// plenty of gathered bytes are not kept for the rest of the pause.
	plenty = 32 << 10
	// most bytes are kept while out takes none. A line more is lost.
	most = 1 << 20
	// patience is how long Close waits for an out that takes nothing.
	patience = 2 * time.Second
)

// Group gathers lines for out. It is safe for concurrent use.
type Group struct {
	out io.Writer
	// lost is told how many lines there was no room for, after out has taken others.
	lost func(lines int64)

	mu       sync.Mutex
	gathered []byte
	dropped  int64 // not yet told of
	closed   bool

	first chan struct{} // capacity 1: something has been gathered
	hurry chan struct{} // capacity 1: it is not to wait
	quit  chan struct{}
	done  chan struct{}
	err   error // of the last write, once done is closed

	// Of the goroutine alone: what it writes, and the space it writes out of.
	writing, space []byte
}

// New returns a group that writes to out, and must be closed. Lost is called without any lock
// held, and may write lines itself.
func New(out io.Writer, lost func(lines int64)) *Group {
	g := &Group{
		out: out, lost: lost, first: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	go g.run()
	return g
}

// errClosed is for lines that come too late.
var errClosed = errors.New("lines: the log is closed")

// Write takes whole lines, and never waits for out. Lines there is no room for are counted and
// no error: whoever logs could do nothing about it.
func (g *Group) Write(line []byte) (int, error) {
	g.mu.Lock()
	before := len(g.gathered)
	switch {
	case g.closed:
		g.mu.Unlock()
		return 0, errClosed
	case before+len(line) > most:
		g.dropped++
		g.mu.Unlock()
		return len(line), nil
	}
	g.gathered = append(g.gathered, line...)
	after := len(g.gathered)
	g.mu.Unlock()
	if before == 0 {
		ring(g.first)
	}
	if before < plenty && after >= plenty {
		ring(g.hurry)
	}
	return len(line), nil
}

// Flush lets what is gathered leave at once. It does not wait until it has.
func (g *Group) Flush() { ring(g.hurry) }

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// Close writes what is gathered, and ends the group. An out that takes nothing is given up after
// two seconds; then, and where out has failed, the error says so.
func (g *Group) Close() error {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.quit)
	}
	g.mu.Unlock()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-g.done:
		return g.err
	case <-late.C:
		return fmt.Errorf("lines: the last lines of the log were not taken within %s", patience)
	}
}

// run writes until the group is closed.
func (g *Group) run() {
	defer close(g.done)
	rest := time.NewTimer(pause)
	defer rest.Stop()
	for {
		select {
		case <-g.first:
		case <-g.quit:
			g.err = g.finish()
			return
		}
		if g.write() != nil || g.isWaiting() {
			ring(g.first) // what is left does not wait for another line
		}
		rest.Reset(pause)
		select {
		case <-rest.C:
		case <-g.hurry:
		case <-g.quit:
		}
	}
}

// write writes what is gathered; what out does not take is kept for the next time.
func (g *Group) write() error {
	if len(g.writing) == 0 {
		g.writing = g.take()
	}
	n, err := g.out.Write(g.writing)
	g.writing = g.writing[min(max(n, 0), len(g.writing)):]
	if err == nil && len(g.writing) > 0 {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("lines: %w", err)
	}
	if lost := g.untold(); lost > 0 {
		g.lost(lost)
	}
	return nil
}

// finish writes all that is left.
func (g *Group) finish() error {
	for len(g.writing) > 0 || g.isWaiting() {
		if err := g.write(); err != nil {
			return err
		}
	}
	return nil
}

func (g *Group) isWaiting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.gathered) > 0
}

// take exchanges what is gathered for space to gather in. Space that was needed once, while out
// took nothing, is not kept.
func (g *Group) take() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	taken, space := g.gathered, g.space
	if cap(space) > 2*plenty {
		space = nil
	}
	g.gathered, g.space = space[:0], taken
	return taken
}

// untold is how many lines were lost of which nobody was told yet, once there is room to tell.
func (g *Group) untold() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.gathered) > most/2 || g.closed {
		return 0
	}
	lost := g.dropped
	g.dropped = 0
	return lost
}

// Handler is inner, whose lines go to the group, with lines of level Warn and above leaving at once.
func (g *Group) Handler(inner slog.Handler) slog.Handler { return handler{inner, g} }

type handler struct {
	slog.Handler
	group *Group
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		h.group.Flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.group}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.group}
}
