package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/client"
)

var noon = time.Date(2026, time.August, 1, 12, 0, 0, 0, time.UTC)

// testEnv is an environment with a home of its own.
func testEnv(t *testing.T) (e *Env, stdout *bytes.Buffer) {
	t.Helper()
	home := t.TempDir()
	stdout = &bytes.Buffer{}
	variables := map[string]string{"HOME": home}
	return &Env{
		Stdin: strings.NewReader(""), Stdout: stdout, Stderr: io.Discard, UserAgent: "test/1",
		Now:    func() time.Time { return noon },
		Getenv: func(name string) string { return variables[name] },
	}, stdout
}

var head = line{Action: suspend, BaseURL: "https://a.example", Account: "A"}

func newTestJournal(t *testing.T, people ...entry) *journalFile {
	t.Helper()
	e, _ := testEnv(t)
	j, err := e.newJournal(filepath.Join(t.TempDir(), "j.jsonl"), head, people)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func mustRecord(t *testing.T, j *journalFile, lines ...line) {
	t.Helper()
	for _, l := range lines {
		if err := j.record(l); err != nil {
			t.Fatal(err)
		}
	}
}

var compareEntries = cmp.AllowUnexported(entry{})

// TestJournalTells: what is read is what was written, whoever reads it.
func TestJournalTells(t *testing.T) {
	t.Parallel()
	j := newTestJournal(t, entry{id: "A", email: "a@x", before: client.StateActive}, entry{id: "B"}, entry{id: "C"}, entry{id: "D"})
	mustRecord(t, j,
		line{Kind: kindBegin, ID: "A"}, line{Kind: kindEnd, ID: "A", Result: resultDone},
		line{Kind: kindBegin, ID: "B"}, line{Kind: kindEnd, ID: "B", Result: resultRefused, Detail: "no"},
		line{Kind: kindBegin, ID: "C"}, line{Kind: kindEnd, ID: "C", Result: resultUnknown},
		line{Kind: kindBegin, ID: "C"},
	)
	want := []entry{
		{id: "A", email: "a@x", before: client.StateActive, begun: true, result: resultDone},
		{id: "B", begun: true, result: resultRefused}, {id: "C", begun: true}, {id: "D"},
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	read, err := loadJournal(j.path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read.people, compareEntries); diff != "" {
		t.Errorf("read (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(want, j.people, compareEntries); diff != "" {
		t.Errorf("written (-want +got)\n%s", diff)
	}
	var doubtful, settled []string
	for _, e := range read.people {
		if e.doubtful() {
			doubtful = append(doubtful, e.id)
		}
		if e.settled() {
			settled = append(settled, e.id)
		}
	}
	if diff := cmp.Diff([][]string{{"C"}, {"A"}}, [][]string{doubtful, settled}); diff != "" {
		t.Errorf("doubtful, settled (-want +got)\n%s", diff)
	}
}

// TestJournalCutAnywhere: whatever a crash left, the journal is as of an earlier moment
// of the run, and goes on from there.
func TestJournalCutAnywhere(t *testing.T) {
	t.Parallel()
	j := newTestJournal(t, entry{id: "A"}, entry{id: "B"})
	begun, err := os.Stat(j.path)
	if err != nil {
		t.Fatal(err)
	}
	mustRecord(t, j, line{Kind: kindBegin, ID: "A"}, line{Kind: kindEnd, ID: "A", Result: resultDone})
	whole, err := os.ReadFile(j.path)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := testEnv(t)
	for n := range len(whole) + 1 {
		path := filepath.Join(t.TempDir(), fmt.Sprint(n))
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil { //nolint:gosec // G703: the name is this test's
			t.Fatal(err)
		}
		cut, err := e.resumeJournal(path)
		if (err == nil) != (n >= int(begun.Size())) {
			t.Fatalf("cut at %d of %d: error %v", n, len(whole), err)
		}
		if err != nil {
			continue
		}
		if info, err := os.Stat(path); err != nil || info.Size() != int64(bytes.LastIndexByte(whole[:n], '\n')+1) {
			t.Fatalf("cut at %d: what was cut off is still there: %+v, error %v", n, info, err)
		}
		if !cut.people[0].settled() {
			mustRecord(t, cut, line{Kind: kindBegin, ID: "A"}, line{Kind: kindEnd, ID: "A", Result: resultDone})
		}
		if err := cut.close(); err != nil {
			t.Fatal(err)
		}
		again, err := loadJournal(path)
		if err != nil || !again.people[0].settled() {
			t.Fatalf("cut at %d and gone on: %+v, error %v", n, again, err)
		}
	}
}

const (
	runLine    = `{"kind":"run","time":"2026-08-01T12:00:00Z","journal":1,"action":"suspend","base_url":"u","account_id":"A","people":1}` + "\n"
	personLine = `{"kind":"person","time":"2026-08-01T12:00:00Z","id":"P"}` + "\n"
	beginLine  = `{"kind":"begin","time":"2026-08-01T12:00:00Z","id":"P"}` + "\n"
	endLine    = `{"kind":"end","time":"2026-08-01T12:00:00Z","id":"P","result":"done"}` + "\n"
)

func TestJournalsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"empty":            {"", "before the run began"},
		"no people":        {runLine, "before the run began"},
		"not JSON":         {"email\n", "line 1: not JSON"},
		"unknown field":    {strings.Replace(runLine, `"kind"`, `"x":1,"kind"`, 1), "line 1: not JSON"},
		"no run":           {personLine, "line 1: the first line"},
		"two runs":         {runLine + runLine, "line 2: the first line"},
		"version":          {strings.Replace(runLine, `"journal":1`, `"journal":2`, 1), "version 2, known is 1"},
		"action":           {strings.Replace(runLine, "suspend", "delete", 1), `unknown action "delete"`},
		"account":          {strings.Replace(runLine, `"A"`, `""`, 1), "account_id"},
		"people":           {strings.Replace(runLine, `"people":1`, `"people":100001`, 1), "out of range"},
		"one too many":     {runLine + personLine + personLine, "line 3: one person too many"},
		"nobody":           {runLine + strings.Replace(personLine, `"P"`, `""`, 1), "one person too many"},
		"stranger":         {runLine + personLine + strings.Replace(beginLine, "P", "Q", 1), `"Q" is nobody of this run`},
		"end without":      {runLine + personLine + endLine, "can't stand here"},
		"two ends":         {runLine + personLine + beginLine + endLine + endLine, "can't stand here"},
		"begin after done": {runLine + personLine + beginLine + endLine + beginLine, "can't stand here"},
		"result":           {runLine + personLine + beginLine + strings.Replace(endLine, "done", "lost", 1), "can't stand here"},
		"kind":             {runLine + personLine + strings.Replace(beginLine, "begin", "start", 1), "can't stand here"},
		"long line":        {runLine + strings.Repeat("x", maxLine) + "\n", "line 2 is longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, _, err := readJournal(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, error %v; want one with %q", j, err, tt.want)
			}
		})
	}
	if _, _, err := readJournal(iotest.ErrReader(iotest.ErrTimeout)); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("got error %v, want the reader's", err)
	}
}

