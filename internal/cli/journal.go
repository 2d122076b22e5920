package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/client"
)

// A journal is a file of JSON lines: a run, its people, and what became of each.
//
//	run      action, base_url, account_id, people (how many follow)
//	person   id, email, before (the state they were in)       one for each
//	begin    id                                               on disk before the request is sent
//	end      id, result, detail                               on disk before the next begins
//
// A person whose last line is a begin may or may not have been acted on. Lines of begin
// and end come again when a run is resumed.
const (
	kindRun    = "run"
	kindPerson = "person"
	kindBegin  = "begin"
	kindEnd    = "end"
)

const journalVersion = 1

// result is what became of a person.
type result string

const (
	resultDone    result = "done"
	resultRefused result = "refused" // the server said no
	resultUnknown result = "unknown" // no answer that tells
)

// line is a line of a journal.
type line struct {
	Kind    string       `json:"kind"`
	Time    time.Time    `json:"time"`
	Version int          `json:"journal,omitempty"`
	Action  action       `json:"action,omitempty"`
	BaseURL string       `json:"base_url,omitempty"`
	Account string       `json:"account_id,omitempty"`
	Undoes  string       `json:"undoes,omitempty"`
	People  int          `json:"people,omitempty"`
	ID      string       `json:"id,omitempty"`
	Email   string       `json:"email,omitempty"`
	Before  client.State `json:"before,omitempty"` // "" = not known
	Result  result       `json:"result,omitempty"`
	Detail  string       `json:"detail,omitempty"`
}

// entry is a person of a run.
type entry struct {
	id, email string
	before    client.State
	begun     bool
	result    result // of the last attempt; "" if there was none or it did not end
}

// settled tells that there is nothing left to do.
func (e entry) settled() bool { return e.result == resultDone }

// doubtful tells that the person may have been acted on.
func (e entry) doubtful() bool { return e.begun && (e.result == "" || e.result == resultUnknown) }

func (e entry) String() string { return person{User: client.User{ID: e.id, Email: e.email}}.String() }

// journal is what a journal tells.
type journal struct {
	run    line
	people []entry
	index  map[string]int // of people, by id
}

// maxLine bounds a line, in bytes.
const maxLine = 64 << 10

// readJournal reads a journal. A last line that was cut off by a crash is left out:
// good is how many bytes come before it.
func readJournal(r io.Reader) (j *journal, good int64, err error) {
	j = &journal{index: map[string]int{}}
	in := bufio.NewReaderSize(r, maxLine)
	for number := 1; ; number++ {
		text, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return j, good, j.check()
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, 0, fmt.Errorf("line %d is longer than %d bytes: it is no journal", number, maxLine)
		case err != nil:
			return nil, 0, err
		}
		if err := j.read(text); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w: it is no journal, or it was changed", number, err)
		}
		good += int64(len(text))
	}
}

func (j *journal) read(text []byte) error {
	var l line
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return errors.New("not JSON of the fields of a journal")
	}
	switch {
	case (l.Kind == kindRun) != (j.run.Kind == ""):
		return errors.New("the first line, and no other, is of the run")
	case l.Kind == kindRun:
		return j.readRun(l)
	case l.Kind == kindPerson:
		return j.readPerson(l)
	}
	return j.readAttempt(l)
}

func (j *journal) readRun(l line) error {
	switch {
	case l.Version != journalVersion:
		return fmt.Errorf("version %d, known is %d", l.Version, journalVersion)
	case l.Action != suspend && l.Action != reactivate:
		return fmt.Errorf("unknown action %q", l.Action)
	case l.BaseURL == "" || l.Account == "" || l.People < 1 || l.People > maxNames:
		return errors.New("base_url, account_id or people is missing or out of range")
	}
	j.run = l
	return nil
}

func (j *journal) readPerson(l line) error {
	_, twice := j.index[l.ID]
	if l.ID == "" || twice || len(j.people) == j.run.People {
		return fmt.Errorf("one person too many: %q", l.ID)
	}
	j.index[l.ID] = len(j.people)
	j.people = append(j.people, entry{id: l.ID, email: l.Email, before: l.Before})
	return nil
}

func (j *journal) readAttempt(l line) error {
	i, known := j.index[l.ID]
	if !known || len(j.people) < j.run.People {
		return fmt.Errorf("%q is nobody of this run", l.ID)
	}
	e := &j.people[i]
	switch {
	case l.Kind == kindBegin && !e.settled():
		e.begun, e.result = true, ""
	case l.Kind == kindEnd && e.begun && e.result == "" && isResult(l.Result):
		e.result = l.Result
	default:
		return fmt.Errorf("%q with result %q can't stand here", l.Kind, l.Result)
	}
	return nil
}

func isResult(r result) bool { return r == resultDone || r == resultRefused || r == resultUnknown }

// check refuses a journal whose people are not all there: the run had not begun.
func (j *journal) check() error {
	if j.run.Kind == "" || len(j.people) < j.run.People {
		return errors.New("it ends before the run began: nothing was done, begin again without it")
	}
	return nil
}

// fits refuses another account than the one of the session.
func (j *journal) fits(c connection) error {
	if j.run.Account != c.account || strings.TrimRight(j.run.BaseURL, "/") != strings.TrimRight(c.baseURL, "/") {
		return fmt.Errorf("the journal is of account %s at %s, and %s is of account %s at %s: choose the right one with --profile",
			j.run.Account, j.run.BaseURL, c.source(), c.account, c.baseURL)
	}
	return nil
}
