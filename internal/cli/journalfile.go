package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// journalFile is a journal that is being written. It belongs to one process.
type journalFile struct {
	*journal
	path string
	file *os.File
	now  func() time.Time
}

// newJournal writes a run and its people to a new file. When it returns they are on
// disk. Without a path, one is made up in the state folder.
func (e *Env) newJournal(path string, run line, people []entry) (_ *journalFile, err error) {
	if path == "" {
		if path, err = e.journalPath(run.Action); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists already: go on with it by --resume, or name a new file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("make the journal: %w", err)
	}
	run.Kind, run.Version, run.People = kindRun, journalVersion, len(people)
	j := &journalFile{path: path, file: f, now: e.Now, journal: &journal{run: run, index: map[string]int{}}}
	if err := errors.Join(lock(f), j.begin(people), syncFolder(path)); err != nil {
		return nil, errors.Join(fmt.Errorf("write the journal: %w", err), f.Close(), os.Remove(path))
	}
	return j, nil
}

// journalPath names a file by the time, as far as it is needed to be new.
func (e *Env) journalPath(a action) (string, error) {
	dir, err := e.stateDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "journals")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of journals: %w", err)
	}
	return filepath.Join(dir, e.Now().UTC().Format("20060102T150405.000000Z")+"-"+string(a)+".jsonl"), nil
}

// begin writes what is known before anything is done.
func (j *journalFile) begin(people []entry) error {
	var text bytes.Buffer
	lines := []line{j.run}
	for _, e := range people {
		lines = append(lines, line{Kind: kindPerson, ID: e.id, Email: e.email, Before: e.before})
	}
	for _, l := range lines {
		if err := j.encode(&text, l); err != nil {
			return err
		}
	}
	return j.append(text.Bytes())
}

// resumeJournal goes on with the file of an earlier run.
func (e *Env) resumeJournal(path string) (*journalFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	read, good, err := readJournal(f)
	if err == nil {
		// What was cut off would spoil the line that is written next.
		err = f.Truncate(good)
	}
	if err == nil {
		_, err = f.Seek(good, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the journal %s: %w", path, err), f.Close())
	}
	return &journalFile{journal: read, path: path, file: f, now: e.Now}, nil
}

// loadJournal reads a journal that no run is writing.
func loadJournal(path string) (*journal, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	defer f.Close() //nolint:errcheck // it is only read
	if err := lock(f); err != nil {
		return nil, err
	}
	j, _, err := readJournal(f)
	if err != nil {
		return nil, fmt.Errorf("read the journal %s: %w", path, err)
	}
	return j, nil
}

// lock keeps two runs from one journal. The system releases it when the process ends.
func lock(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another run is writing the journal %s: wait for it, or end it first (%w)", f.Name(), err)
	}
	return nil
}

// record takes a line of an attempt into the journal and onto the disk.
func (j *journalFile) record(l line) error {
	var text bytes.Buffer
	if err := j.encode(&text, l); err != nil {
		return err
	}
	if err := j.append(text.Bytes()); err != nil {
		return fmt.Errorf("write the journal %s: %w", j.path, err)
	}
	return nil
}

// encode writes a line and takes it in as a reader will.
func (j *journalFile) encode(to io.Writer, l line) error {
	l.Time = j.now().UTC()
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if len(text) >= maxLine {
		return fmt.Errorf("a line of more than %d bytes could not be read again", maxLine)
	}
	if l.Kind != kindRun {
		err = j.read(text)
	}
	_, writeErr := to.Write(append(text, '\n'))
	return errors.Join(err, writeErr)
}

func (j *journalFile) append(text []byte) error {
	_, err := j.file.Write(text)
	return errors.Join(err, j.file.Sync())
}

func (j *journalFile) close() error { return j.file.Close() }

// syncFolder makes a new file's name last.
func syncFolder(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
