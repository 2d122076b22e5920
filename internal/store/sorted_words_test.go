package store

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
)

// TestSortedWords: the words of everybody come in the order of their key, each once, however many fit into memory and
// whether or not a file can be made; none is left.
func TestSortedWords(t *testing.T) {
	t.Parallel()
	var want []string
	var people []directory.User
	for i := range 500 {
		u := directory.User{
			ID: ident.UserID(fmt.Sprintf("U%d", i*7919%500)), Email: ident.Email(fmt.Sprintf("a%d.longer-than-eight%d@example.com", i, i%3)),
			DisplayName: fmt.Sprintf("Zoë longer%d", i%7),
		}
		people = append(people, u)
		for _, w := range directory.SearchWords(u) {
			want = append(want, w+"\x00"+string(u.ID))
		}
	}
	slices.Sort(want)
	dir := t.TempDir()
	for name, s := range map[string]*sortedWords{
		"in memory":            {most: wordsInMemory},
		"in a file":            {most: 1000, dirs: []string{dir + "/none", dir}},
		"in pieces, no file":   {most: 1000, dirs: []string{dir + "/none"}},
		"in pieces of one":     {most: 1, dirs: []string{dir}},
		"nobody":               {most: 1000, dirs: []string{dir}},
		"one piece and a rest": {most: 30_000, dirs: []string{dir}},
	} {
		want, people := want, people
		if name == "nobody" {
			want, people = nil, nil
		}
		for _, u := range people {
			if err := s.add(u); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for entry, err := range s.each() {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = append(got, string(entry[0])+"\x00"+string(entry[1]))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if _, isFile := s.spill.(*os.File); isFile != (name == "in a file" || name == "in pieces of one" || name == "one piece and a rest") {
			t.Errorf("%s: kept in %T", name, s.spill)
		}
		s.close()
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestSortedWordsFail: a disk that is full, and a file that can't be read, are told.
func TestSortedWordsFail(t *testing.T) {
	t.Parallel()
	u := directory.User{ID: "U", Email: "u@example.com", DisplayName: "Somebody"}
	full := &sortedWords{most: 1, spill: broken{}}
	if err := full.add(u); !errors.Is(err, errBroken) {
		t.Errorf("got error %v, want %v", err, errBroken)
	}
	unreadable := &sortedWords{most: 1, spill: &deaf{}}
	if err := unreadable.add(u); err != nil {
		t.Fatal(err)
	}
	var got error
	for _, err := range unreadable.each() {
		got = errors.Join(got, err)
	}
	if !errors.Is(got, errBroken) {
		t.Errorf("got error %v, want %v", got, errBroken)
	}
}

var errBroken = errors.New("the disk is broken")

type broken struct{}

func (broken) Write([]byte) (int, error)         { return 0, errBroken }
func (broken) ReadAt([]byte, int64) (int, error) { return 0, errBroken }

// deaf takes everything and gives nothing back.
type deaf struct{ broken }

func (*deaf) Write(p []byte) (int, error) { return len(p), nil }
