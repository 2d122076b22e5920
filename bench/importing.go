package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/bench/process"
	"github.com/rollcall-id/rollcall/bench/report"
)

// The targets of an import of a million people.
const (
	longestImport = 120 // seconds
	largestImport = 300 // MiB
)

// importing measures rollcall admin user import into an empty account: how long it takes, what it costs the process and,
// where there is one, the server, and the most memory that the process held.
func (s *suite) importing(ctx context.Context) error {
	if !s.wants(phaseImport) {
		return nil
	}
	file := filepath.Join(s.dir, "people.csv")
	if err := writePeople(file, s.crowd); err != nil {
		return err
	}
	where := "--data=" + filepath.Join(s.dir, "imported")
	if s.server != nil {
		name, err := s.server.Create(ctx)
		if err != nil {
			return err
		}
		where = "--database=" + s.server.URL(name)
	}
	if _, _, err := s.admin(ctx, "account", "create", "Import", where); err != nil {
		return err
	}
	before, err := s.serverCPU()
	if err != nil {
		return err
	}
	begun := time.Now()
	state, memory, err := s.admin(ctx, "user", "import", file, where)
	if err != nil {
		return err
	}
	took := time.Since(begun)
	after, err := s.serverCPU()
	if err != nil {
		return err
	}
	return s.concludeImport(took, state, memory, after-before)
}

// lookEvery is how often the memory of a command is looked at.
const lookEvery = 50 * time.Millisecond

// admin runs a command of local administration to its end, and returns the peak of its memory in bytes, as it was last
// seen. What the system tells of a process that has ended would count ours, which started it.
func (s *suite) admin(ctx context.Context, args ...string) (_ *os.ProcessState, peak int64, err error) {
	cmd := exec.CommandContext(ctx, s.binary, append([]string{"admin"}, args...)...) //nolint:gosec // G204: the program under test
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return nil, 0, fmt.Errorf("rollcall admin %s: %w", strings.Join(args[:2], " "), err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if m, err := process.MemoryOf(cmd.Process.Pid); err == nil { // it may just have ended
				peak = m.Peak
			}
			continue
		case err = <-ended:
		}
		if err != nil {
			err = fmt.Errorf("rollcall admin %s: %w\n%s", strings.Join(args[:2], " "), err, out.String())
		}
		return cmd.ProcessState, peak, err
	}
}

// serverCPU is what the database's server has used so far; 0 without one.
func (s *suite) serverCPU() (time.Duration, error) {
	if s.server == nil {
		return 0, nil
	}
	return process.TreeCPU(s.server.Pid())
}

func (s *suite) concludeImport(took time.Duration, state *os.ProcessState, memory int64, server time.Duration) error {
	own := state.UserTime() + state.SystemTime()
	s.report.Findings = append(s.report.Findings,
		report.Finding{
			Name: fmt.Sprintf("import of %d people", s.crowd), Value: took.Seconds(), Unit: "s", Limit: longestImport, Below: true, Limited: true,
			Detail: fmt.Sprintf("from CSV, into an empty account; CPU of the process %.1f s, of PostgreSQL %.1f s", own.Seconds(), server.Seconds()),
		},
		report.Finding{
			Name: "memory of the import", Value: float64(memory) / (1 << 20), Unit: "MiB", Limit: largestImport, Below: true, Limited: true,
			Detail: "largest resident memory of the process",
		})
	s.say("imported %d people in %.1f s", s.crowd, took.Seconds())
	return nil
}

// writePeople writes a CSV file of people with names of their own, as a company's list has them: two words of some
// thousands each, and an address made of them.
func writePeople(path string, people int) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write people: %w", err)
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: the same people each time
	names := make([]string, 20_000)
	for i := range names {
		var name strings.Builder
		for range 2 + random.IntN(3) {
			name.WriteString(syllables[random.IntN(len(syllables))])
		}
		names[i] = strings.ToUpper(name.String()[:1]) + name.String()[1:]
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "email,display_name,state,groups")
	for i := range people {
		first, second := names[random.IntN(len(names))], names[random.IntN(len(names))]
		state, group := "ACTIVE", ""
		if i%10 == 9 {
			state = "SUSPENDED"
		}
		if i%20 == 3 {
			group = "engineering"
		}
		fmt.Fprintf(w, "%s.%s%d@corp.example,%s %s,%s,%s\n", strings.ToLower(first), strings.ToLower(second), i, first, second, state, group)
	}
	return errors.Join(w.Flush(), f.Close())
}

var syllables = strings.Fields("ka lo mi ren ta vo shi an be dor el fi gar hu is jo ku lan mo ni or pa ri sol tu ur va wen xi yo zan")
