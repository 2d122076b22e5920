package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/client/clienttest"
	"github.com/rollcall-id/rollcall/internal/envfile"
)

// released builds the program as it is released: the costs of the race detector are not its own.
func released(tb testing.TB) string {
	tb.Helper()
	program := filepath.Join(tb.TempDir(), "rollcall")
	build := exec.Command("go", "build", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return program
}

// firstCommand returns what runs a client command: program start, a token, a page of people, the token given back. It
// returns what that cost this machine's processor; what it waits for the server is not counted.
func firstCommand(tb testing.TB, program string) func() time.Duration {
	tb.Helper()
	srv, err := clienttest.New(clienttest.WithUsers(25))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := srv.Close(); err != nil {
			tb.Error(err)
		}
	})
	env := []string{
		"HOME=" + tb.TempDir(), envfile.BaseURL + "=" + srv.BaseURL, envfile.AccountID + "=" + srv.AccountID,
		envfile.ClientID + "=" + srv.ClientID, envfile.ClientSecret + "=" + srv.ClientSecret.Reveal(),
	}
	return func() time.Duration {
		cmd := exec.Command(program, "users", "list")
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			tb.Fatalf("%v\n%s", err, out)
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
}

// BenchmarkFirstCommand is what a client command costs, in the mean.
//
//	go test -run '^$' -bench FirstCommand -benchtime 50x ./cmd/rollcall
func BenchmarkFirstCommand(b *testing.B) {
	run := firstCommand(b, released(b))
	var own time.Duration
	for b.Loop() {
		own += run()
	}
	b.ReportMetric(float64(own.Microseconds())/1000/float64(b.N), "own-ms/op")
}

// TestCosts is what the program may cost as it is released.
func TestCosts(t *testing.T) {
	t.Parallel()
	program := released(t)
	t.Run("first command", func(t *testing.T) {
		t.Parallel()
		testFirstCommand(t, program)
	})
	for _, output := range []string{"jsonl", "table"} {
		t.Run("a million people as "+output, func(t *testing.T) {
			t.Parallel()
			testMillion(t, program, output)
		})
	}
}

// testFirstCommand: what a package does whenever a program starts, every command waits for. It is processor time, which
// others on a busy machine make longer but never shorter: of many tries the least tells what is our own.
func testFirstCommand(t *testing.T, program string) {
	t.Helper()
	const bound, tries = 50 * time.Millisecond, 100
	run, least := firstCommand(t, program), time.Hour
	for n := 0; n < tries && least >= bound; n++ {
		least = min(least, run())
	}
	if least >= bound {
		t.Errorf("'rollcall users list' takes %s of processor time, and may take %s", least, bound)
	}
	t.Logf("'rollcall users list' takes %s of processor time", least)
}

const (
	millionPages = 1000
	pageOf       = 1000
	mostOwn      = 30 << 10 // KiB
)

// testMillion lists a million people in so many requests, and looks at the program's memory at each.
func testMillion(t *testing.T, program, output string) {
	t.Helper()
	var requests, most, pid atomic.Int64
	srv := httptest.NewServer(manyPeople(func() {
		requests.Add(1)
		most.Store(max(most.Load(), ownMemory(int(pid.Load()))))
	}))
	t.Cleanup(srv.Close)
	cmd := exec.Command(program, "users", "list", "--no-pace", "--output", output)
	cmd.Env = []string{
		"HOME=" + t.TempDir(), envfile.BaseURL + "=" + srv.URL, envfile.AccountID + "=A",
		envfile.ClientID + "=C", envfile.ClientSecret + "=secret-of-the-test",
	}
	lines, remarks := &lineCounter{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = lines, remarks
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid.Store(int64(cmd.Process.Pid))
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, remarks)
	}
	if got := requests.Load(); got != millionPages {
		t.Errorf("%d requests for people, want %d", got, millionPages)
	}
	if people := lines.n - map[string]int{"table": 1}[output]; people != millionPages*pageOf {
		t.Errorf("%d people were printed", people)
	}
	if got := most.Load(); got == 0 || got > mostOwn {
		t.Errorf("it had %d KiB of memory, and may have %d", got, mostOwn)
	}
	t.Logf("%d KiB of memory", most.Load())
}

// manyPeople answers like the API of an account of a million people.
func manyPeople(asked func()) http.Handler {
	var people bytes.Buffer
	for i := range pageOf {
		fmt.Fprintf(&people, `,{"id":"U%03d-#","email":"somebody@example.com","display_name":"Some One","state":"ACTIVE","create_time":"2024-01-15T10:30:00Z","path":"accounts/A/users/U"}`, i)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1beta1/users/oauth2/token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"T","token_type":"Bearer","expires_in":900}`)
	})
	mux.HandleFunc("POST /v1beta1/users/oauth2/revoke", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /v1beta1/accounts/A/users", func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.FormValue("page_token"))
		next := ""
		if page+1 < millionPages {
			next = strconv.Itoa(page + 1)
		}
		asked()
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"results":[%s],"next_page_token":"%s"}`, bytes.ReplaceAll(people.Bytes()[1:], []byte("#"), []byte(strconv.Itoa(page))), next)
	})
	return mux
}

// ownMemory is what a process has in memory that is not a file's, such as its program's, in KiB; 0 where it is not told.
// What a process reports in the end would count its parent too.
func ownMemory(pid int) int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if kib, found := strings.CutPrefix(line, "RssAnon:"); found {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")), 10, 64)
			return n
		}
	}
	return 0
}

type lineCounter struct{ n int }

// Write implements io.Writer.
func (l *lineCounter) Write(p []byte) (int, error) {
	l.n += bytes.Count(p, []byte("\n"))
	return len(p), nil
}
