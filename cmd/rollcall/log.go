package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/rollcall-id/rollcall/internal/config"
	"github.com/rollcall-id/rollcall/internal/lines"
	"github.com/rollcall-id/rollcall/internal/terminal"
)

// logger writes the log to standard error, line by line.
func (w *world) logger(c config.Logs) *slog.Logger { return slog.New(logHandler(w.stderr, c)) }

// serverLog writes the log of a server to standard error, lines together that come together.
// Whoever calls it calls end when nobody logs any more. Neither requests nor the program's end wait
// for a standard error that takes nothing, and one that is closed does not end the program.
func (w *world) serverLog(c config.Logs) (log *slog.Logger, end func()) {
	closed := make(chan os.Signal, 1) // nobody looks: the failed write tells
	signal.Notify(closed, syscall.SIGPIPE)
	group := lines.New(w.stderr, func(n int64) {
		log.Warn("lines of the log were lost: standard error did not take them in time", "lines", n)
	})
	log = slog.New(group.Handler(logHandler(group, c)))
	return log, func() {
		_ = group.Close() // there is no other place to say so
		signal.Stop(closed)
	}
}

func logHandler(out io.Writer, c config.Logs) slog.Handler {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "text" {
		return slog.NewTextHandler(out, options)
	}
	return slog.NewJSONHandler(jsonLog{out}, options)
}

// jsonLog escapes what log/slog's JSON leaves as it is, such as the C1 controls: with
// them a User-Agent could still rewrite what a terminal shows. Each Write is one line.
type jsonLog struct{ io.Writer }

// Write implements io.Writer.
func (w jsonLog) Write(line []byte) (int, error) {
	if isPrintable(bytes.TrimSuffix(line, []byte("\n"))) {
		return w.Writer.Write(line)
	}
	_, err := io.WriteString(w.Writer, terminal.EscapeJSON(strings.TrimSuffix(string(line), "\n"))+"\n")
	return len(line), err
}

// isPrintable tells of most lines, quickly, that there is nothing to escape.
func isPrintable(line []byte) bool {
	for _, c := range line {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
