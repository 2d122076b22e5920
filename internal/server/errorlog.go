package server

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"strconv"
	"strings"
	"unicode"
)

// maxErrorLine cuts what net/http says about a peer, which may quote the peer at length. Bytes.
const maxErrorLine = 4096

// errorLog carries the lines that net/http writes by itself into the structured log. What a peer did wrong is noise
// (debug); what went wrong on our side is a warning, and a handler's panic an error.
type errorLog struct {
	log      *slog.Logger
	listener string
}

func newErrorLog(logger *slog.Logger, listener string) *log.Logger {
	return log.New(errorLog{logger, listener}, "", 0)
}

func (e errorLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line[:min(len(line), maxErrorLine)]))
	e.log.LogAttrs(context.Background(), levelOf(text), "net/http", slog.String("listener", e.listener), slog.String("detail", escape(text)))
	return len(line), nil
}

func levelOf(text string) slog.Level {
	switch {
	case strings.Contains(text, "panic serving"):
		return slog.LevelError
	case strings.Contains(text, "Accept error"), strings.Contains(text, "superfluous response.WriteHeader"):
		return slog.LevelWarn
	default:
		return slog.LevelDebug
	}
}

// escape makes text one line of printable characters, whatever the log handler does with it.
func escape(text string) string {
	printable := func(r rune) bool { return r != unicode.ReplacementChar && unicode.IsPrint(r) }
	if strings.IndexFunc(text, func(r rune) bool { return !printable(r) }) < 0 {
		return text
	}
	quoted := strconv.QuoteToGraphic(text)
	return quoted[1 : len(quoted)-1]
}
