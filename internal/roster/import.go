package roster

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// row is a person of an import file and the line they start on.
type row struct {
	directory.User
	node node
}

// Users reads people from r, once, in constant memory. The end of name says how they
// are written: .csv, .json (a list) or .jsonl (one after another). What is left out
// of a person is empty, as directory.Service.Complete takes it; they are sound
// otherwise. Every error is a *RowError; where it does not end the sequence, the
// rows after it can still be read.
func Users(name string, r io.Reader) iter.Seq2[directory.User, error] {
	return func(yield func(directory.User, error) bool) {
		for row, err := range rows(name, r) {
			if !yield(row.User, err) {
				return
			}
		}
	}
}

// formats are the readers of rows by the end of the file's name.
var formats = map[string]func(name string, src *source, yield func(node, error) bool){
	".csv": csvRows, ".json": jsonRows, ".jsonl": jsonlRows,
}

func format(name string) string { return strings.ToLower(filepath.Ext(name)) }

func unknownFormat(name string) error {
	return &RowError{name, 0, fault.Invalid("people are imported from .csv, .json or .jsonl files: rename the file after what it holds")}
}

func rows(name string, r io.Reader) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		read := formats[format(name)]
		if read == nil {
			yield(row{}, unknownFormat(name))
			return
		}
		src, err := newSource(r, MaxRowBytes)
		if err != nil {
			yield(row{}, &RowError{name, 1, err})
			return
		}
		read(name, src, func(n node, err error) bool {
			if err != nil {
				return yield(row{}, err)
			}
			return yield(rowOf(name, n))
		})
	}
}

func rowOf(name string, n node) (row, error) {
	r := &report{file: name}
	u, ok := userShape.read(r, "", n)
	if !ok {
		return row{node: n}, r.problems[0]
	}
	return row{u, n}, nil
}

// UserFile is an import file. It is read anew for every use, so that it can be
// checked as a whole before anybody is added.
type UserFile struct {
	path string
	size int64
}

// OpenUsers finds an import file and makes sure that it can be read.
func OpenUsers(path string) (*UserFile, error) {
	if formats[format(path)] == nil {
		return nil, unknownFormat(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the import file: %w", err)
	}
	defer func() { _ = f.Close() }() // was not written
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the import file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &RowError{path, 0, fault.Invalid("is no plain file: people are imported from a file that can be read twice")}
	}
	return &UserFile{path: path, size: info.Size()}, nil
}

// Size returns the file's length in bytes.
func (f *UserFile) Size() int64 { return f.size }

// Users yields the people as Users does, each time from the start.
func (f *UserFile) Users() iter.Seq2[directory.User, error] {
	return func(yield func(directory.User, error) bool) {
		for row, err := range f.rows() {
			if !yield(row.User, err) {
				return
			}
		}
	}
}

func (f *UserFile) rows() iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		file, err := os.Open(f.path)
		if err != nil {
			yield(row{}, &RowError{f.path, 0, err})
			return
		}
		defer func() { _ = file.Close() }() // was only read
		rows(f.path, file)(yield)
	}
}

// Check reads the whole file and returns how many people it holds, or a *FileError
// that tells what is wrong, people who are in it twice included. It remembers 64
// bits of every address and id, so that it takes some 30 bytes a row.
func (f *UserFile) Check(ctx context.Context) (int, error) {
	c := checker{
		report: &report{file: f.path}, seed: maphash.MakeSeed(),
		emails: map[uint64]int32{}, ids: map[uint64]int32{},
	}
	n := 0
	for row, err := range f.rows() {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		if n++; n > MaxRows {
			err = &RowError{f.path, row.node.line, fault.Invalid("the file holds more than %d people: split it", MaxRows)}
		}
		c.row(row, err)
		if c.more || n > MaxRows {
			break
		}
	}
	return n, c.err()
}

// checker looks for people who are in a file twice. Two of ten million different
// addresses are taken for one by a chance of less than one in 100,000 files, and
// then not the next time, for the hash is another for every check.
type checker struct {
	*report
	seed        maphash.Seed
	emails, ids map[uint64]int32 // lines by hash
}

func (c *checker) row(r row, err error) {
	var wrong *RowError
	if errors.As(err, &wrong) {
		c.add(wrong.Line, "", wrong.Err)
		return
	}
	c.claim(c.emails, r.node.get("email").line, "email", r.Email.Key())
	if r.ID != "" {
		c.claim(c.ids, r.node.get("id").line, "id", string(r.ID))
	}
}

func (c *checker) claim(seen map[uint64]int32, line int, what, key string) {
	h := maphash.String(c.seed, key)
	if first, taken := seen[h]; taken {
		c.add(line, "", fault.Invalid("%s %q is taken: line %d has it already", what, key, first))
		return
	}
	seen[h] = int32(line) // lines are far fewer than 2^31 where there are at most MaxRows rows
}

// Import checks the file, then adds its people to an account, all or none, and
// returns how many. What is wrong with a row is told by its line: as a *FileError by
// the check, as a *RowError where a person of the file is in the account already.
// progress may be nil.
func (f *UserFile) Import(ctx context.Context, c access.Caller, dir *directory.Service, account ident.AccountID, progress Progress) (int, error) {
	total, err := f.Check(ctx)
	if err != nil {
		return 0, err
	}
	n, err := dir.AddUsers(ctx, c, account, newCounter(progress, total).watch(ctx, f.Users()))
	if err != nil {
		return 0, f.Locate(err)
	}
	return n, nil
}

// Locate turns an error of AddUsers for a person of this file into one that names
// the person's line, where the person is what is wrong.
func (f *UserFile) Locate(err error) error {
	var known *RowError
	if errors.As(err, &known) {
		return known
	}
	var add *directory.AddError
	if !errors.As(err, &add) {
		return err
	}
	switch fault.KindOf(add.Err) {
	case fault.KindConflict, fault.KindInvalid:
		return &RowError{f.path, f.LineOf(add.Index), add.Err}
	}
	return err
}

// LineOf returns the line of a person by their index from 0, or 0 if the file has no such person.
func (f *UserFile) LineOf(index int) int {
	i := 0
	for row, err := range f.rows() {
		if err != nil {
			return 0
		}
		if i == index {
			return row.node.line
		}
		i++
	}
	return 0
}
