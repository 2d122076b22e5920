package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/client/clienttest"
	"github.com/rollcall-id/rollcall/internal/envfile"
)

// BenchmarkFirstCommand is what a client command costs this machine's processor from its start to its end: program
// start, a token, a page of people, the token given back. What it waits for the server is not counted.
//
//	go test -run '^$' -bench FirstCommand -benchtime 50x ./cmd/rollcall
func BenchmarkFirstCommand(b *testing.B) {
	program := filepath.Join(b.TempDir(), "rollcall")
	build := exec.Command("go", "build", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	srv, err := clienttest.New(clienttest.WithUsers(25))
	if err != nil {
		b.Fatal(err)
	}
	defer srv.Close()
	var own time.Duration
	for b.Loop() {
		cmd := exec.Command(program, "users", "list")
		cmd.Env = []string{
			"HOME=" + b.TempDir(), envfile.BaseURL + "=" + srv.BaseURL, envfile.AccountID + "=" + srv.AccountID,
			envfile.ClientID + "=" + srv.ClientID, envfile.ClientSecret + "=" + srv.ClientSecret.Reveal(),
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		own += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(float64(own.Microseconds())/1000/float64(b.N), "own-ms/op")
}
