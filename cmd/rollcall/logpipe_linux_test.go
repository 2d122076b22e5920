package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestServerOutlivesItsStandardError: a log that nobody takes must not keep anybody from being answered, nor the server
// from going on or ending as it should.
func TestServerOutlivesItsStandardError(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*testing.T, *os.File){
		"nobody reads": func(*testing.T, *os.File) {},
		"nobody is there": func(t *testing.T, r *os.File) {
			t.Helper()
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, base, log := startWithLog(t)
			leave(t, log)
			for range 100 { // of some 300 bytes each
				answered(t, base)
			}
			endsWell(t, cmd)
		})
	}
}

// TestServerLogIsWhole: every line is there when the server has ended, and in its order.
func TestServerLogIsWhole(t *testing.T) {
	t.Parallel()
	cmd, base, log := startWithLog(t)
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(log)
		read <- string(text)
	}()
	var want []string
	for n := range 300 {
		id := fmt.Sprintf("request-%03d", n)
		want = append(want, id)
		answered(t, base, id)
	}
	endsWell(t, cmd)
	text := <-read
	var got []string
	for _, m := range regexp.MustCompile(`"request_id":"(request-\d+)"`).FindAllStringSubmatch(text, -1) {
		got = append(got, m[1])
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %d lines of requests, want %d in their order:\n%s", len(got), len(want), text)
	}
	if last := `"msg":"drained"}` + "\n"; !strings.HasSuffix(text, last) {
		t.Errorf("the log does not end with %s:\n%s", last, text[max(0, len(text)-500):])
	}
}

// startWithLog starts a server whose log goes into a pipe that takes 4 KiB, and returns its base URL and the pipe's end.
func startWithLog(t *testing.T) (*exec.Cmd, string, *os.File) {
	t.Helper()
	log, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	const setPipeSize = 1031 // F_SETPIPE_SZ of fcntl(2)
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, end.Fd(), setPipeSize, 4096); errno != 0 {
		t.Fatal(errno)
	}
	cmd := exec.CommandContext(t.Context(), "rollcall", "dev", "--listen", "127.0.0.1:0", "--tls", "off", "--log-format", "json", "--admin-listen", "127.0.0.1:0")
	cmd.Stderr = end
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if err := end.Close(); err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if base := address.FindString(lines.Text()); base != "" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return cmd, base, log
		}
	}
	t.Fatalf("the server printed no address: %v", lines.Err())
	return nil, "", nil
}

// answered sends a request that nobody may make, and wants it refused.
func answered(t *testing.T, base string, id ...string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/accounts/A/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["X-Request-Id"] = id
	c := http.Client{Timeout: patience}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("status %d", resp.StatusCode)
	}
}

func endsWell(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with: %v", err)
	}
}
