package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/rollcall-id/rollcall/internal/config"
)

func TestJSONLogShowsNothingHidden(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := &world{stderr: &out}
	agent := "ua\u009b31m\u202eX\U000e0041\n\x1b[2J\u00e9"
	w.logger(config.Logs{LogLevel: "info", LogFormat: "json"}).Info("request", "user_agent", agent)
	line := strings.TrimSuffix(out.String(), "\n")
	if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("hidden at %d of %q", i, line)
	}
	var back struct {
		UserAgent string `json:"user_agent"`
	}
	if err := json.Unmarshal([]byte(line), &back); err != nil || back.UserAgent != agent {
		t.Errorf("got %q and error %v, want %q", back.UserAgent, err, agent)
	}
}
