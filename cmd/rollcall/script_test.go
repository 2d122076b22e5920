package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rollcall-id/rollcall/internal/envfile"
)

// raceVariable holds the settings of the race detector, which programs under test are handed on.
const raceVariable = "GORACE"

func TestMain(m *testing.M) {
	// By default every program that the detector watches sleeps for a second when it has ended, and here end hundreds.
	if os.Getenv(raceVariable) == "" {
		if err := os.Setenv(raceVariable, "atexit_sleep_ms=10"); err != nil {
			panic(err)
		}
	}
	testscript.Main(m, map[string]func(){"rollcall": main})
}

// TestScript runs the program as people do: testdata/script has one file an area.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "waitfor": waitFor, "loadenv": loadEnv, "signal": signalAll, "occupy": occupy,
			"http": httpDo, "token": token, "hammer": hammer, "makecert": makeCert, "sql": execSQL, "mode": mode,
			"waittrust": waitTrust, "postgres": postgres, "redis": redis, "internet": startInternet, "spoken": spoken,
		},
	})
}

// exits CODE PROGRAM ARGS... runs a program that must end with the exit status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	got := 0
	var ended *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%s ended with status %d, want %d", args[1], got, want)
	}
}

// patience bounds every wait for another process on a busy machine.
const patience = time.Minute

// until asks again and again until ok or out of patience.
func until(ts *testscript.TestScript, what string, ok func() bool) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline.C:
			ts.Fatalf("no %s in %s", what, patience)
		}
	}
}

// waitfor FILE [PATTERN [VARIABLE]] waits for a file that another process writes, for
// something in it, and sets a variable to the pattern's first group.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 3 {
		ts.Fatalf("usage: waitfor FILE [PATTERN [VARIABLE]]")
	}
	pattern := ""
	if len(args) > 1 {
		pattern = args[1]
	}
	re := regexp.MustCompile("(?m)" + pattern)
	path := ts.MkAbs(args[0])
	var match []string
	var last []byte
	defer func() {
		if match == nil {
			ts.Logf("%s holds:\n%s", args[0], last)
		}
	}()
	until(ts, "match in "+args[0], func() bool {
		text, err := os.ReadFile(path)
		last = text
		if err == nil {
			match = re.FindStringSubmatch(string(text))
		}
		return match != nil
	})
	if len(args) == 3 {
		ts.Setenv(args[2], match[1])
	}
}

// loadenv FILE sets the script's variables to what an environment file assigns, as a shell reads it.
func loadEnv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: loadenv FILE")
	}
	path := ts.MkAbs(args[0])
	until(ts, args[0], func() bool { _, err := os.Stat(path); return err == nil })
	cmd := exec.Command("sh", "-c", `. "$0"; for v in BASE_URL ACCOUNT_ID CLIENT_ID CLIENT_SECRET CA_FILE; do eval "printf '%s\0' \"\$ROLLCALL_$v\""; done`, path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	ts.Check(err)
	values := strings.Split(string(out), "\x00")
	for i, name := range []string{envfile.BaseURL, envfile.AccountID, envfile.ClientID, envfile.ClientSecret, envfile.CAFile} {
		ts.Setenv(name, values[i])
	}
}

// signal NAME sends a signal to everything that runs in the background.
func signalAll(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": os.Interrupt}
	if neg || len(args) != 1 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal TERM|INT")
	}
	for _, cmd := range ts.BackgroundCmds() {
		if err := cmd.Process.Signal(signals[args[0]]); err != nil && !errors.Is(err, os.ErrProcessDone) {
			ts.Fatalf("signal: %v", err)
		}
	}
}

// occupy VARIABLE listens on a port until the script ends, and sets a variable to its address.
func occupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// mode FILE MODE checks who may read a file.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode FILE MODE")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}
