package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// zshSession is a zsh at a terminal, with what it has drawn so far.
type zshSession struct {
	t        *testing.T
	keyboard *os.File
	mu       sync.Mutex
	drawn    strings.Builder
}

// startZsh starts one that has read the completion script, in a folder of its own.
func startZsh(t *testing.T) *zshSession {
	t.Helper()
	home := t.TempDir()
	w, script, stderr := inMemory()
	if status := runContext(t.Context(), []string{"completion", "zsh"}, w); status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	profiles := filepath.Join(home, ".config", "rollcall", "profiles")
	if err := os.MkdirAll(profiles, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(home, "rollcall.zsh"): script.String(), filepath.Join(home, "leavers.csv"): "", filepath.Join(profiles, "europe.json"): "{}",
		filepath.Join(home, ".zshrc"): "autoload -U compinit && compinit -u -d $HOME/dump\nsource $HOME/rollcall.zsh\nPS1='ready> '\nunsetopt zle_bracketed_paste prompt_cr prompt_sp\nsetopt no_list_beep\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	screen, keyboard := pty(t)
	cmd := exec.Command("zsh", "-i")
	cmd.Dir, cmd.Env = home, []string{"HOME=" + home, "ZDOTDIR=" + home, "TERM=dumb", "PATH=" + os.Getenv("PATH"), raceVariable + "=" + os.Getenv(raceVariable)}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	z := &zshSession{t: t, keyboard: keyboard}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buffer := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buffer)
			z.mu.Lock()
			z.drawn.Write(buffer[:n])
			z.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		screen.Close()
		<-read
	})
	z.await("ready> ")
	return z
}

// await waits until the text was drawn, and forgets all that came before it.
func (z *zshSession) await(text string) {
	z.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		z.mu.Lock()
		drawn := z.drawn.String()
		_, rest, found := strings.Cut(drawn, text)
		if found {
			z.drawn.Reset()
			z.drawn.WriteString(rest)
		}
		z.mu.Unlock()
		if found {
			return
		}
		select {
		case <-again.C:
		case <-deadline.C:
			z.t.Fatalf("zsh has not drawn %q but %q", text, drawn)
		}
	}
}

// TestCompletionOfZsh presses Tab, and has zsh say what the line then is.
func TestCompletionOfZsh(t *testing.T) {
	t.Parallel()
	z := startZsh(t)
	for typed, want := range map[string]string{
		"rollcall users sus\t":                             "rollcall users suspend",
		"rollcall --config x app\t":                        "rollcall --config x apps",
		"rollcall users list --filt\t":                     "rollcall users list --filter",
		"rollcall users list --output tab\t":               "rollcall users list --output table",
		"rollcall users list --output=tab\t":               "rollcall users list --output=table",
		"rollcall users list --columns id,em\t":            "rollcall users list --columns id,email",
		"rollcall apps create x --permissions a,users.g\t": "rollcall apps create x --permissions a,users.get",
		"rollcall users list --profile eur\t":              "rollcall users list --profile europe",
		"rollcall users suspend -f leav\t":                 "rollcall users suspend -f leavers.csv",
		"rollcall completion fi\t":                         "rollcall completion fish",
	} {
		// To the front of the line, to print it between marks instead of running it.
		fmt.Fprint(z.keyboard, typed+"\x01print -r -- '<'\x05'>'\r")
		z.await("<" + want)
		z.await("ready> ")
	}
}
