package store

import (
	"cmp"
	"iter"
	"slices"

	"github.com/rollcall-id/rollcall/internal/directory"
)

// batch is people who are written together.
type batch struct {
	people []directory.User // as they came
	order  []int            // of people, as they are written: by their time and id, as pages and the keys of tables are
	last   bool             // the sequence is over
	err    error            // what it gave after these people
}

// reading takes people from a sequence, and makes ready what can be before they are written.
type reading struct {
	next  func() (directory.User, error, bool) // as iter.Pull2 gives it
	words *sortedWords
}

// read gathers a batch.
func (r *reading) read() batch {
	var b batch
	for len(b.people) < peopleAtOnce {
		u, err, more := r.next()
		if !more || err != nil {
			b.last, b.err = true, err
			break
		}
		b.people = append(b.people, u)
	}
	return b
}

// prepare sorts a batch and takes its words.
func (r *reading) prepare(b *batch) {
	if b.err != nil {
		return // nobody is going to be written
	}
	b.order = make([]int, len(b.people))
	for i := range b.order {
		b.order[i] = i
	}
	slices.SortFunc(b.order, func(i, j int) int {
		return cmp.Or(b.people[i].CreateTime.Compare(b.people[j].CreateTime), cmp.Compare(b.people[i].ID, b.people[j].ID))
	})
	for _, u := range b.people {
		if err := r.words.add(u); err != nil {
			b.last, b.err = true, err
			return
		}
	}
}

// ahead yields further batches until the last. A goroutine reads and prepares one while the one before is written; it has
// ended when this returns.
func (r *reading) ahead() iter.Seq[batch] {
	return func(yield func(batch) bool) {
		batches, quit := make(chan batch), make(chan struct{})
		go func() {
			defer close(batches)
			for last := false; !last; {
				b := r.read()
				r.prepare(&b)
				last = b.last
				select {
				case batches <- b:
				case <-quit:
					return
				}
			}
		}()
		defer func() {
			close(quit)
			for range batches { // until it is closed
			}
		}()
		for b := range batches {
			if !yield(b) {
				return
			}
		}
	}
}
