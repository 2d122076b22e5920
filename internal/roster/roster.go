// Package roster owns the files people hand us: seed files, which describe whole
// accounts, and import files, which list people of one account. It also owns the
// demonstration account, which is a seed that needs no file.
//
//	seed.yaml, .json ----> tree of nodes ----> shapes ----> Seed ----> use cases
//	people.json, .jsonl -> a node a row  ----> the user shape ----> use cases
//	people.csv ----------> a node a row  --/
//
// It leaves to directory, oauth and access what is right: their own checks judge
// what was read, and everything is written through their use cases. What must
// always hold: a file is judged as a whole before anything is written; whatever is
// wrong is named by file and line; what is held in memory is bounded, for an import
// whatever the number of its rows.
package roster

import (
	"fmt"
	"strings"

	"github.com/rollcall-id/rollcall/internal/fault"
)

// Bounds of what is read.
const (
	// MaxSeedBytes is the size of the largest seed file.
	MaxSeedBytes = 64 << 20
	// MaxSeedValues bounds the names and values of a seed file, and so the memory it takes: about 200 bytes each.
	MaxSeedValues = 8_000_000
	// MaxGenerated is the most people a seed file can have generated for one account.
	MaxGenerated = 10_000_000
	// MaxRowBytes is the length of the longest row of an import file.
	MaxRowBytes = 1 << 20
	// MaxRows is the most people one import file can hold.
	MaxRows = 10_000_000
	// MaxProblems is how many problems of a file are told at once.
	MaxProblems = 20

	maxDepth = 16 // of lists and objects in each other; a seed needs seven
)

// RowError is one thing that is wrong with a file. Err is a fault of kind Invalid
// or Conflict, unless the file could not be read.
type RowError struct {
	File string
	Line int // from 1; 0 where it concerns no line
	Err  error
}

// Error returns "file:line: reason".
func (e *RowError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

// Unwrap returns the reason.
func (e *RowError) Unwrap() error { return e.Err }

// FileError is everything that is wrong with a file, in the order it was found and
// no more than MaxProblems of it.
type FileError struct {
	Problems []*RowError // at least one
	More     bool        // there was more than could be told
}

// Error returns a line for each problem.
func (e *FileError) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	for _, p := range e.Problems {
		lines = append(lines, p.Error())
	}
	if e.More {
		lines = append(lines, fmt.Sprintf("%s: there is more: these are the first %d problems", e.Problems[0].File, MaxProblems))
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems.
func (e *FileError) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// report gathers the problems of one file.
type report struct {
	file     string
	problems []*RowError
	more     bool // full, and another problem was found: time to stop reading
}

// add notes a problem; place says what it concerns, such as "user 3", and may be empty.
func (r *report) add(line int, place string, err error) {
	if len(r.problems) == MaxProblems {
		r.more = true
		return
	}
	if place != "" {
		err = fmt.Errorf("%s: %w", place, err)
	}
	r.problems = append(r.problems, &RowError{File: r.file, Line: line, Err: err})
}

// err returns what was gathered, or nil.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return &FileError{Problems: r.problems, More: r.more}
}

// unique remembers which line a key was first seen on.
type unique map[string]int

// claim notes the key, or reports that another line has it already.
func (u unique) claim(r *report, n node, place, what, key string) {
	if first, taken := u[key]; taken {
		r.add(n.line, place, fault.Invalid("%s %q is taken: line %d has it already", what, key, first))
		return
	}
	u[key] = n.line
}
