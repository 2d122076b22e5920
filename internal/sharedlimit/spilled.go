package sharedlimit

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/rollcall-id/rollcall/internal/throttle"
)

// run stands for n requests that count until the last of them leaves the window. Times
// are microseconds since 1970.
type run struct {
	last int64
	n    int64
}

// counts is one window of one key as PostgreSQL keeps it: a queue of runs of which the
// ends stand in the key's row, and what is between them in pieces in rows of their own.
//
//	oldest  [ front ] [ piece from ] ... [ piece to-1 ] [ back ]  newest
//
// So counting writes a few hundred bytes, however many requests the window holds, and
// reads a piece once for pieceRuns runs that leave. The newest run is always in back. The
// zero value with a name is an unused window.
type counts struct {
	name     string // see windowName
	count    int64  // requests in all runs
	newest   int64  // time of the newest request
	opened   int64  // time of the first request of the newest run
	front    []run
	from, to int64 // numbers of the pieces that have rows
	back     []run

	pieces [][]run // those read, from piece from on; they still have rows
}

// pieceRuns is how many runs a piece holds, at 4 to 8 bytes each.
const pieceRuns = 32

// expire forgets the runs that have left at now. It returns false when a piece must be
// read first.
func (c *counts) expire(per, now int64) bool {
	if c.newest+per <= now {
		// All have left. The numbers go on: rows of old pieces are deleted by them.
		*c = counts{name: c.name, from: c.to, to: c.to}
		return true
	}
	for {
		c.front = c.leave(c.front, per, now)
		switch {
		case len(c.front) > 0:
			return true
		case c.from == c.to:
			c.back = c.leave(c.back, per, now)
			return true
		case len(c.pieces) == 0:
			return false
		}
		c.front, c.pieces = c.pieces[0], c.pieces[1:]
		c.from++
	}
}

func (c *counts) leave(runs []run, per, now int64) []run {
	for len(runs) > 0 && runs[0].last+per <= now {
		c.count -= runs[0].n
		runs = runs[1:]
	}
	return runs
}

// use tells how much is used of a window that was expired at now: when the run leaves
// with which fewer than most requests count. It returns false when a piece must be read first.
func (c *counts) use(w throttle.Window, now int64) (throttle.Use, bool) {
	if c.count == 0 {
		return throttle.Use{}, true
	}
	// Above the limit only if that was lowered: else one run is enough.
	enough := max(1, c.count-int64(w.Max)+1)
	left := func(runs []run) (int64, bool) {
		for _, r := range runs {
			if enough -= r.n; enough <= 0 {
				return r.last + w.Per - now, true
			}
		}
		return 0, false
	}
	frees, found := left(c.front)
	for i := 0; !found && i < len(c.pieces); i++ {
		frees, found = left(c.pieces[i])
	}
	if !found && int64(len(c.pieces)) < c.to-c.from {
		return throttle.Use{}, false
	}
	if !found {
		frees, _ = left(c.back)
	}
	return throttle.Use{Count: int(c.count), Frees: frees}, true
}

// add counts n requests at now, which is not before any earlier one. It returns the
// piece, numbered to-1, that must get a row, if there is one.
func (c *counts) add(grain, now, n int64) []run {
	c.count += n
	c.newest = now
	if last := len(c.back) - 1; last >= 0 && now-c.opened < grain {
		c.back[last] = run{now, c.back[last].n + n}
		return nil
	}
	c.opened = now
	c.back = append(c.back, run{now, n})
	if len(c.back) <= pieceRuns {
		return nil
	}
	full := slices.Clone(c.back[:pieceRuns])
	c.back = c.back[pieceRuns:]
	if len(c.front) == 0 && c.from == c.to {
		c.front = full
		return nil
	}
	c.to++
	return full
}

// errUnread means that a row was not written by us, or is damaged.
var errUnread = errors.New("the row does not read")

// stateVersion begins every row. A row of another version is taken for an unused key.
const stateVersion = 1

// appendRuns writes runs as their number and, for each, the time since the one before
// and the requests.
func appendRuns(b []byte, runs []run) []byte {
	b = binary.AppendUvarint(b, uint64(len(runs)))
	before := int64(0)
	for _, r := range runs {
		b = binary.AppendVarint(b, r.last-before)
		b = binary.AppendUvarint(b, uint64(r.n))
		before = r.last
	}
	return b
}

// appendState writes the windows of a key.
func appendState(windows []counts) []byte {
	b := []byte{stateVersion}
	b = binary.AppendUvarint(b, uint64(len(windows)))
	for i := range windows {
		c := &windows[i]
		b = binary.AppendUvarint(b, uint64(len(c.name)))
		b = append(b, c.name...)
		for _, n := range []int64{c.count, c.newest, c.opened, c.from, c.to} {
			b = binary.AppendVarint(b, n)
		}
		b = appendRuns(b, c.front)
		b = appendRuns(b, c.back)
	}
	return b
}

// reader reads what the functions above wrote. After an error every value is 0.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int, ok bool) {
	if !ok || n <= 0 || n > len(r.b) {
		r.b, r.err = nil, errUnread
		return
	}
	r.b = r.b[n:]
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.take(n, true)
	return v
}

// length reads a number of things that take at least one byte each.
func (r *reader) length() int {
	v, n := binary.Uvarint(r.b)
	r.take(n, n > 0 && v <= uint64(len(r.b)-n))
	if r.err != nil {
		return 0
	}
	return int(v)
}

func (r *reader) text() string {
	n := r.length()
	if r.err != nil || n == 0 {
		return ""
	}
	s := string(r.b[:n])
	r.take(n, true)
	return s
}

func (r *reader) runs() []run {
	n := r.length()
	if n == 0 {
		return nil
	}
	list := make([]run, 0, n+1)
	before := int64(0)
	for range n {
		before += r.varint()
		count, size := binary.Uvarint(r.b)
		r.take(size, size > 0 && count <= 1<<31)
		list = append(list, run{before, int64(count)})
	}
	if r.err != nil {
		return nil
	}
	return list
}

// readRuns reads a piece.
func readRuns(b []byte) ([]run, error) {
	r := reader{b: b}
	runs := r.runs()
	return runs, r.err
}

// readState reads the windows of a key.
func readState(b []byte) ([]counts, error) {
	if len(b) == 0 || b[0] != stateVersion {
		return nil, errUnread
	}
	r := reader{b: b[1:]}
	windows := make([]counts, r.length())
	for i := range windows {
		c := &windows[i]
		c.name = r.text()
		for _, n := range []*int64{&c.count, &c.newest, &c.opened, &c.from, &c.to} {
			*n = r.varint()
		}
		c.front, c.back = r.runs(), r.runs()
		if c.to < c.from || c.count < 0 || c.count > 0 && len(c.back) == 0 {
			r.err = errUnread
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	return windows, nil
}
