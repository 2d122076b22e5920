package server

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
)

func TestErrorLogIsOneEscapedLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"http: TLS handshake error from 192.0.2.1:1: EOF":   "level=DEBUG",
		"http2: server: error reading preface: \x1b[2J\r\n": "level=DEBUG",
		"http: Accept error: too many open files":           "level=WARN",
		"http: panic serving 192.0.2.1:1: boom\ngoroutine":  "level=ERROR",
		strings.Repeat("a", 10*maxErrorLine):                "level=DEBUG",
		"invalid \xff\u2028 bytes":                          "level=DEBUG",
	} {
		var out logBuffer
		newErrorLog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})), "public").Print(line)
		got := strings.TrimSuffix(out.String(), "\n")
		if !strings.Contains(got, want) || !strings.Contains(got, "listener=public") || len(got) > 2*maxErrorLine {
			t.Errorf("%.60q: want %s, got %.200q", line, want, got)
		}
		if strings.ContainsAny(got, "\n\r\x1b\u2028") {
			t.Errorf("%.60q: raw control characters in %q", line, got)
		}
	}
	if got := escape("tab\tesc\x1b"); got != `tab\tesc\x1b` {
		t.Errorf("want escapes whatever the log handler does, got %q", got)
	}
}

func TestHandshakeNoiseReachesTheLog(t *testing.T) {
	t.Parallel()
	var out logBuffer
	s := start(t, Config{Handler: echo, Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}, true)
	res, err := http.Get("http://" + s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP to the TLS listener: want 400, got %d", res.StatusCode)
	}
	s.stop()
	<-s.done
	if got := out.String(); !strings.Contains(got, "HTTP request to an HTTPS server") || strings.Contains(got, "level=WARN") {
		t.Errorf("want the handshake error at debug, got\n%s", got)
	}
}

func TestZapWritesToSlog(t *testing.T) {
	t.Parallel()
	var out logBuffer
	logger := zap.New(slogCore{slog.New(slog.NewTextHandler(&out, nil))}).Named("acme").With(zap.String("peer", "a\nb"))
	logger.Debug("below the level")
	logger.Info("one", zap.Int("attempt", 2))
	logger.DPanic("above an error")
	got := out.String()
	for _, want := range []string{"level=INFO", "logger=acme", "detail=one", "attempt=2", `peer=a\nb`, "level=ERROR"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "below") {
		t.Errorf("want no debug lines, got\n%s", got)
	}
}