func TestJournalKeepsNoLineThatItCannotRead(t *testing.T) {
	t.Parallel()
	j := newTestJournal(t, entry{id: "A"})
	if err := j.record(line{Kind: kindBegin, ID: strings.Repeat("A", maxLine)}); err == nil {
		t.Error("a line that is too long: got no error")
	}
	if err := j.record(line{Kind: kindEnd, ID: "A", Result: resultDone}); err == nil {
		t.Error("an end without a beginning: got no error")
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := loadJournal(j.path); err != nil {
		t.Error(err)
	}
}

// FuzzJournal: what is taken for a journal holds together, and reads the same written anew.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(runLine + personLine + beginLine + endLine))
	f.Add([]byte(runLine + personLine + beginLine[:9]))
	f.Fuzz(func(t *testing.T, text []byte) {
		j, good, err := readJournal(bytes.NewReader(text))
		if err != nil {
			return
		}
		if good > int64(len(text)) || j.run.People != len(j.people) || len(j.index) != len(j.people) {
			t.Fatalf("%d bytes of %d, %d of %d people", good, len(text), len(j.people), j.run.People)
		}
		for _, e := range j.people {
			if e.settled() && (!e.begun || e.doubtful()) {
				t.Errorf("%+v is settled and is not", e)
			}
		}
		again, n, err := readJournal(bytes.NewReader(text[:good]))
		if err != nil || n != good {
			t.Fatalf("the good part: %d bytes of %d, error %v", n, good, err)
		}
		if diff := cmp.Diff(j.people, again.people, compareEntries); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}
