package lines

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sink remembers each write. While it is stuck or broken it takes nothing.
type sink struct {
	mu     sync.Mutex
	writes []string
	broken error
	takes  int           // bytes it takes of a write that fails
	stuck  chan struct{} // closed when it goes on; nil = never stuck
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	stuck := s.stuck
	s.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		n := min(s.takes, len(p))
		s.takes -= n
		if n > 0 {
			s.writes = append(s.writes, string(p[:n]))
		}
		return n, s.broken
	}
	s.writes = append(s.writes, string(p))
	return len(p), nil
}

func (s *sink) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *sink) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.writes...)
}

func put(t *testing.T, g *Group, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if n, err := io.WriteString(g, line); n != len(line) || err != nil {
			t.Fatalf("write %q: got %d, %v", line, n, err)
		}
	}
}

func wants(t *testing.T, s *sink, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := s.all(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// shut closes a group that is to end well.
func shut(t *testing.T, g *Group) {
	t.Helper()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// open returns a group that writes of lost lines as the server does.
func open(s *sink) *Group {
	var g *Group
	g = New(s, func(n int64) { fmt.Fprintf(g, "lost %d\n", n) })
	return g
}

func TestLinesGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		g := open(s)
		put(t, g, "1\n")
		wants(t, s, "1\n") // the first after a quiet time does not wait
		put(t, g, "2\n", "3\n")
		wants(t, s, "1\n")
		time.Sleep(pause)
		wants(t, s, "1\n", "2\n3\n")
		put(t, g, "4\n")
		time.Sleep(pause)
		wants(t, s, "1\n", "2\n3\n", "4\n")
		time.Sleep(time.Hour)
		put(t, g, "5\n")
		wants(t, s, "1\n", "2\n3\n", "4\n", "5\n")
		put(t, g, "6\n")
		shut(t, g)
		wants(t, s, "1\n", "2\n3\n", "4\n", "5\n", "6\n")
		if _, err := g.Write([]byte("7\n")); !errors.Is(err, errClosed) {
			t.Errorf("got %v, want %v", err, errClosed)
		}
		shut(t, g)
	})
}

func TestMuchLeavesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		g := open(s)
		defer shut(t, g)
		put(t, g, "1\n")
		synctest.Wait()
		line := strings.Repeat("x", plenty/2-1) + "\n"
		put(t, g, line)
		wants(t, s, "1\n")
		put(t, g, line)
		wants(t, s, "1\n", line+line)
	})
}

func TestWarningsLeaveAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		g := open(s)
		defer shut(t, g)
		plain := func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
		l := slog.New(g.Handler(slog.NewTextHandler(g, &slog.HandlerOptions{ReplaceAttr: plain})))
		l.Info("a")
		synctest.Wait()
		l.Info("b")
		l.With("k", 1).WithGroup("g").Warn("c", "l", 2)
		wants(t, s, "level=INFO msg=a\n", "level=INFO msg=b\nlevel=WARN msg=c k=1 g.l=2\n")
	})
}

func TestNobodyWaitsForWhoTakesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		s := &sink{stuck: goOn}
		g := open(s)
		line := strings.Repeat("x", 1023) + "\n"
		put(t, g, line)
		synctest.Wait() // it is being written
		for range most/1024 + 7 {
			put(t, g, line)
		}
		if got := len(g.gathered); got > most {
			t.Errorf("%d bytes are kept, want at most %d", got, most)
		}
		s.set(func() { s.stuck = nil })
		close(goOn)
		time.Sleep(2 * pause)
		wants(t, s, line, strings.Repeat(line, most/1024), "lost 7\n")
		time.Sleep(pause)
		put(t, g, line)
		time.Sleep(pause)
		put(t, g, line)
		synctest.Wait()
		if cap(g.gathered)+cap(g.space) > 8*plenty {
			t.Errorf("space of %d and %d bytes is kept", cap(g.gathered), cap(g.space))
		}
		shut(t, g)
	})
}

func TestWhatWasNotTakenIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left on device")
		s := &sink{broken: full, takes: 5}
		g := open(s)
		put(t, g, "first\n")
		wants(t, s, "first")
		put(t, g, "second\n")
		time.Sleep(10 * pause)
		wants(t, s, "first")
		s.set(func() { s.broken = nil })
		time.Sleep(2 * pause)
		wants(t, s, "first", "\n", "second\n") // though no line came since
		s.set(func() { s.broken = full })
		put(t, g, "third\n")
		if err := g.Close(); !errors.Is(err, full) {
			t.Errorf("got %v, want %v", err, full)
		}
	})
}

func TestCloseGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		s := &sink{stuck: goOn}
		g := open(s)
		put(t, g, "1\n")
		begun := time.Now()
		if err := g.Close(); err == nil {
			t.Error("the last line was not written, and nobody says so")
		}
		if took := time.Since(begun); took != patience {
			t.Errorf("took %v, want %v", took, patience)
		}
		close(goOn)
	})
}

func TestLinesOfManyKeepTheirOrder(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 2000
	var out bytes.Buffer
	g := New(&out, func(n int64) { t.Errorf("%d lines were lost", n) })
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				fmt.Fprintf(g, "%d %d\n", w, i)
			}
		})
	}
	wg.Wait()
	shut(t, g)
	var next [writers]int
	for line := range strings.Lines(out.String()) {
		var w, i int
		if n, err := fmt.Sscanf(line, "%d %d\n", &w, &i); n != 2 || err != nil || w >= writers || next[w] != i {
			t.Fatalf("line %q: want number %v of its writer (%v)", line, next, err)
		}
		next[w]++
	}
	for w, n := range next {
		if n != each {
			t.Errorf("writer %d: got %d lines, want %d", w, n, each)
		}
	}
}
